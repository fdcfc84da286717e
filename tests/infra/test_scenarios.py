"""Every tier and scenario, evaluated as a deployment would: what is made, with values that Azure's types allow."""

import json
import re
from functools import cache
from typing import Any

import pytest

from tests.infra import bicep
from tests.infra.evaluate import Refused, Resource, Runtime, deploy

MAIN = bicep.INFRA / "main.bicep"
FILES = {
    path.stem: path for folder in ("params", "scenarios") for path in (bicep.INFRA / folder).glob("*.json")
}
SECRETS = {"postgresPassword": "p" * 48, "djangoSecretKey": "s" * 48}
IMAGES = {
    "image": "r.azurecr.io/parlour@sha256:1",
    "embeddingsImage": "r.azurecr.io/parlour-embeddings@sha256:2",
}

# What Azure allows as a name, by type (learn.microsoft.com, naming rules).
NAMES = {
    "Microsoft.Storage/storageAccounts": r"[a-z0-9]{3,24}",
    "Microsoft.KeyVault/vaults": r"[a-zA-Z][a-zA-Z0-9-]{1,22}[a-zA-Z0-9]",
    "Microsoft.ContainerRegistry/registries": r"[a-zA-Z0-9]{5,50}",
    "Microsoft.DBforPostgreSQL/flexibleServers": r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
    "Microsoft.Cache/redisEnterprise": r"[A-Za-z0-9][A-Za-z0-9-]{0,58}[A-Za-z0-9]",
    "Microsoft.Dashboard/grafana": r"[a-zA-Z][a-zA-Z0-9-]{0,21}[a-zA-Z0-9]",
    "Microsoft.ContainerService/managedClusters": r"[a-zA-Z0-9][\w-]{0,61}[a-zA-Z0-9]",
    "Microsoft.ContainerService/managedClusters/agentPools": r"[a-z][a-z0-9]{0,11}",
    "Microsoft.App/containerApps": r"[a-z][a-z0-9-]{0,30}[a-z0-9]",
    "Microsoft.CognitiveServices/accounts": r"[a-zA-Z0-9][a-zA-Z0-9-]{0,62}[a-zA-Z0-9]",
}


@cache
def estate(name: str, **changes: Any) -> tuple[tuple[Resource, ...], dict[str, Any]]:
    given = {key: entry["value"] for key, entry in json.loads(FILES[name].read_text())["parameters"].items()}
    resources, outputs = deploy(MAIN, given | changes | (SECRETS | IMAGES))
    return tuple(resources), outputs


def of_type(name: str, kind: str, **changes: Any) -> list[Resource]:
    return [one for one in estate(name, **changes)[0] if one.type == kind]


@pytest.mark.parametrize("name", sorted(FILES))
def test_scenario_makes_only_what_the_types_allow(name: str) -> None:
    """With real values in the place of parameters: sizes, modes and versions are looked at, too."""
    for resource in estate(name)[0]:
        body = {key: value for key, value in resource.body.items() if key not in bicep.META}
        kind = bicep.TYPES["resources"][resource.type]["body"]
        assert list(bicep.value_problems(_without_runtime(body), kind, resource.name)) == []


def _without_runtime(value: Any) -> Any:
    """Leave out what only Azure knows, and nulls, which are not sent."""
    if isinstance(value, dict):
        return {
            k: _without_runtime(v) for k, v in value.items() if v is not None and not isinstance(v, Runtime)
        }
    if isinstance(value, list):
        return [_without_runtime(item) for item in value if not isinstance(item, Runtime)]
    return value


@pytest.mark.parametrize("name", sorted(FILES))
def test_scenario_names_things_as_azure_allows(name: str) -> None:
    resources, _ = estate(name)
    for resource in resources:
        assert re.fullmatch(NAMES.get(resource.type, r".{1,260}"), resource.name), resource
    keys = [(r.type, r.name, str(r.body.get("parent")), str(r.body.get("scope"))) for r in resources]
    assert len(keys) == len(set(keys)), "two resources of one name"


@pytest.mark.parametrize("prefix", ["abc", "abcdefghi", "abcdefghij"])
@pytest.mark.parametrize("environment", ["qa", "staging", "training"])
def test_longest_and_shortest_names_are_names_that_azure_allows(prefix: str, environment: str) -> None:
    for resource in estate("max", prefix=prefix, environmentName=environment)[0]:
        assert re.fullmatch(NAMES.get(resource.type, r".{1,260}"), resource.name), resource


