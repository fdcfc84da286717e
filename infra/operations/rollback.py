"""`rollback`: what ran before, again. Migrations stay: they only ever add, so the older code lives with them."""

from operations.cluster import Cluster
from operations.console import Problem, step
from operations.outputs import need_outputs
from operations.settings import Estate
from operations.tools import Tools


def rollback(tools: Tools, estate: Estate) -> None:
    """The release's last revision but one, and wait until it is up."""
    tools.require("az")
    outputs = need_outputs(tools, estate)
    if outputs.target != "aks":
        raise Problem(
            f"On {outputs.target} there is no release to go back to.",
            "Run `up --application-only --tag` with the tag that ran before.",
        )
    cluster = Cluster(tools, estate, outputs)
    step(f"Rolling {outputs.release} back")
    cluster.helm("rollback", outputs.release, "--wait", "--timeout", "15m")
