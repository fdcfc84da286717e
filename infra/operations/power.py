"""`stop` and `start`: an estate that nobody uses for a while, without its data being lost."""

from operations.cluster import Cluster
from operations.console import say, step
from operations.container_apps import switch_apps
from operations.outputs import Outputs, need_outputs
from operations.settings import Estate
from operations.status import power_state
from operations.tools import Tools

# Azure starts a stopped PostgreSQL by itself after this long.
DATABASE_SLEEPS_DAYS = 7


def stop(tools: Tools, estate: Estate) -> None:
    """Application first, then the database; what is stopped already is left so."""
    outputs = need_outputs(tools, estate)
    if outputs.target == "aks":
        if power_state(tools, estate, outputs) == "Running":
            _warn_of_kaito(tools, estate, outputs)
            step(f"Stopping {outputs.clusterName}")
            tools.change(*_cluster(estate, outputs, "stop"))
    elif outputs.target == "aca":
        switch_apps(tools, estate, outputs, "stop")
    else:
        step("Stopping the container group; the demo's data ends with it")
        tools.change(*_group(estate, outputs, "stop"))
    if outputs.postgresName:
        _database(tools, estate, outputs, "stop", wanted="Stopped")
        say(f"PostgreSQL starts again by itself after {DATABASE_SLEEPS_DAYS} days: stop it again then.")
        say("Redis, disks, the registry, addresses and log data go on costing; only `down` ends that.")


def start(tools: Tools, estate: Estate) -> None:
    """The database first, so that what starts after it finds it."""
    outputs = need_outputs(tools, estate)
    if outputs.postgresName:
        _database(tools, estate, outputs, "start", wanted="Ready")
    if outputs.target == "aks":
        if power_state(tools, estate, outputs) != "Running":
            step(f"Starting {outputs.clusterName}")
            tools.change(*_cluster(estate, outputs, "start"))
    elif outputs.target == "aca":
        switch_apps(tools, estate, outputs, "start")
    else:
        step("Starting the container group")
        tools.change(*_group(estate, outputs, "start"))
    say(f"Starting: {outputs.url}/ answers in a few minutes (`status`).")


def _cluster(estate: Estate, outputs: Outputs, action: str) -> tuple[str, ...]:
    return estate.az("aks", action, "--resource-group", outputs.groupName, "--name", outputs.clusterName)


def _group(estate: Estate, outputs: Outputs, action: str) -> tuple[str, ...]:
    return estate.az(
        "container", action, "--resource-group", outputs.groupName, "--name", f"ci-{estate.name}"
    )


def _database(tools: Tools, estate: Estate, outputs: Outputs, action: str, *, wanted: str) -> None:
    where = ("--resource-group", outputs.groupName, "--name", outputs.postgresName)
    server = ("postgres", "flexible-server")
    show = estate.az(*server, "show", *where, "--query", "state", "--output", "tsv")
    if tools.read(*show, instead="?").strip() != wanted:
        step(f"{'Stopping' if action == 'stop' else 'Starting'} {outputs.postgresName}")
        tools.change(*estate.az(*server, action, *where))


def _warn_of_kaito(tools: Tools, estate: Estate, outputs: Outputs) -> None:
    cluster = Cluster(tools, estate, outputs)
    if cluster.get("workspaces.kaito.sh", namespace="*"):
        say("KAITO's GPU nodes do not come back reliably from a stop: expect to make its workspaces again.")
