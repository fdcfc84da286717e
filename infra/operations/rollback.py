"""`rollback`: what ran before, again. Migrations stay: they only ever add, so the older code lives with them."""

from operations.cluster import Cluster
from operations.console import Problem, step
from operations.outputs import need_outputs
from operations.settings import Estate
from operations.tools import Tools


def rollback(tools: Tools, estate: Estate) -> None:
    """The last revision that ran before this one, and wait until it is up."""
    tools.require("az")
    outputs = need_outputs(tools, estate)
    if outputs.target != "aks":
        raise Problem(
            f"On {outputs.target} there is no release to go back to.",
            "Run `up --application-only --tag` with the tag that ran before.",
        )
    cluster = Cluster(tools, estate, outputs)
    revision = _before(cluster)
    step(f"Rolling {outputs.release} back to revision {revision}")
    cluster.helm("rollback", outputs.release, str(revision), "--wait", "--timeout", "15m")


def _before(cluster: Cluster) -> int:
    """Helm's own choice is the number before, which may be an upgrade that never came up."""
    ran = [one["revision"] for one in cluster.history() if one["status"] == "superseded"]
    if not ran:
        raise Problem(
            f"{cluster.release} has no revision that ran before.",
            f"helm history {cluster.release} lists what there was.",
        )
    return int(max(ran))