@pytest.mark.parametrize("name", sorted(FILES))
def test_scenario_gives_estate_every_output_it_reads(name: str) -> None:
    from operations.outputs import parse_outputs

    outputs = parse_outputs({key: {"value": value} for key, value in estate(name)[1].items()})
    assert outputs.hostName
    assert not any(secret in str(outputs) for secret in SECRETS.values())


@pytest.mark.parametrize("name", sorted(FILES))
def test_secrets_are_only_where_secrets_may_be(name: str) -> None:
    allowed = {"Microsoft.KeyVault/vaults/secrets", "Microsoft.DBforPostgreSQL/flexibleServers"}
    for resource in estate(name)[0]:
        text = json.dumps(resource.body)
        for secret in SECRETS.values():
            if secret in text and resource.type == "Microsoft.ContainerInstance/containerGroups":
                assert text.count(secret) == len(re.findall(rf'"secureValue": "[^"]*{secret}', text))
            elif secret in text:
                assert resource.type in allowed


@pytest.mark.parametrize("name", ["dev", "prod", "max", "aca"])
def test_data_has_no_public_address_in_any_tier(name: str) -> None:
    (server,) = of_type(name, "Microsoft.DBforPostgreSQL/flexibleServers")
    (cache_,) = of_type(name, "Microsoft.Cache/redisEnterprise")
    assert server.body["properties"]["network"]["publicNetworkAccess"] == "Disabled"
    assert cache_.body["properties"]["publicNetworkAccess"] == "Disabled"
    groups = {
        one.body["properties"]["privateLinkServiceConnections"][0]["properties"]["groupIds"][0]
        for one in of_type(name, "Microsoft.Network/privateEndpoints")
    }
    assert {"postgresqlServer", "redisEnterprise"} <= groups


def test_prod_closes_what_dev_leaves_open_to_identities() -> None:
    for kind in ("Microsoft.Storage/storageAccounts", "Microsoft.KeyVault/vaults"):
        assert {one.body["properties"]["publicNetworkAccess"] for one in of_type("prod", kind)} == {
            "Disabled"
        }
        assert "Enabled" in {one.body["properties"]["publicNetworkAccess"] for one in of_type("dev", kind)}


def test_prod_is_spread_over_zones_with_standbys_and_long_backups() -> None:
    (server,) = of_type("prod", "Microsoft.DBforPostgreSQL/flexibleServers")
    (cluster,) = of_type("prod", "Microsoft.ContainerService/managedClusters")
    assert server.body["properties"]["highAvailability"] == {"mode": "ZoneRedundant"}
    assert server.body["properties"]["backup"] == {"backupRetentionDays": 35, "geoRedundantBackup": "Enabled"}
    assert cluster.body["properties"]["agentPoolProfiles"][0]["availabilityZones"] == ["1", "2", "3"]
    assert cluster.body["properties"]["networkProfile"]["outboundType"] == "userAssignedNATGateway"
    assert of_type("prod", "Microsoft.DataProtection/backupVaults/backupInstances")


def test_gpu_pools_start_at_their_minimum_and_spot_ones_can_be_taken_away() -> None:
    pools = {
        one.name: one.body["properties"]
        for one in of_type("prod", "Microsoft.ContainerService/managedClusters/agentPools")
    }
    assert set(pools) == {"user", "a100", "a100spot"}
    assert (pools["a100spot"]["scaleSetPriority"], pools["a100spot"]["spotMaxPrice"]) == ("Spot", -1)
    assert pools["a100spot"]["minCount"] == pools["a100spot"]["count"] == 0
    assert pools["a100"]["scaleSetEvictionPolicy"] is None
    assert all("sku=gpu:NoSchedule" in pools[name]["nodeTaints"] for name in ("a100", "a100spot"))


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_cluster_has_one_way_in_and_no_nginx_beside_it(name: str) -> None:
    (cluster,) = of_type(name, "Microsoft.ContainerService/managedClusters")
    routing = cluster.body["properties"]["ingressProfile"]["webAppRouting"]
    assert routing["nginx"] == {"defaultIngressControllerType": "None"}
    assert routing["gatewayAPIImplementations"] == {"appRoutingIstio": {"mode": "Enabled"}}


def test_kaito_gets_nodes_of_a_system_that_it_runs_on() -> None:
    """https://learn.microsoft.com/azure/aks/ai-toolchain-operator, Limitations."""
    for name, system in {"dev": "AzureLinux", "max": "Ubuntu"}.items():
        (cluster,) = of_type(name, "Microsoft.ContainerService/managedClusters")
        assert {pool["osSKU"] for pool in cluster.body["properties"]["agentPoolProfiles"]} == {system}


