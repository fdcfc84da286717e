"""Container Apps: migrate with the new image first, then let the apps take it."""

import time
from typing import Any

from operations.console import Problem, step
from operations.deployment import deploy
from operations.images import Images
from operations.outputs import Outputs
from operations.settings import Estate
from operations.tools import Tools

JOB = "migrate"
API = "2026-01-01"
JOB_SECONDS = 1800


def update_apps(tools: Tools, estate: Estate, outputs: Outputs, images: Images) -> Outputs:
    """Two deployments with the migration between them: the old apps serve until the database is ready."""
    values: dict[str, Any] = {"image": images.application, "embeddingsImage": images.embeddings}
    step("Updating the migration job")
    deploy(tools, estate, values | {"deployApps": False})
    run_job(tools, estate, outputs)
    step("Updating the apps")
    return deploy(tools, estate, values)


def run_job(tools: Tools, estate: Estate, outputs: Outputs) -> None:
    """Start the job and wait for its end; a failure stops the upgrade before any app has changed."""
    step("Migrating the database")
    where = ("--name", JOB, "--resource-group", outputs.groupName)
    started = tools.change(
        *estate.az("containerapp", "job", "start", *where), "--query", "name", "--output", "tsv"
    ).strip()
    if tools.is_dry_run:
        return
    deadline = time.monotonic() + JOB_SECONDS
    while time.monotonic() < deadline:
        status = tools.read(
            *estate.az("containerapp", "job", "execution", "show", *where, "--job-execution-name", started),
            *("--query", "properties.status", "--output", "tsv"),
        ).strip()
        if status == "Succeeded":
            return
        if status in {"Failed", "Stopped", "Degraded"}:
            raise Problem(
                f"The migration ended as {status}; the apps were left as they are.",
                f"Its log: az containerapp job logs show --name {JOB} -g {outputs.groupName} --container migrate",
            )
        time.sleep(tools.poll_seconds)
    raise Problem(f"The migration has not ended within {JOB_SECONDS // 60} minutes.")


def apps_of(tools: Tools, estate: Estate, outputs: Outputs) -> list[str]:
    """Names of the estate's container apps."""
    found = tools.read_json(
        *estate.az("containerapp", "list", "--resource-group", outputs.groupName),
        *("--query", "[].name", "--output", "json"),
        instead=["web", "worker-ingest", "worker-default", "beat", "embeddings"],
    )
    return [str(name) for name in found]


def switch_apps(tools: Tools, estate: Estate, outputs: Outputs, action: str) -> None:
    """`start` or `stop` every app, by the API: the command line has no command for it."""
    group = tools.read(
        *estate.az("group", "show", "--name", outputs.groupName, "--query", "id", "--output", "tsv"),
        instead=f"/subscriptions/<subscription>/resourceGroups/{outputs.groupName}",
    ).strip()
    for app in apps_of(tools, estate, outputs):
        step(f"{action.capitalize()} {app}")
        url = f"https://management.azure.com{group}/providers/Microsoft.App/containerApps/{app}/{action}"
        tools.change(*estate.az("rest", "--method", "post", "--url", f"{url}?api-version={API}"))
