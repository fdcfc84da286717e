"""`status`: what there is, whether it runs, and what costs money while nobody looks."""

from typing import Any

from operations.cluster import Cluster, not_ready
from operations.console import Problem, outcome, say
from operations.container_apps import apps_of
from operations.outputs import Outputs, need_outputs
from operations.product import is_up
from operations.settings import Estate
from operations.tools import Tools


def status(tools: Tools, estate: Estate) -> bool:
    """Print a line for each part; True if everything that should run does."""
    tools.require("az")
    outputs = need_outputs(tools, estate)
    say(f"{estate.name} in {outputs.groupName}, on {outputs.target}")
    fine = [_say_database(tools, estate, outputs)] if outputs.postgresName else []
    if outputs.target == "aks":
        fine.append(_say_cluster(tools, estate, outputs))
    elif outputs.target == "aca":
        outcome(True, "apps", ", ".join(apps_of(tools, estate, outputs)))
    if not tools.is_dry_run:
        answers = is_up(outputs.url)
        outcome(answers, "address", f"{outputs.url} {'answers' if answers else 'does not answer'}")
        fine.append(answers)
    return all(fine)


def _say_database(tools: Tools, estate: Estate, outputs: Outputs) -> bool:
    state = tools.read(
        *estate.az("postgres", "flexible-server", "show", "--resource-group", outputs.groupName),
        *("--name", outputs.postgresName, "--query", "state", "--output", "tsv"),
        instead="Ready",
    ).strip()
    outcome(state == "Ready", "PostgreSQL", f"{outputs.postgresName} is {state or 'unknown'}")
    return state == "Ready"


def power_state(tools: Tools, estate: Estate, outputs: Outputs) -> str:
    return tools.read(
        *estate.az("aks", "show", "--resource-group", outputs.groupName, "--name", outputs.clusterName),
        *("--query", "powerState.code", "--output", "tsv"),
        instead="Running",
    ).strip()


def _say_cluster(tools: Tools, estate: Estate, outputs: Outputs) -> bool:
    power = power_state(tools, estate, outputs)
    outcome(power == "Running", "cluster", f"{outputs.clusterName} is {power}")
    if power != "Running":
        return False
    cluster = Cluster(tools, estate, outputs)
    try:
        nodes = cluster.get("nodes", namespace="*")
        pods = cluster.get("pods")
    except Problem as problem:
        outcome(False, "pods", problem.what)
        return False
    for pool, names in sorted(_by_pool(nodes).items()):
        outcome(True, "nodes", f"{len(names)} in pool {pool}")
    waiting = not_ready(pods)
    outcome(
        not waiting, "pods", f"{len(pods)} pods" + (f"; not ready: {', '.join(waiting)}" if waiting else "")
    )
    gpus = [node for node in nodes if gpu_count(node)]
    if gpus:
        outcome(True, "GPU nodes", f"{len(gpus)} run, and cost by the hour; `stop` ends that")
    return not waiting


def _by_pool(nodes: list[dict[str, Any]]) -> dict[str, list[str]]:
    pools: dict[str, list[str]] = {}
    for node in nodes:
        labels = node["metadata"].get("labels", {})
        pools.setdefault(labels.get("agentpool", "?"), []).append(node["metadata"]["name"])
    return pools


def gpu_count(node: dict[str, Any]) -> int:
    """GPUs that the node offers to pods; 0 until the device plugin has registered them."""
    return int(node.get("status", {}).get("allocatable", {}).get("nvidia.com/gpu", 0))