def test_cluster_may_open_its_subnet_to_the_shares_that_its_driver_makes() -> None:
    """https://learn.microsoft.com/azure/aks/create-volume-azure-files: rights on network, rules and gateway."""
    for name, kinds in {"dev": 2, "prod": 3}.items():
        given = {
            str(one.body["scope"]).split()[0]
            for one in of_type(name, "Microsoft.Authorization/roleAssignments")
            if one.file == "network.bicep"
        }
        assert len(given) == kinds, given


def test_share_of_weights_wants_tls_of_who_can_speak_it() -> None:
    """Container Apps mounts NFS without, and an account that wants it answers `access denied`."""
    for name, is_wanted in {"prod": True, "aca": False}.items():
        (account,) = [
            one
            for one in of_type(name, "Microsoft.Storage/storageAccounts")
            if one.body["kind"] == "FileStorage"
        ]
        assert account.body["properties"]["supportsHttpsTrafficOnly"] is is_wanted
        assert account.body["properties"]["publicNetworkAccess"] == "Disabled"


def test_budget_stays_what_it_was_a_month_later() -> None:
    text = MAIN.read_text()
    (budget,) = of_type("max", "Microsoft.Consumption/budgets")

    assert "utcNow" not in text, (
        "a template that says something else each month is refused, and always drifts"
    )
    assert budget.body["properties"]["timePeriod"]["startDate"] == "2026-11-01"
    for notification in budget.body["properties"]["notifications"].values():
        assert notification["contactEmails"] or notification["contactRoles"]


def test_dev_runs_on_its_system_nodes() -> None:
    (cluster,) = of_type("dev", "Microsoft.ContainerService/managedClusters")
    assert cluster.body["properties"]["agentPoolProfiles"][0]["nodeTaints"] == []
    assert [one.name for one in of_type("dev", "Microsoft.ContainerService/managedClusters/agentPools")] == [
        "t4spot"
    ]


def test_alert_rules_are_the_charts_own() -> None:
    groups = of_type("prod", "Microsoft.AlertsManagement/prometheusRuleGroups")
    rules = {rule["alert"]: rule for one in groups for rule in one.body["properties"]["rules"]}
    assert rules["ParlourDown"]["for"] == "PT3M"
    assert rules["ParlourDown"]["severity"] == 1
    renamed = of_type("max", "Microsoft.AlertsManagement/prometheusRuleGroups")
    expressions = " ".join(rule["expression"] for one in renamed for rule in one.body["properties"]["rules"])
    assert 'namespace="chat"' in expressions
    assert 'namespace="parlour"' not in expressions
    for rule in rules.values():
        assert re.fullmatch(r"PT\d+[MH]", rule["for"])


def test_alerts_link_to_their_sections_where_a_runbook_is_named() -> None:
    page = (bicep.INFRA.parent / "docs" / "alerts.md").read_text()
    sections = {name.lower() for name in re.findall(r"^### (\w+)$", page, re.MULTILINE)}
    for name, is_linked in {"max": True, "prod": False}.items():
        groups = of_type(name, "Microsoft.AlertsManagement/prometheusRuleGroups")
        links = [
            rule["annotations"].get("runbook_url", "")
            for one in groups
            for rule in one.body["properties"]["rules"]
        ]
        assert all(link.partition("alerts.md#")[2] in sections for link in links) is is_linked
        assert any(links) is is_linked


def test_service_accounts_of_the_release_are_federated() -> None:
    kind = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials"
    subjects = {one.body["properties"]["subject"] for one in of_type("max", kind)}
    assert {"system:serviceaccount:chat:house", "system:serviceaccount:chat:house-migrate"} <= subjects


def test_container_apps_sleep_at_zero_but_beat() -> None:
    apps = {one.name: one.body["properties"] for one in of_type("aca", "Microsoft.App/containerApps")}
    assert set(apps) == {"web", "worker-ingest", "worker-default", "beat", "embeddings", "model"}
    smallest = {name: app["template"]["scale"]["minReplicas"] for name, app in apps.items()}
    assert {name for name, count in smallest.items() if count} == {"beat"}
    assert apps["model"]["workloadProfileName"] == "gpu"
    assert not of_type("aca", "Microsoft.ContainerService/managedClusters")


