"""The Bicep of the estate: it parses, names only what exists, is wired right and keeps secrets in."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.infra import bicep

MAIN = bicep.INFRA / "main.bicep"
MODULES = sorted((bicep.INFRA / "modules").glob("*.bicep"))
PARAMETER_FILES = sorted(bicep.INFRA.glob("params/*.json")) + sorted(bicep.INFRA.glob("scenarios/*.json"))

# Built-in roles that the estate gives, by their public ids: a digit wrong here is a right given wrong there.
ROLES = {
    "7f951dda-4ed3-4680-a7ca-43fe172d538d": "AcrPull",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd": "Cognitive Services OpenAI User",
    "b0d8363b-8ddd-447d-831f-62ca05bff136": "Monitoring Data Reader",
    "43d0d8ad-25c7-4714-9337-8ba259a9fe05": "Monitoring Reader",
    "22926164-76b3-42b3-bc55-97df8dab3e41": "Grafana Admin",
    "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b": "Azure Kubernetes Service RBAC Cluster Admin",
    "4d97b98b-1d4f-4787-a291-c67834d212e7": "Network Contributor",
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": "Reader",
}

# Modules whose family spans providers, because one is of no use without the other.
MIXED_FAMILIES = {
    "backup.bicep": {
        "Microsoft.DataProtection",
        "Microsoft.KubernetesConfiguration",
        "Microsoft.ContainerService",
    },
    "monitoring.bicep": {"Microsoft.OperationalInsights", "Microsoft.Monitor"},
    "prometheus.bicep": {"Microsoft.Insights", "Microsoft.AlertsManagement"},
}


def problems(text: str, name: str = "text.bicep") -> list[str]:
    return list(bicep.resource_problems(bicep.parse(text, bicep.INFRA / "modules" / name)))


@pytest.mark.parametrize("path", bicep.all_files(), ids=lambda path: path.name)
def test_bicep_file_names_only_types_versions_and_properties_that_exist(path: Path) -> None:
    assert list(bicep.resource_problems(bicep.read(path))) == []


@pytest.mark.parametrize("path", bicep.all_files(), ids=lambda path: path.name)
def test_bicep_file_uses_no_name_that_it_does_not_declare(path: Path) -> None:
    assert bicep.undeclared_names(bicep.read(path)) == set()


@pytest.mark.parametrize(
    ("file", "old", "new", "complaint"),
    [
        ("aks.bicep", "disableLocalAccounts:", "disableLocalAcounts:", "no such property"),
        ("aks.bicep", "networkDataplane: 'cilium'", "networkDataplane: 'calico'", "is not one of"),
        ("aks.bicep", "appRoutingIstio:", "appRoutingEnvoy:", "no such property"),
        ("aks.bicep", "managedClusters@2026-05-01' =", "managedClusters@2025-10-01' =", "is checked at"),
        ("gpupool.bicep", "count: minNodes", "provisioningState: 'x'", "only Azure sets it"),
        ("network.bicep", "destinationPortRanges: [", "destinationPortRange: [", "a list where"),
        ("redis.bicep", "port: 10000", "port: '10000'", "is not int"),
        ("redis.bicep", "'NoCluster'", "'NonCluster'", "is not one of"),
        ("postgres.bicep", "backupRetentionDays", "retentionDays", "no such property"),
        (
            "storage.bicep",
            "Microsoft.Storage/storageAccounts@",
            "Microsoft.Storage/accounts@",
            "no such resource",
        ),
        ("aca.bicep", "nfsAzureFile", "nfsFile", "no such property"),
        ("acaapps.bicep", "secretRef: setting.secret", "secretReference: setting.secret", "no such property"),
        ("backup.bicep", "objectType: 'AzureBackupRule'", "objectType: 'BackupRule'", "not one of"),
        ("backup.bicep", "includedNamespaces", "includeNamespaces", "no such property"),
        ("prometheus.bicep", "resolveConfiguration", "resolvedConfiguration", "no such property"),
        ("grafana.bicep", "? 'Enabled' : 'Disabled'", "? 'Enabled' : 'Off'", "is not one of"),
    ],
)
def test_checker_finds_a_slip_in_a_real_module(file: str, old: str, new: str, complaint: str) -> None:
    text = (bicep.INFRA / "modules" / file).read_text()
    assert old in text

    assert any(complaint in problem for problem in problems(text.replace(old, new, 1), file))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("location: location", "location: locaton"),
        ("'pe-${name}'", "'pe-${nmae}'"),
        ("id: networkId", "id: netwrokId"),
        ("privateDnsZoneId: zone.id", "privateDnsZoneId: empty(groupId) ? zone.id : zonne.id"),
    ],
)
def test_checker_finds_a_misspelt_name(old: str, new: str) -> None:
    text = (bicep.INFRA / "modules/endpoint.bicep").read_text()
    assert old in text

    assert bicep.undeclared_names(bicep.parse(text.replace(old, new, 1)))


@pytest.mark.parametrize("path", bicep.all_files(), ids=lambda path: path.name)
def test_bicep_file_describes_every_parameter_and_output(path: Path) -> None:
    file = bicep.read(path)
    for name, item in [*file.parameters.items(), *file.outputs.items()]:
        described = [mark["argument"] for mark in item["decorators"] if mark["type"] == "description"]
        assert described, f"{path.name}: {name} has no description"
        assert item["type"] in {"string", "int", "bool", "array", "object"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_module_holds_one_family_of_resources(path: Path) -> None:
    made = [one["type"] for one in bicep.read(path).resources.values() if not one["existing"]]
    families = {kind.split("/")[0] for kind in made} - {"Microsoft.Authorization"}

    assert len(families) <= 1 or families == MIXED_FAMILIES[path.name]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_module_uses_every_parameter_it_has(path: Path) -> None:
    file = bicep.read(path)
    unused = [name for name in file.parameters if len(re.findall(rf"\b{name}\b", file.text)) < 2]
    assert not unused


def test_main_only_wires() -> None:
    main = bicep.read(MAIN)

    assert [one["type"] for one in main.resources.values()] == ["Microsoft.Resources/resourceGroups"]
    assert {(bicep.INFRA / one["detail"]["path"]) for one in main.modules.values()} == set(MODULES)
    unused = [name for name in main.parameters if len(re.findall(rf"\b{name}\b", main.text)) < 2]
    assert not unused


def test_main_gives_every_module_the_parameters_it_has_and_no_others() -> None:
    main = bicep.read(MAIN)
    for symbol, call in main.modules.items():
        module = bicep.read(bicep.INFRA / call["detail"]["path"])
        given = set(bicep.body_of(call["config"])["params"])
        required = {name for name, one in module.parameters.items() if "default" not in one}

        assert given <= set(module.parameters), f"{symbol}: {given - set(module.parameters)}"
        assert required <= given, f"{symbol} lacks {required - given}"


def test_main_reads_only_outputs_that_modules_have() -> None:
    main = bicep.read(MAIN)
    read = re.findall(r"\b(\w+)\.outputs\.(\w+)", main.text)

    assert read
    for symbol, output in read:
        module = bicep.read(bicep.INFRA / main.modules[symbol]["detail"]["path"])
        assert output in module.outputs, f"{symbol} has no output {output}"


def test_secrets_go_only_into_secure_parameters_and_never_into_outputs() -> None:
    for path in bicep.all_files():
        file = bicep.read(path)
        secure = {name for name, one in file.parameters.items() if _is_secure(one)}
        for line in re.findall(r"^output .*$", file.text, re.MULTILINE):
            assert not re.search(r"listKeys|getSecret|list\w+\(", line), line
            assert not secure & set(re.findall(r"\w+", line)), line
        for symbol, call in file.modules.items():
            module = bicep.read(bicep.INFRA / call["detail"]["path"])
            for name, value in bicep.body_of(call["config"])["params"].items():
                if isinstance(value, str) and value in secure:
                    assert _is_secure(module.parameters[name]), f"{symbol}.{name} is not secure"


def _is_secure(parameter: dict[str, Any]) -> bool:
    return any(mark["type"] == "secure" for mark in parameter["decorators"])


@pytest.mark.parametrize("path", bicep.all_files(), ids=lambda path: path.name)
def test_bicep_file_gives_only_roles_whose_id_is_known(path: Path) -> None:
    ids = re.findall(r"'([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})'", path.read_text())
    assert set(ids) <= set(ROLES)


@pytest.mark.parametrize("path", PARAMETER_FILES, ids=lambda path: path.name)
def test_parameter_file_fits_the_parameters_of_main(path: Path) -> None:
    main = bicep.read(MAIN)
    values = {name: entry["value"] for name, entry in json.loads(path.read_text())["parameters"].items()}

    for name, value in values.items():
        declared = main.parameters[name]
        marks = {mark["type"]: mark.get("argument") for mark in declared["decorators"]}
        kinds = {"string": str, "int": int, "bool": bool, "array": list, "object": dict}
        assert type(value) is kinds[declared["type"]], name
        assert "secure" not in marks, f"{name} is a secret and does not belong into a file"
        assert value in marks.get("allowed", [value]), name
        assert (
            marks.get("min_value", 0) <= value <= marks.get("max_value", value)
            if type(value) is int
            else True
        )


def test_max_scenario_names_every_parameter_of_the_cluster() -> None:
    given = set(json.loads((bicep.INFRA / "scenarios/max.json").read_text())["parameters"])
    elsewhere = {
        "image",
        "embeddingsImage",
        "deployApps",
        "webMinReplicas",
        "webMaxReplicas",
        "workerMaxReplicas",
    }
    elsewhere |= {
        "gpuProfile",
        "modelImage",
        "modelName",
        "demoPostgresImage",
        "demoRedisImage",
        "demoProxyImage",
    }
    elsewhere |= {"postgresPassword", "djangoSecretKey"}

    assert given | elsewhere == set(bicep.read(MAIN).parameters)


@pytest.mark.parametrize("path", PARAMETER_FILES, ids=lambda path: path.name)
def test_parameter_file_names_gpu_pools_and_deployments_whole(path: Path) -> None:
    values = json.loads(path.read_text())["parameters"]
    for pool in values.get("gpuPools", {"value": []})["value"]:
        assert set(pool) == {"name", "vmSize", "spot", "min", "max"}
        assert re.fullmatch(r"[a-z][a-z0-9]{0,11}", pool["name"])
        assert 0 <= pool["min"] <= pool["max"]
        assert not (pool["spot"] and pool["min"]), "a spot pool may always be empty"
    for deployment in values.get("openAIDeployments", {"value": []})["value"]:
        assert set(deployment) == {"name", "model", "version", "sku", "capacity"}


def test_templates_name_nothing_that_is_retired() -> None:
    text = "".join(path.read_text() for path in bicep.all_files())

    assert "Microsoft.Cache/redis@" not in text
    assert "-preview'" not in text
    assert not re.search(r"NC\d+s_v3|NV\d+s_v[34]\b|kubenet|networkPolicy: 'azure'", text)
