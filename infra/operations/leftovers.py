"""What Azure keeps of a deleted estate under its old names, where a new estate of the same name would stumble."""

from operations.console import Problem, say, step
from operations.settings import Estate
from operations.tools import Tools


def bring_back_vaults(tools: Tools, estate: Estate) -> None:
    """A deleted vault holds its name for 30 days; before a first deployment it is taken out of the bin again."""
    for name, location in _deleted_vaults(tools, estate):
        step(f"Bringing back the deleted vault {name}: its name is not free before it is gone for good")
        tools.change(*estate.az("group", "create", "--name", estate.group, "--location", estate.location))
        tools.change(
            *estate.az("keyvault", "recover", "--name", name, "--resource-group", estate.group),
            *("--location", location),
        )


def purge_vaults(tools: Tools, estate: Estate) -> None:
    """Empty the bin of the estate's vaults; one with purge protection stays until its days are over."""
    for name, location in _deleted_vaults(tools, estate):
        step(f"Purging the deleted vault {name}")
        try:
            tools.change(*estate.az("keyvault", "purge", "--name", name, "--location", location))
        except Problem as problem:
            say(f"Not purged ({problem.what}).")


def _deleted_vaults(tools: Tools, estate: Estate) -> list[tuple[str, str]]:
    """Name and region of each vault in the bin that was in the estate's group."""
    deleted = tools.read_json(
        *estate.az("keyvault", "list-deleted", "--resource-type", "vault", "--output", "json"), instead=[]
    )
    mine = f"/resourcegroups/{estate.group}/"
    return [
        (str(vault["name"]), str(vault["properties"]["location"]))
        for vault in deleted
        if mine in vault["properties"]["vaultId"].lower()
    ]


def model_accounts(tools: Tools, estate: Estate) -> list[str]:
    """Azure OpenAI accounts of the estate. Nothing is kept in them, but once deleted they hold their names, too."""
    found = tools.read_json(
        *estate.az("cognitiveservices", "account", "list", "--resource-group", estate.group),
        *("--query", "[].name", "--output", "json"),
        instead=[],
    )
    return [str(name) for name in found]


def purge_model_accounts(tools: Tools, estate: Estate, names: list[str]) -> None:
    for name in names:
        step(f"Purging the deleted account {name}")
        try:
            tools.change(
                *estate.az("cognitiveservices", "account", "purge", "--resource-group", estate.group),
                *("--name", name, "--location", estate.location),
            )
        except Problem as problem:
            say(f"Not purged ({problem.what}); its name is free again in 48 hours.")
