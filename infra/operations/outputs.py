"""What a deployment of main.bicep says about itself: names and addresses, never a secret."""

from dataclasses import dataclass, fields
from typing import Any

from operations.console import Problem
from operations.settings import Estate
from operations.tools import Tools


@dataclass(frozen=True)
class Outputs:
    """The outputs of main.bicep, by the same names."""

    target: str
    groupName: str
    hostName: str
    dnsLabel: str
    registryName: str
    registryServer: str
    appClientId: str
    tenantId: str
    vaultName: str
    storageName: str
    postgresName: str
    redisName: str
    clusterName: str
    namespace: str
    release: str
    prometheusUrl: str
    grafanaUrl: str
    grafanaName: str
    inferenceUrl: str
    inferenceModels: str
    modelShareHost: str
    modelSharePath: str

    @property
    def url(self) -> str:
        return f"https://{self.hostName}"


NAMES = [one.name for one in fields(Outputs)]


def stand_in(estate: Estate) -> dict[str, Any]:
    """What a dry run works with: every output by its own name in angle brackets."""
    known = {
        "target": estate.target,
        "groupName": estate.group,
        "inferenceUrl": "",
        "grafanaUrl": "",
        "grafanaName": "",
    }
    known |= {"inferenceModels": "", "modelShareHost": "", "modelSharePath": ""}
    known |= {"namespace": "parlour", "release": "parlour", "hostName": f"{estate.name}.example"}
    return {name: {"value": known.get(name, f"<{name}>")} for name in NAMES}


def parse_outputs(raw: dict[str, Any]) -> Outputs:
    """Read a deployment's outputs; one that is missing means that the template was another."""
    missing = [name for name in NAMES if name not in raw]
    if missing:
        raise Problem(
            f"The deployment has no output {', '.join(missing)}.",
            "It was made by another version of main.bicep: run `up` again.",
        )
    return Outputs(**{name: str(raw[name]["value"]) for name in NAMES})


def deployments(tools: Tools, estate: Estate, state: str) -> list[str]:
    """Names of the estate's deployments in this state, oldest first: a name ends in the time it began.

    Each deployment has a name of its own. Under one name a failed one would take the place, and the outputs, of the
    one before it: a running estate would look like none, and get new secrets.
    """
    found = tools.read_json(
        *estate.az("deployment", "sub", "list", "--filter", f"provisioningState eq '{state}'"),
        *("--query", f"[?starts_with(name, '{estate.name}-')].name", "--output", "json"),
        instead=[],
    )
    return sorted(str(name) for name in found)


def find_outputs(tools: Tools, estate: Estate) -> Outputs | None:
    """The outputs of the estate's last deployment that succeeded, or None where there was none."""
    if tools.is_dry_run:
        return parse_outputs(stand_in(estate))
    names = deployments(tools, estate, "Succeeded")
    if not names:
        return None
    shown = tools.read_json(*estate.az("deployment", "sub", "show", "--name", names[-1], "--output", "json"))
    return parse_outputs(shown["properties"]["outputs"])


def need_outputs(tools: Tools, estate: Estate) -> Outputs:
    outputs = find_outputs(tools, estate)
    if outputs is None:
        raise Problem(f"There is no estate {estate.name}.", "Make it with `estate.py up`.")
    return outputs
