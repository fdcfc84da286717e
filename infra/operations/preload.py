"""`preload`: have the models there before anybody asks for them."""

import json
import time

from operations.cluster import Cluster
from operations.console import Problem, say, step
from operations.outputs import need_outputs
from operations.settings import REPOSITORY, Estate
from operations.tools import Tools

# The chart's lists, by what the name of a model looks like.
KINDS = ("ollama", "huggingface", "gguf")


def kind_of(model: str) -> str:
    """`name:tag` is Ollama's, `owner/name` the model hub's, `*.gguf` a file in Blob."""
    if model.endswith(".gguf"):
        return "gguf"
    return "huggingface" if "/" in model and ":" not in model else "ollama"


def preload(tools: Tools, estate: Estate, models: list[str], *, wait_seconds: int = 14400) -> None:
    """Start the chart's preload Job for these models, or for those of its values, and follow it to its end."""
    tools.require("az")
    outputs = need_outputs(tools, estate)
    cluster = Cluster(tools, estate, outputs)
    lists = {kind: [model for model in models if kind_of(model) == kind] for kind in KINDS}
    settings = ["--set", "preload.enabled=true"]
    if models:
        for kind, names in lists.items():
            settings += ["--set-json", f"preload.{kind}={json.dumps(names)}"]
    step(f"Preloading {', '.join(models) or 'the models of the values'}")
    cluster.helm(
        *(
            "upgrade",
            outputs.release,
            str(REPOSITORY / "helm"),
            # The chart's new values, too, where it has some that the release does not know.
            "--reset-then-reuse-values",
            *settings,
            "--timeout",
            "30m",
        )
    )
    if not tools.is_dry_run:
        _follow(cluster, wait_seconds, tools.poll_seconds)


def _follow(cluster: Cluster, seconds: int, poll_seconds: float) -> None:
    deadline = time.monotonic() + seconds
    seen = ""
    while time.monotonic() < deadline:
        jobs = cluster.get("jobs", selector="app.kubernetes.io/component=preload")
        if not jobs:
            raise Problem("The chart made no preload Job.", "Inference modes external and kaito have none.")
        newest = max(jobs, key=lambda job: str(job["metadata"].get("creationTimestamp", "")))
        state = newest.get("status", {})
        name = newest["metadata"]["name"]
        conditions = {one["type"] for one in state.get("conditions", ()) if one.get("status") == "True"}
        if "Complete" in conditions:
            say(f"{name} is done.")
            return
        if "Failed" in conditions:
            raise Problem(f"{name} failed.", f"kubectl -n {cluster.namespace} logs job/{name}")
        progress = f"{name}: {state.get('active', 0)} running, {state.get('failed', 0)} tries failed"
        if progress != seen:
            step(progress)
            seen = progress
        time.sleep(poll_seconds)
    raise Problem(
        f"The preload is not done after {seconds} s; it goes on.", "Run `preload` again to follow it."
    )
