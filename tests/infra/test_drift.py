"""The nightly look for drift: what a person did is seen, what what-if is documented to invent is not."""

import json
from typing import Any

import pytest

from tests.infra.conftest import Estate
from tests.infra.test_estate import rules

SERVER = "/subscriptions/1/resourceGroups/rg/providers/Microsoft.DBforPostgreSQL/flexibleServers/p"


def changed(kind: str, path: str, **more: Any) -> dict[str, Any]:
    return {"propertyChangeType": kind, "path": path, "before": None, "after": None, "children": None, **more}


def look(estate: Estate, *delta: dict[str, Any]) -> tuple[int, str]:
    changes = [{"changeType": "Modify", "resourceId": SERVER, "delta": list(delta)}]
    answer = {"match": "^az deployment sub what-if", "stdout": json.dumps({"changes": changes})}
    estate.script(*rules(answer=answer))
    done = estate.run("up", "--what-if", "--fail-on-change")
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    "noise",
    [
        changed("NoEffect", "properties.storage.iops", after=500),
        changed("Delete", "properties.replicationRole", before="Primary"),
        changed(
            "Modify",
            "properties.privateLinkServiceId",
            before="/x",
            after="[reference('postgres').outputs.id.value]",
        ),
        changed(
            "Modify", "properties", children=[changed("Delete", "maintenanceWindow", before={"dayOfWeek": 0})]
        ),
        changed(
            "Array",
            "properties.subnets",
            children=[changed("Modify", "0", children=[changed("Delete", "properties.purpose", before="x")])],
        ),
    ],
    ids=["no effect", "a default", "a reference", "a default below", "a default in a list's entry"],
)
def test_documented_noise_of_what_if_is_no_drift(estate: Estate, noise: dict[str, Any]) -> None:
    code, said = look(estate, noise)

    assert code == 0
    assert "Azure is as the templates say." in said


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (
            changed("Modify", "properties.highAvailability.mode", before="Disabled", after="ZoneRedundant"),
            "mode",
        ),
        (
            changed("Create", "properties.network.publicNetworkAccess", after="Disabled"),
            "publicNetworkAccess",
        ),
        (changed("Delete", "tags.owner", before="ada"), "tags.owner"),
        (
            changed(
                "Array", "properties.securityRules", children=[changed("Delete", "3", before={"name": "ssh"})]
            ),
            "properties.securityRules.3",
        ),
        (changed("Modify", "properties.version", before="17", after="[parameters('reference')]"), "version"),
    ],
    ids=["a value", "a value taken out", "a tag", "a rule of a firewall", "an expression of another kind"],
)
def test_what_a_person_changed_is_drift_and_is_named(
    estate: Estate, change: dict[str, Any], path: str
) -> None:
    code, said = look(estate, change, changed("NoEffect", "properties.storage.iops"))

    assert code == 1
    assert f"Modify {SERVER} (" in said
    assert path in said
    assert "iops" not in said
