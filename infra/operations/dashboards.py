"""Brings the chart's dashboards into Azure Managed Grafana, which does not look for ConfigMaps in the cluster."""

from operations.console import Problem, say, step
from operations.outputs import Outputs
from operations.settings import REPOSITORY, Estate
from operations.tools import Tools


def import_dashboards(tools: Tools, estate: Estate, outputs: Outputs) -> None:
    """Import each, over what is there. Parlour runs without them, so a refusal is told and not fatal."""
    step(f"Importing dashboards into {outputs.grafanaName}")
    for path in sorted((REPOSITORY / "helm" / "dashboards").glob("*.json")):
        try:
            tools.change(
                *estate.az("grafana", "dashboard", "import", "--resource-group", outputs.groupName),
                *("--name", outputs.grafanaName, "--definition", str(path), "--overwrite", "true"),
            )
        except Problem as problem:
            say(f"{path.stem} was not imported: {problem.what}")
            say(
                "Grafana Admin is given to adminGroupObjectIds; `az extension add --name amg` brings the command."
            )
            return
