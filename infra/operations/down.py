"""`down`: the end of an estate, with the things that deleting a resource group forgets."""

from typing import Any

from operations.cluster import Cluster
from operations.console import Problem, confirm, say, step
from operations.leftovers import model_accounts, purge_model_accounts, purge_vaults
from operations.outputs import Outputs, deployments, find_outputs
from operations.settings import Estate
from operations.status import power_state
from operations.tools import Tools

# Kinds of KAITO that own GPU nodes; the add-on's older KAITO has the last only. Sets first: they make Workspaces again.
KAITO_KINDS = ("inferencesets.kaito.sh", "workspaces.kaito.sh")
OWN_POOLS = {"system", "user"}


def down(
    tools: Tools, estate: Estate, confirmed: str | None, *, keep_azure: bool = False, purge: bool = False
) -> None:
    """Remove the application and KAITO's pools, and then, unless `keep_azure`, everything else."""
    tools.require("az")
    outputs = find_outputs(tools, estate)
    exists = (
        tools.read(*estate.az("group", "exists", "--name", estate.group), instead="true").strip() == "true"
    )
    if not exists:
        say(f"There is no resource group {estate.group}: nothing to delete.")
        if purge:
            purge_vaults(tools, estate)
        return
    what = (
        "the application, its data stays"
        if keep_azure
        else "everything in it, backups of the database included"
    )
    confirm(estate.name, confirmed, f"This deletes from {estate.group}: {what}.")
    if outputs is not None and outputs.target == "aks":
        _remove_application(tools, estate, outputs)
    if keep_azure:
        return
    _unprotect(tools, estate)
    accounts = model_accounts(tools, estate)
    step(f"Deleting {estate.group}; this takes 10 to 30 minutes")
    tools.change(*estate.az("group", "delete", "--name", estate.group, "--yes"))
    purge_model_accounts(tools, estate, accounts)
    for name in [*deployments(tools, estate, "Succeeded"), *deployments(tools, estate, "Failed")]:
        tools.change(*estate.az("deployment", "sub", "delete", "--name", name))
    if purge:
        purge_vaults(tools, estate)
    say(
        f"{estate.name} is gone."
        + ("" if purge else " Its vault can be brought back for 30 days; `up` does, and --purge ends that.")
    )


def _remove_application(tools: Tools, estate: Estate, outputs: Outputs) -> None:
    """Take the release away and look for pools, as far as the cluster still answers."""
    try:
        if power_state(tools, estate, outputs) == "Running":
            cluster = Cluster(tools, estate, outputs)
            for kind in KAITO_KINDS:
                if cluster.get(kind):
                    step(f"Deleting {kind}")
                    cluster.change("delete", kind, "--all", "--wait=true", "--timeout=15m")
            step(f"Removing release {outputs.release}")
            cluster.helm("uninstall", outputs.release, "--ignore-not-found", "--wait", "--timeout", "10m")
        for pool in kaito_pools(tools, estate, outputs):
            step(f"Deleting GPU pool {pool}, which KAITO left behind")
            where = ("--resource-group", outputs.groupName, "--cluster-name", outputs.clusterName)
            tools.change(*estate.az("aks", "nodepool", "delete", *where, "--name", pool))
    except Problem as problem:
        say(f"The cluster could not be tidied ({problem.what}); going on.")


def kaito_pools(tools: Tools, estate: Estate, outputs: Outputs) -> list[str]:
    """Pools that no template of ours made and that carry KAITO's marks.

    KAITO makes pools through Azure and deletes them only while it runs: they outlive its workspaces, and go on
    costing by the hour.
    """
    pools = tools.read_json(
        *estate.az("aks", "nodepool", "list", "--resource-group", outputs.groupName),
        *("--cluster-name", outputs.clusterName, "--output", "json"),
        instead=[],
    )
    return [str(pool["name"]) for pool in pools if _is_kaito(pool)]


def _is_kaito(pool: dict[str, Any]) -> bool:
    if pool["name"] in OWN_POOLS:
        return False
    marks = [*(pool.get("nodeLabels") or {}), *(pool.get("tags") or {}), *(pool.get("nodeTaints") or ())]
    return any("kaito" in str(mark).lower() or "karpenter.sh" in str(mark).lower() for mark in marks)


def _unprotect(tools: Tools, estate: Estate) -> None:
    """A backup vault with protected items cannot be deleted, and neither can its group."""
    vault = f"bv-{estate.name}"
    where = ("--resource-group", estate.group, "--vault-name", vault)
    found = tools.try_read(
        *estate.az("dataprotection", "backup-vault", "show", "--resource-group", estate.group),
        *("--vault-name", vault, "--query", "name", "--output", "tsv"),
    )
    if not found:
        return
    try:
        # Else what is deleted is kept for 14 days more, and the vault, and the group, with it.
        tools.change(
            *estate.az("dataprotection", "backup-vault", "update", "--resource-group", estate.group),
            *("--vault-name", vault, "--soft-delete-state", "Off"),
        )
    except Problem as problem:
        say(f"Soft delete stays on ({problem.what}): the backup vault may hold up the group for 14 days.")
    names = tools.read_json(
        *estate.az(
            "dataprotection", "backup-instance", "list", *where, "--query", "[].name", "--output", "json"
        ),
        instead=[],
    )
    for name in names:
        step(f"Ending the protection of {name}")
        tools.change(
            *estate.az("dataprotection", "backup-instance", "delete", *where, "--name", str(name), "--yes")
        )
