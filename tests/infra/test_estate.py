"""`estate.py up` against answers of az, kubectl and helm: what it runs, says and refuses."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.infra.conftest import Estate, RunningHouse, answer, deployment

GROUP = "/subscriptions/1/resourceGroups/rg-parlour-dev"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-parlourdevk3v9qd/secrets"
# Deployments that succeeded, as `az deployment sub list` lists them: in no order.
PAST = ["parlour-dev-20261120090000", "parlour-dev-20261101120000"]
DIGEST = "sha256:" + "a1" * 32
EMBEDDINGS_DIGEST = "sha256:" + "b2" * 32


def rules(outputs: dict[str, Any] | None = None, **more: dict[str, Any]) -> list[dict[str, Any]]:
    """A healthy estate on a cluster; the keyword rules come first and so win."""
    outputs = outputs or deployment()
    shown = json.dumps({"properties": {"outputs": outputs}})
    return [
        *more.values(),
        {"match": "^az account show", "stdout": '{"name": "Team", "state": "Enabled"}'},
        {"match": "^az deployment sub list .*Running", "stdout": "[]"},
        {"match": "^az deployment sub list .*Failed", "stdout": "[]"},
        {"match": "^az deployment sub list .*Succeeded", "stdout": json.dumps(PAST)},
        {"match": "^az deployment sub show", "stdout": shown},
        {"match": "^az keyvault list-deleted", "stdout": "[]"},
        {"match": "^az cognitiveservices account list", "stdout": "[]"},
        {"match": "^az deployment sub create", "stdout": json.dumps(outputs)},
        {"match": "^az resource show .*database-url", "stdout": f"{VAULT}/database-url"},
        {"match": "^az resource show .*secret-key", "stdout": f"{VAULT}/secret-key"},
        {"match": "^az group show", "stdout": f"{GROUP}\n"},
        {"match": "^git .*rev-parse", "stdout": "0123456789ab\n"},
        {"match": "^git .*status", "stdout": ""},
        {"match": "^az acr repository show .*parlour:", "stdout": f"{DIGEST}\n"},
        {"match": "^az acr repository show .*embeddings:", "stdout": f"{EMBEDDINGS_DIGEST}\n"},
        {"match": "^az aks get-credentials"},
        {"match": "^kubelogin "},
        {"match": "^az aks show", "stdout": "Running\n"},
        {"match": "^az postgres flexible-server show", "stdout": "Ready\n"},
        {"match": "^kubectl get nodes", "stdout": answer("nodes-without-gpu.json")},
        {"match": "^kubectl get pods", "stdout": answer("pods-ready.json")},
        {"match": "exec .*pg_extension", "stdout": "0.8.2\n"},
        {"match": "exec .*User.objects.count", "stdout": "3\n"},
        {"match": "exec .*create_api_key", "stdout": "key-of-the-test\n"},
        {"match": "^kubectl apply"},
        {"match": "^helm .*history", "stdout": answer("helm-history.json")},
        {"match": "^helm "},
    ]  # fmt: skip


def failing(match: str, recorded: str) -> dict[str, Any]:
    return {"match": match, "stderr": answer(recorded), "rc": 1}


FIRST_TIME = {"match": "^az deployment sub list", "stdout": "[]"}


def test_up_from_nothing_deploys_builds_installs_and_says_where_everything_is(
    estate: Estate, house: RunningHouse
) -> None:
    missing = {"stderr": answer("az-image-not-found.txt"), "rc": 1, "times": 1}
    estate.script(
        *rules(
            deployment(house.host),
            first=FIRST_TIME,
            app={"match": "^az acr repository show .*parlour:", **missing},
            embeddings={"match": "^az acr repository show .*embeddings:", **missing},
            build={"match": "^az acr build"},
        )
    )
    estate.visits(house)

    done = estate.run("--poll", "0.1", "up")

    assert done.returncode == 0, done.stderr
    assert f"Parlour        https://{house.host}/" in done.stdout
    assert "whoever signs up first becomes the administrator" in done.stdout
    assert "Key Vault kv-parlourdevk3v9qd" in done.stdout
    builds = [command for command in estate.commands if "acr build" in command]
    assert [("--target application" in one, "--target embeddings" in one) for one in builds] == [
        (True, False),
        (False, True),
    ]
    assert estate.happened_in_order(
        "sub create", "acr build", "get-credentials", "cert-manager", "upgrade parlour "
    )


def test_up_hands_new_secrets_over_in_a_private_file_and_nowhere_else(
    estate: Estate, house: RunningHouse
) -> None:
    estate.script(*rules(deployment(house.host), first=FIRST_TIME))
    estate.visits(house)

    done = estate.run("--poll", "0.1", "up")

    (handed,) = estate.given("sub create")
    given = handed["values"]
    assert set(given) == {"postgresPassword", "djangoSecretKey"}
    assert handed["mode"] == "0o600"
    for secret in given.values():
        assert len(secret) >= 40
        assert secret not in done.stdout + done.stderr
        assert not any(secret in command for command in estate.commands)
    assert not list(estate.home.glob("estate-*.json"))


def test_up_again_leaves_secrets_alone_and_builds_nothing_twice(estate: Estate, house: RunningHouse) -> None:
    estate.script(*rules(deployment(house.host)))
    estate.visits(house)

    done = estate.run("--poll", "0.1", "up")

    assert done.returncode == 0, done.stderr
    assert estate.given("sub create")[0]["values"] == {}
    assert not any("acr build" in command for command in estate.commands)


def test_up_after_a_failed_one_changes_no_secret(estate: Estate, house: RunningHouse) -> None:
    """The estate runs on: its pods hold the password that is in the vault."""
    failed = {"match": "^az deployment sub list .*Failed", "stdout": '["parlour-dev-20261121101500"]'}
    estate.script(*rules(deployment(house.host), failed=failed))
    estate.visits(house)

    done = estate.run("--poll", "0.1", "up")

    assert done.returncode == 0, done.stderr
    assert estate.given("sub create")[0]["values"] == {}
    assert "sub show --name parlour-dev-20261120090000" in " ".join(estate.commands)


def test_up_gives_each_deployment_a_name_of_its_own(estate: Estate, house: RunningHouse) -> None:
    estate.script(*rules(deployment(house.host)))
    estate.visits(house)

    estate.run("--poll", "0.1", "up")

    name = re.search(r"sub create --name (\S+)", estate.call("sub create")["command"])
    assert name
    assert re.fullmatch(r"parlour-dev-\d{14}", name[1])


def test_up_waits_for_the_deployment_of_one_that_was_interrupted(estate: Estate, house: RunningHouse) -> None:
    running = {
        "match": "^az deployment sub list .*Running",
        "stdout": '["parlour-dev-20261121101500"]',
        "times": 2,
    }
    estate.script(*rules(deployment(house.host), running=running))
    estate.visits(house)

    done = estate.run("--poll", "0.05", "up")

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Waiting for the deployment parlour-dev-20261121101500") == 2


def test_up_after_down_brings_the_deleted_vault_back(estate: Estate, house: RunningHouse) -> None:
    estate.script(
        *rules(
            deployment(house.host),
            first=FIRST_TIME,
            deleted={"match": "^az keyvault list-deleted", "stdout": answer("vaults-deleted.json")},
            group={"match": "^az group create"},
            recover={"match": "^az keyvault recover"},
        )
    )
    estate.visits(house)

    done = estate.run("--poll", "0.1", "up")

    assert done.returncode == 0, done.stderr
    assert "--name kv-parlourdevk3v9qd" in estate.call("keyvault recover")["command"]
    assert estate.happened_in_order("group create", "keyvault recover", "sub create")


def test_up_says_beforehand_that_nobody_may_sign_in_to_the_cluster(
    estate: Estate, house: RunningHouse
) -> None:
    estate.script(*rules(deployment(house.host)))
    estate.visits(house)

    assert "adminGroupObjectIds is empty" in estate.run("--poll", "0.1", "up").stdout


def test_up_takes_tested_images_by_digest_and_builds_none(estate: Estate, house: RunningHouse) -> None:
    lacks = {"stderr": answer("az-image-not-found.txt"), "rc": 1, "times": 1}
    registry = (
        "/subscriptions/1/resourceGroups/rg-parlour-dev/providers/Microsoft.ContainerRegistry/registries/r"
    )
    estate.script(
        *rules(
            deployment(house.host),
            app={"match": "^az acr repository show .*parlour:", **lacks},
            embeddings={"match": "^az acr repository show .*embeddings:", **lacks},
            registry={"match": "^az acr show", "stdout": f"{registry}\n"},
            take={"match": "^az acr import"},
        )
    )
    estate.visits(house)

    done = estate.run(
        "-e", "prod", "--poll", "0.1", "up", "--application-only", "--tag", "1.2", "--images-from", "dev"
    )

    assert done.returncode == 0, done.stderr
    assert not any("acr build" in command for command in estate.commands)
    taken = [command for command in estate.commands if "acr import" in command]
    assert len(taken) == 2
    assert f"--registry {registry}" in taken[0]
    assert f"--source parlour@{DIGEST} --image parlour:1.2" in taken[0]
    assert json.loads(estate.call("upgrade parlour ")["stdin"])["image"]["digest"] == DIGEST


def test_up_refuses_images_that_were_never_tested(estate: Estate) -> None:
    lacks = {"match": "^az acr repository show", "stderr": answer("az-image-not-found.txt"), "rc": 1}
    estate.script(*rules(lacks=lacks))

    done = estate.run("-e", "prod", "up", "--application-only", "--tag", "1.2", "--images-from", "dev")

    assert done.returncode == 1
    assert "it did not run in parlour-dev" in done.stderr
    assert not any("helm" in command for command in estate.commands)


def test_up_makes_only_the_secret_that_the_vault_lacks(estate: Estate, house: RunningHouse) -> None:
    gone = failing("^az resource show .*database-url", "az-resource-not-found.txt")
    estate.script(*rules(deployment(house.host), gone=gone))
    estate.visits(house)

    estate.run("--poll", "0.1", "up")

    assert set(estate.given("sub create")[0]["values"]) == {"postgresPassword"}


def test_up_gives_the_chart_images_by_digest_and_no_secret(estate: Estate, house: RunningHouse) -> None:
    estate.script(*rules(deployment(house.host)))
    estate.visits(house)

    estate.run("--poll", "0.1", "up")

    values = json.loads(estate.call("upgrade parlour ")["stdin"])
    assert values["image"] == {"repository": "parlourdevk3v9qd.azurecr.io/parlour", "digest": DIGEST}
    assert values["embeddings"]["image"]["digest"] == EMBEDDINGS_DIGEST
    assert values["secrets"]["keyVault"]["name"] == "kv-parlourdevk3v9qd"
    assert "--atomic --wait" in estate.call("upgrade parlour ")["command"]
    assert "values-dev.yaml" in estate.call("upgrade parlour ")["command"]


def test_up_mounts_the_share_with_models_where_the_estate_has_one(
    estate: Estate, house: RunningHouse
) -> None:
    outputs = deployment(house.host, modelShareHost="md1.file.core.windows.net", modelSharePath="/md1/models")
    estate.script(*rules(outputs))
    estate.visits(house)

    estate.run("--poll", "0.1", "up")

    applied = [
        item
        for call in estate.calls
        if "kubectl apply" in call["command"]
        for item in json.loads(call["stdin"])["items"]
    ]
    volume = next(item for item in applied if item["kind"] == "PersistentVolume")
    assert volume["spec"]["csi"]["volumeAttributes"]["encryptInTransit"] == "true"
    assert (
        json.loads(estate.call("upgrade parlour ")["stdin"])["models"]["existingClaim"]
        == "parlour-model-share"
    )


def test_up_with_a_certificate_of_its_own_installs_no_issuer(estate: Estate, house: RunningHouse) -> None:
    estate.script(*rules(deployment(house.host)))
    estate.visits(house)

    estate.run("--poll", "0.1", "up", "--certificate", "https://kv.vault.azure.net/certificates/chat")

    assert not any("cert-manager" in command for command in estate.commands)
    gateway = json.loads(estate.call("upgrade parlour ")["stdin"])["gateway"]
    assert gateway["tls"] == {"keyVaultCertificateUri": "https://kv.vault.azure.net/certificates/chat"}


def test_up_with_a_failing_release_says_so_and_gives_no_url(estate: Estate) -> None:
    estate.script(*rules(release=failing("^helm .*upgrade parlour ", "helm-timeout.txt")))

    done = estate.run("up")

    assert done.returncode == 1
    assert "rolled back" in done.stderr
    assert "is up" not in done.stdout


def test_up_whose_address_stays_silent_points_to_the_reasons(estate: Estate) -> None:
    estate.script(*rules(deployment("localhost:1")))

    done = estate.run("--poll", "0.1", "up", "--wait", "0")

    assert done.returncode == 1
    assert "https://localhost:1 does not answer yet" in done.stderr


@pytest.mark.parametrize(
    ("match", "recorded", "meaning", "remedy"),
    [
        (
            "^az deployment sub create",
            "az-no-role-right.txt",
            "may not give roles",
            "Role Based Access Control",
        ),
        ("^az deployment sub create", "az-no-quota.txt", "quota", "az vm list-usage"),
        ("^az deployment sub create", "az-sku.txt", "not to be had in this region", "az vm list-skus"),
        ("^helm .*upgrade parlour ", "helm-no-kind.txt", "does not know a kind", "enableKeda"),
        ("^kubectl apply", "kubectl-unreachable.txt", "cluster does not answer", "authorizedIpRanges"),
        ("^kubectl apply", "kubectl-forbidden.txt", "lack the right", "adminGroupObjectIds"),
    ],
)
def test_up_names_the_remedy_of_a_failure(
    estate: Estate, match: str, recorded: str, meaning: str, remedy: str
) -> None:
    estate.script(*rules(broken=failing(match, recorded)))

    done = estate.run("up")

    assert done.returncode == 1
    assert meaning in done.stderr
    assert remedy in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("tool", "remedy"), [("az", "Azure CLI"), ("kubelogin", "install-cli"), ("helm", "helm.sh")]
)
def test_up_without_a_tool_says_which_and_how_to_get_it(estate: Estate, tool: str, remedy: str) -> None:
    estate.script(*rules())
    estate.remove(tool)

    done = estate.run("up")

    assert done.returncode == 1
    assert f"Not installed: {tool}." in done.stderr
    assert remedy in done.stderr


def test_up_in_a_disabled_subscription_stops_before_anything_else(estate: Estate) -> None:
    estate.script(
        *rules(account={"match": "^az account show", "stdout": '{"name": "Old", "state": "Disabled"}'})
    )

    done = estate.run("up")

    assert "Old is Disabled" in done.stderr
    assert len(estate.calls) == 1


@pytest.mark.parametrize("command", [
    ["up"], ["up", "--what-if"], ["status"], ["verify"], ["preload", "qwen3:8b"], ["scale-test"], ["benchmark"],
    ["wipe-data", "--confirm", "parlour-dev"], ["stop"], ["start"], ["down", "--confirm", "parlour-dev", "--purge"],
])  # fmt: skip
@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_dry_run_of_any_command_runs_nothing_at_all(
    estate: Estate, command: list[str], environment: str
) -> None:
    command = [word.replace("parlour-dev", f"parlour-{environment}") for word in command]

    done = estate.run("--environment", environment, "--dry-run", *command)

    assert done.returncode == 0, done.stderr
    assert estate.calls == []
    assert not (estate.home / ".cache").exists()


@pytest.mark.parametrize("environment", ["aca", "demo"])
def test_dry_run_of_up_knows_the_targets_without_a_cluster(estate: Estate, environment: str) -> None:
    done = estate.run("--environment", environment, "--dry-run", "up")

    assert done.returncode == 0, done.stderr
    assert "az deployment sub create" in done.stdout
    assert "kubectl" not in done.stdout


def test_up_on_container_apps_migrates_before_the_apps_change(estate: Estate, house: RunningHouse) -> None:
    outputs = deployment(house.host, target="aca", clusterName="")
    estate.script(
        *rules(
            outputs,
            start={"match": "containerapp job start", "stdout": "migrate-8x2kq\n"},
            running={"match": "job execution show", "stdout": "Running\n", "times": 1},
            succeeded={"match": "job execution show", "stdout": "Succeeded\n"},
        )
    )
    estate.visits(house)

    done = estate.run("--environment", "aca", "--poll", "0.05", "up")

    assert done.returncode == 0, done.stderr
    steps = [command for command in estate.commands if "sub create" in command or "job start" in command]
    assert ["job start" in command for command in steps] == [False, False, True, False]
    given = [one["values"] for one in estate.given("sub create")]
    assert given[1]["deployApps"] is False
    assert "deployApps" not in given[2]
    assert given[2]["image"].endswith(DIGEST)


def test_up_on_container_apps_leaves_the_apps_when_the_migration_fails(estate: Estate) -> None:
    estate.script(
        *rules(
            deployment(target="aca", clusterName=""),
            start={"match": "containerapp job start", "stdout": "migrate-8x2kq\n"},
            failed={"match": "job execution show", "stdout": "Failed\n"},
        )
    )

    done = estate.run("--environment", "aca", "up")

    assert done.returncode == 1
    assert "the apps were left as they are" in done.stderr
    assert sum("sub create" in command for command in estate.commands) == 2


def test_up_of_the_demo_makes_fresh_secrets_each_time(estate: Estate, house: RunningHouse) -> None:
    estate.script(*rules(deployment(house.host, target="aci", clusterName="", vaultName="")))
    estate.visits(house)

    done = estate.run("--environment", "demo", "--poll", "0.1", "up")

    assert done.returncode == 0, done.stderr
    given = estate.given("sub create")[-1]["values"]
    assert set(given) == {"image", "embeddingsImage", "postgresPassword", "djangoSecretKey"}


def test_estate_refuses_a_parameter_file_it_cannot_use(estate: Estate, tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    for text, complaint in [
        ("nonsense", "is not a parameter file"),
        ('{"parameters": {"prefix": {"value": "Parlour House"}}}', "cannot be an estate's name"),
        ('{"parameters": {}}', "names no location"),
        (
            '{"parameters": {"location": {"value": "westeurope"}, "budgetAmount": {"value": 100}}}',
            "a budget without budgetStartDate",
        ),
    ]:
        bad.write_text(text)
        assert complaint in estate.run("--parameters", str(bad), "status").stderr
    assert "Known environments: aca, demo, dev, prod" in estate.run("--environment", "moon", "status").stderr


def test_estate_uses_the_subscription_that_is_named(estate: Estate) -> None:
    estate.script(*rules(none=FIRST_TIME))

    estate.run("--subscription", "Team B", "status")

    assert "--subscription Team B" in estate.commands[0]


def test_up_of_the_application_alone_leaves_azure_as_it_is(estate: Estate, house: RunningHouse) -> None:
    estate.script(*rules(deployment(house.host)))
    estate.visits(house)

    done = estate.run("--poll", "0.1", "up", "--application-only", "--tag", "1.2.3")

    assert done.returncode == 0, done.stderr
    assert not any("sub create" in command for command in estate.commands)
    assert (
        "parlour:1.2.3" in estate.call("repository show --name parlourdevk3v9qd --image parlour:")["command"]
    )
    assert estate.call("upgrade parlour ")


def test_what_if_fails_on_drift_and_ignores_what_azure_cannot_tell(estate: Estate) -> None:
    changes = [
        {"changeType": kind, "resourceId": f"/x/{kind.lower()}"}
        for kind in ("Modify", "NoChange", "Unsupported")
    ]
    drifted = {"match": "^az deployment sub what-if", "stdout": json.dumps({"changes": changes}), "times": 1}
    same = {"match": "^az deployment sub what-if", "stdout": json.dumps({"changes": changes[1:]})}
    estate.script(*rules(drifted=drifted, same=same))

    first = estate.run("up", "--what-if", "--fail-on-change")
    second = estate.run("up", "--what-if", "--fail-on-change")

    assert (first.returncode, second.returncode) == (1, 0)
    assert "Modify /x/modify" in first.stdout
    assert "1 resources differ" in first.stdout
    assert "Azure is as the templates say." in second.stdout


def test_up_imports_the_dashboards_where_there_is_a_grafana(estate: Estate, house: RunningHouse) -> None:
    outputs = deployment(house.host, grafanaName="graf-x", grafanaUrl="https://graf-x.weu.grafana.azure.com")
    estate.script(*rules(outputs, imports={"match": "^az grafana dashboard import"}))
    estate.visits(house)

    done = estate.run("--poll", "0.1", "up")

    assert done.returncode == 0, done.stderr
    imported = [command for command in estate.commands if "grafana dashboard import" in command]
    assert len(imported) == 4
    assert "Grafana        https://graf-x.weu.grafana.azure.com" in done.stdout


def test_up_without_a_right_in_grafana_goes_on(estate: Estate, house: RunningHouse) -> None:
    refused = failing("^az grafana dashboard import", "kubectl-forbidden.txt")
    estate.script(*rules(deployment(house.host, grafanaName="graf-x"), imports=refused))
    estate.visits(house)

    done = estate.run("--poll", "0.1", "up")

    assert done.returncode == 0, done.stderr
    assert "was not imported" in done.stdout
    assert "parlour-dev is up." in done.stdout