@pytest.mark.parametrize("is_with_apps", [True, False])
def test_container_apps_are_left_alone_until_the_job_has_run(is_with_apps: bool) -> None:
    assert of_type("aca", "Microsoft.App/jobs", deployApps=is_with_apps)
    assert bool(of_type("aca", "Microsoft.App/containerApps", deployApps=is_with_apps)) == is_with_apps


def test_demo_makes_a_group_and_nothing_that_outlives_it() -> None:
    kinds = {one.type.split("/")[0] for one in estate("demo")[0]}
    assert kinds == {"Microsoft.Resources", "Microsoft.ManagedIdentity", "Microsoft.ContainerRegistry",
                     "Microsoft.Authorization", "Microsoft.ContainerInstance"}  # fmt: skip
    (group,) = of_type("demo", "Microsoft.ContainerInstance/containerGroups")
    containers = {one["name"]: one["properties"] for one in group.body["properties"]["containers"]}
    assert [name for name, one in containers.items() if "ports" in one] == ["proxy"]
    requests = [one["resources"]["requests"] for one in containers.values()]
    # A group without a special quota: 4 cores and 16 GB.
    assert sum(one["cpu"] for one in requests) <= 4
    assert sum(one["memoryInGB"] for one in requests) <= 16


def test_azure_openai_is_asked_with_the_identity() -> None:
    (account,) = of_type("max", "Microsoft.CognitiveServices/accounts")
    assert account.body["properties"]["disableLocalAuth"] is True
    secrets = {
        one.name: one.body["properties"]["value"]
        for one in of_type("max", "Microsoft.KeyVault/vaults/secrets")
    }
    assert secrets["inference-api-key"] == "entra"
    assert estate("max")[1]["inferenceModels"] == "chat"


@pytest.mark.parametrize("target", ["aks", "aca", "aci"])
@pytest.mark.parametrize("name", ["defaults", "max"])
def test_smallest_and_largest_estate_deploy_on_every_target(name: str, target: str) -> None:
    resources, outputs = estate(name, target=target)
    assert resources
    assert outputs["target"] == target


@pytest.mark.parametrize("target", ["aks", "aca", "aci"])
def test_estate_deploys_before_there_is_an_image_and_without_new_secrets(target: str) -> None:
    resources, _ = deploy(MAIN, {"location": "westeurope", "target": target})
    assert not [
        one
        for one in resources
        if one.type in {"Microsoft.App/containerApps", "Microsoft.ContainerInstance/containerGroups"}
    ]
    assert {one.name for one in resources if one.type == "Microsoft.KeyVault/vaults/secrets"} <= {
        "redis-url",
        "redis-key",
    }


def test_evaluation_refuses_what_a_deployment_would() -> None:
    with pytest.raises(Refused, match="has no parameter nonsense"):
        deploy(MAIN, {"nonsense": 1})
    with pytest.raises(Refused, match="needs"):
        deploy(bicep.INFRA / "modules/redis.bicep", {})


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("'14'", "days is declared as int, and is '14'"),
        ("true", "days is declared as int, and is True"),
        ("3", "days is below its min_value: 3"),
        ("40", "days is above its max_value: 40"),
        ("7", ""),
    ],
)
def test_evaluation_refuses_a_parameter_that_its_module_does_not_take(
    tmp_path: Any, given: str, complaint: str
) -> None:
    (tmp_path / "part.bicep").write_text("@minValue(7)\n@maxValue(35)\nparam days int\noutput x int = days\n")
    whole = tmp_path / "whole.bicep"
    whole.write_text(
        f"module part 'part.bicep' = {{\n  name: 'p'\n  params: {{\n    days: {given}\n  }}\n}}\n"
        "output y int = part.outputs.x\n"
    )

    if complaint:
        with pytest.raises(Refused, match=complaint):
            deploy(whole, {})
    else:
        assert deploy(whole, {})[1] == {"y": 7}


def test_evaluation_refuses_the_output_of_a_module_that_is_not_there(tmp_path: Any) -> None:
    (tmp_path / "part.bicep").write_text("output x string = 'x'\n")
    whole = tmp_path / "whole.bicep"
    whole.write_text(
        "param on bool\n"
        "module part 'part.bicep' = if (on) {\n  name: 'p'\n  params: {}\n}\n"
        "output y string = part.outputs.x\n"
    )

    assert deploy(whole, {"on": True})[1] == {"y": "x"}
    with pytest.raises(Refused, match="part is not deployed here"):
        deploy(whole, {"on": False})
