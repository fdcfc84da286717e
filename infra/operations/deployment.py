"""Deploys main.bicep, with secrets that are made once and afterwards only the vault knows."""

import json
import os
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from operations.console import Problem, step
from operations.outputs import Outputs, deployments, find_outputs, need_outputs, parse_outputs, stand_in
from operations.settings import INFRA, Estate
from operations.tools import Tools

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#"
VAULT_API = "2026-02-01"
DEPLOYMENT_SECONDS = 5400


def deploy(tools: Tools, estate: Estate, values: dict[str, Any]) -> Outputs:
    """Bring Azure to what the templates say, and return the outputs. Incremental: nothing is removed.

    `values` are parameters besides the file's: images, and secrets that have to be set. They go through a file
    that only this user can read, because a command line can be read by everybody on the machine.
    """
    _await_running(tools, estate)
    name = f"{estate.name}-{datetime.now(UTC):%Y%m%d%H%M%S}"
    with _parameter_file(tools, values) as extra:
        raw = tools.change(
            *estate.az("deployment", "sub", "create", "--name", name, "--location", estate.location),
            *("--template-file", str(INFRA / "main.bicep")),
            *("--parameters", f"@{estate.parameter_file}", "--parameters", f"@{extra}"),
            *("--query", "properties.outputs", "--output", "json"),
        )
    if tools.is_dry_run:
        return parse_outputs(stand_in(estate))
    return parse_outputs(json.loads(raw)) if raw.strip() else need_outputs(tools, estate)


def _await_running(tools: Tools, estate: Estate) -> None:
    """An `up` that was interrupted left its deployment running; two at once would fail over each other's resources."""
    deadline = time.monotonic() + DEPLOYMENT_SECONDS
    while names := deployments(tools, estate, "Running"):
        if time.monotonic() > deadline:
            raise Problem(
                f"The deployment {names[-1]} does not end.",
                f"az deployment sub cancel --name {names[-1]} ends it.",
            )
        step(f"Waiting for the deployment {names[-1]}, which is under way")
        time.sleep(tools.poll_seconds * 6)


def what_if(tools: Tools, estate: Estate) -> str:
    """What a deployment would change, in Azure's own words."""
    return tools.read(*what_if_command(estate), instead="(a dry run asks Azure nothing)")


def what_if_command(estate: Estate) -> tuple[str, ...]:
    """The command line that says what a deployment would change."""
    return (
        *estate.az("deployment", "sub", "what-if", "--name", estate.name, "--location", estate.location),
        *("--template-file", str(INFRA / "main.bicep"), "--parameters", f"@{estate.parameter_file}"),
    )


def missing_secrets(tools: Tools, estate: Estate) -> dict[str, str]:
    """New values for the secrets that the vault does not have yet. The demo keeps none, so it gets new ones."""
    wanted = {"database-url": "postgresPassword", "secret-key": "djangoSecretKey"}
    outputs = find_outputs(tools, estate) if estate.target != "aci" else None
    made = {}
    for name, parameter in wanted.items():
        if outputs is not None and _is_in_vault(tools, estate, outputs, name):
            continue
        made[parameter] = secrets.token_urlsafe(36)
    if made:
        step(f"Making new secrets: {', '.join(sorted(made))}")
    return made


def _is_in_vault(tools: Tools, estate: Estate, outputs: Outputs, secret: str) -> bool:
    """Resource Manager says whether a secret is there, and never what it is; no right on the vault is needed."""
    if tools.is_dry_run:
        return True
    group = tools.read(
        *estate.az("group", "show", "--name", outputs.groupName, "--query", "id", "--output", "tsv")
    )
    secret_id = f"{group.strip()}/providers/Microsoft.KeyVault/vaults/{outputs.vaultName}/secrets/{secret}"
    found = tools.try_read(
        *estate.az("resource", "show", "--ids", secret_id, "--api-version", VAULT_API),
        *("--query", "id", "--output", "tsv"),
    )
    return found is not None and found.strip().lower() == secret_id.lower()


@contextmanager
def _parameter_file(tools: Tools, values: dict[str, Any]) -> Iterator[Path]:
    if tools.is_dry_run:
        yield Path("(a private file)")
        return
    handle, name = tempfile.mkstemp(prefix="estate-", suffix=".json")  # mkstemp: mode 0600 from the start
    try:
        body = {name: {"value": value} for name, value in values.items()}
        with os.fdopen(handle, "w") as file:
            json.dump({"$schema": SCHEMA, "contentVersion": "1.0.0.0", "parameters": body}, file)
        yield Path(name)
    finally:
        Path(name).unlink()
