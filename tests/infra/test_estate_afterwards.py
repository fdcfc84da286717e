"""estate.py for an estate that is there, against answers of az, kubectl and helm: look, stop, start, go back, end."""

import json
from typing import Any

import pytest

from tests.infra.conftest import Estate, RunningHouse, answer, deployment, recorded
from tests.infra.test_estate import FIRST_TIME, PAST, failing, rules


def test_status_names_pods_that_do_not_run_and_fails(estate: Estate) -> None:
    estate.script(
        *rules(
            deployment("localhost:1"),
            pods={"match": "^kubectl get pods", "stdout": answer("pods-failing.json")},
        )
    )

    done = estate.run("status")

    assert done.returncode == 1
    assert "parlour-web-6c9f7d5b4-2xk8p (CrashLoopBackOff)" in done.stdout
    assert "parlour-ollama-0 (Pending)" in done.stdout
    assert "localhost:1 does not answer" in done.stdout


def test_status_and_verify_do_not_stumble_over_pods_that_are_leaving_or_were_followed(
    estate: Estate, house: RunningHouse
) -> None:
    """After each upgrade old web pods drain for minutes; the pipeline must not roll back for them."""
    pods = {"match": "^kubectl get pods", "stdout": answer("pods-after-upgrade.json")}
    estate.script(*rules(deployment(house.host), pods=pods))
    estate.visits(house)

    done = estate.run("status")

    assert done.returncode == 0, done.stdout
    assert "not ready" not in done.stdout


def test_status_names_a_job_that_never_succeeded(estate: Estate, house: RunningHouse) -> None:
    items = json.loads(answer("pods-after-upgrade.json"))["items"]
    failed = [
        pod for pod in items if pod["status"]["phase"] == "Failed" and "preload" in pod["metadata"]["name"]
    ]
    pods = {"match": "^kubectl get pods", "stdout": json.dumps({"items": failed})}
    estate.script(*rules(deployment(house.host), pods=pods))
    estate.visits(house)

    done = estate.run("status")

    assert done.returncode == 1
    assert "parlour-preload-1a2b3c4d-7hq2x (Failed)" in done.stdout


def test_status_of_a_healthy_estate_counts_nodes_and_warns_of_gpus(
    estate: Estate, house: RunningHouse
) -> None:
    nodes = {"match": "^kubectl get nodes", "stdout": answer("nodes-with-gpu.json")}
    estate.script(*rules(deployment(house.host), nodes=nodes))
    estate.visits(house)

    done = estate.run("status")

    assert done.returncode == 0, done.stderr
    assert "2 in pool system" in done.stdout
    assert "1 run, and cost by the hour" in done.stdout


def test_status_of_an_estate_that_is_not_there_says_how_to_make_it(estate: Estate) -> None:
    estate.script(*rules(none=FIRST_TIME))

    done = estate.run("status")

    assert done.returncode == 1
    assert "There is no estate parlour-dev." in done.stderr


def test_stop_stops_cluster_and_database_and_says_what_goes_on_costing(estate: Estate) -> None:
    estate.script(
        *rules(
            kaito={"match": "^kubectl get workspaces", **recorded("kubectl", "no-resource-type")},
            stop={"match": "^az aks stop"},
            database={"match": "^az postgres flexible-server stop"},
        )
    )

    done = estate.run("stop")

    assert done.returncode == 0, done.stderr
    assert estate.call("aks stop")
    assert estate.call("flexible-server stop")
    assert "after 7 days" in done.stdout


def test_stop_of_a_stopped_estate_does_nothing(estate: Estate) -> None:
    estate.script(
        *rules(
            cluster={"match": "^az aks show", "stdout": "Stopped\n"},
            database={"match": "^az postgres flexible-server show", "stdout": "Stopped\n"},
        )
    )

    done = estate.run("stop")

    assert done.returncode == 0, done.stderr
    assert not any(" stop " in command for command in estate.commands)


def test_start_starts_the_database_before_the_cluster(estate: Estate) -> None:
    estate.script(
        *rules(
            cluster={"match": "^az aks show", "stdout": "Stopped\n"},
            database={"match": "^az postgres flexible-server show", "stdout": "Stopped\n"},
            starts_cluster={"match": "^az aks start"},
            starts_database={"match": "^az postgres flexible-server start"},
        )
    )

    done = estate.run("start")

    assert done.returncode == 0, done.stderr
    started = [command for command in estate.commands if " start " in command]
    assert "postgres" in started[0]
    assert "aks" in started[1]


def test_stop_on_container_apps_stops_each_app(estate: Estate) -> None:
    estate.script(
        *rules(
            deployment(target="aca", clusterName=""),
            group={"match": "^az group show", "stdout": "/subscriptions/1/resourceGroups/rg-parlour-apps\n"},
            apps={"match": "^az containerapp list", "stdout": '["web", "beat"]'},
            rest={"match": "^az rest --method post"},
            database={"match": "^az postgres flexible-server stop"},
        )
    )

    done = estate.run("--environment", "aca", "stop")

    assert done.returncode == 0, done.stderr
    posts = [command for command in estate.commands if "az rest" in command]
    assert [one.split("containerApps/")[1].split("?")[0] for one in posts] == ["web/stop", "beat/stop"]


def test_down_asks_for_the_name_and_does_nothing_without_it(estate: Estate) -> None:
    estate.script(*rules(group={"match": "^az group exists", "stdout": "true\n"}))

    for confirmation in ([], ["--confirm", "parlour-prod"]):
        done = estate.run("down", *confirmation)

        assert done.returncode == 1
        assert "Nothing was done" in done.stderr
    assert not any("delete" in command or "uninstall" in command for command in estate.commands)


def down_rules(**more: dict[str, Any]) -> list[dict[str, Any]]:
    return rules(
        **more,
        exists={"match": "^az group exists", "stdout": "true\n"},
        pools={"match": "^az aks nodepool list", "stdout": answer("nodepools-kaito.json")},
        kaito={
            "match": "^kubectl get workspaces",
            "stdout": '{"items": [{"metadata": {"name": "phi-4-mini"}}]}',
        },
        sets={"match": "^kubectl get inferencesets", **recorded("kubectl", "no-resource-type")},
        vault=failing("^az dataprotection backup-vault show", "az-backup-not-found.txt"),
        **{tool: {"match": f"^{tool} .* delete "} for tool in ("az", "kubectl")},
        purge={"match": "^az keyvault purge"},
    )


def test_down_finds_the_gpu_pool_that_kaito_left_behind(estate: Estate) -> None:
    estate.script(*down_rules())

    done = estate.run("down", "--confirm", "parlour-dev")

    assert done.returncode == 0, done.stderr
    assert "Deleting GPU pool wsf4e3e7a1b2, which KAITO left behind" in done.stdout
    deleted = [command for command in estate.commands if "nodepool delete" in command]
    assert len(deleted) == 1
    assert "t4spot" not in deleted[0]
    assert estate.happened_in_order(
        "get inferencesets.kaito.sh",
        "delete workspaces.kaito.sh",
        "uninstall",
        "nodepool delete",
        "az group delete",
    )


def test_down_keeping_azure_removes_application_and_left_over_pools_only(estate: Estate) -> None:
    estate.script(*down_rules())

    done = estate.run("down", "--confirm", "parlour-dev", "--keep-azure")

    assert done.returncode == 0, done.stderr
    assert estate.call("nodepool delete")
    assert estate.call("uninstall")
    assert not any("group delete" in command for command in estate.commands)


def test_down_ends_backup_protection_before_the_group(estate: Estate) -> None:
    estate.script(
        *down_rules(
            vault_there={"match": "^az dataprotection backup-vault show", "stdout": "bv-parlour-dev\n"},
            instances={"match": "^az dataprotection backup-instance list", "stdout": '["aks-parlour-dev"]'},
            keep_nothing={"match": "^az dataprotection backup-vault update"},
        )
    )

    done = estate.run("down", "--confirm", "parlour-dev")

    assert done.returncode == 0, done.stderr
    assert estate.happened_in_order("backup-vault update", "backup-instance delete", "az group delete")
    assert "--soft-delete-state Off" in estate.call("backup-vault update")["command"]


def test_down_of_an_unreachable_cluster_still_deletes_the_group(estate: Estate) -> None:
    estate.script(*down_rules(gone=failing("^az aks get-credentials", "kubectl-unreachable.txt")))

    done = estate.run("down", "--confirm", "parlour-dev")

    assert done.returncode == 0, done.stderr
    assert "could not be tidied" in done.stdout
    assert estate.call("group delete")


def test_down_of_nothing_says_so(estate: Estate) -> None:
    estate.script(*rules(group={"match": "^az group exists", "stdout": "false\n"}))

    done = estate.run("down", "--confirm", "parlour-dev")

    assert done.returncode == 0
    assert "nothing to delete" in done.stdout


@pytest.mark.parametrize("is_there", ["true", "false"], ids=["whole", "half gone already"])
def test_down_with_purge_purges_the_estates_vault_and_no_other(estate: Estate, is_there: str) -> None:
    estate.script(
        *down_rules(
            group={"match": "^az group exists", "stdout": is_there},
            deleted={"match": "^az keyvault list-deleted", "stdout": answer("vaults-deleted.json")},
        )
    )

    done = estate.run("down", "--confirm", "parlour-dev", "--purge")

    assert done.returncode == 0, done.stderr
    assert "--name kv-parlourdevk3v9qd" in estate.call("keyvault purge")["command"]


def test_down_frees_the_name_of_the_model_account_and_forgets_its_deployments(estate: Estate) -> None:
    estate.script(
        *down_rules(
            accounts={"match": "^az cognitiveservices account list", "stdout": '["oai-parlour-dev-k3v9qd"]'},
            purged={"match": "^az cognitiveservices account purge"},
        )
    )

    done = estate.run("down", "--confirm", "parlour-dev")

    assert done.returncode == 0, done.stderr
    assert estate.happened_in_order("account list", "az group delete", "account purge")
    forgotten = [command for command in estate.commands if "deployment sub delete" in command]
    assert [name for name in sorted(PAST) if name in " ".join(forgotten)] == sorted(PAST)


def test_wipe_data_asks_for_the_name_and_then_empties_everything(estate: Estate) -> None:
    estate.script(
        *rules(
            wipe={
                "match": "exec .*call_command",
                "stdout": "12 files and 345 Redis keys deleted, every table emptied\n",
            },
            restart={"match": "^kubectl .*rollout"},
        )
    )

    refused = estate.run("wipe-data")
    done = estate.run("wipe-data", "--confirm", "parlour-dev")

    assert refused.returncode == 1
    assert done.returncode == 0, done.stderr
    assert "345 Redis keys" in done.stdout
    assert sum("call_command" in command for command in estate.commands) == 1
    assert estate.call("rollout restart")


@pytest.mark.parametrize(("environment", "target"), [("aca", "aca"), ("demo", "aci")])
def test_wipe_data_without_a_cluster_says_what_to_do_instead(
    estate: Estate, environment: str, target: str
) -> None:
    estate.script(*rules(deployment(target=target, clusterName="")))

    done = estate.run("--environment", environment, "wipe-data", "--confirm", "x")

    assert done.returncode == 1
    assert "estate: On Container Apps" in done.stderr or "The demo keeps nothing" in done.stderr


def test_preload_sorts_models_by_kind_and_follows_the_job(estate: Estate) -> None:
    estate.script(
        *rules(
            running={"match": "^kubectl get jobs", "stdout": answer("jobs-preload-running.json"), "times": 1},
            done={"match": "^kubectl get jobs", "stdout": answer("jobs-preload-done.json")},
        )
    )

    done = estate.run("--poll", "0.05", "preload", "qwen3:8b", "Qwen/Qwen3-8B", "tiny.Q4_K_M.gguf")

    assert done.returncode == 0, done.stderr
    command = estate.call("helm --namespace parlour upgrade parlour")["command"]
    assert 'preload.ollama=["qwen3:8b"]' in command
    assert 'preload.huggingface=["Qwen/Qwen3-8B"]' in command
    assert 'preload.gguf=["tiny.Q4_K_M.gguf"]' in command
    assert "parlour-preload-1a2b3c4d is done." in done.stdout


def test_preload_that_fails_names_the_log(estate: Estate) -> None:
    estate.script(*rules(jobs={"match": "^kubectl get jobs", "stdout": answer("jobs-preload-failed.json")}))

    done = estate.run("preload")

    assert done.returncode == 1
    assert "logs job/parlour-preload-1a2b3c4d" in done.stderr


def test_rollback_goes_back_to_what_ran_and_not_to_an_upgrade_that_never_did(estate: Estate) -> None:
    """Revision 4 failed and was taken back as 5; 6 came up and is wrong: what ran before it is 5."""
    estate.script(*rules())

    done = estate.run("rollback")

    assert done.returncode == 0, done.stderr
    assert "rollback parlour 5 --wait" in estate.call("helm --namespace parlour rollback")["command"]


def test_rollback_of_the_first_release_says_that_there_is_none_before(estate: Estate) -> None:
    first = {"match": "^helm .*history", "stdout": '[{"revision": 1, "status": "deployed"}]'}
    estate.script(*rules(first=first))

    assert "no revision that ran before" in estate.run("rollback").stderr
    assert not any(" rollback " in command for command in estate.commands)


def test_rollback_works_on_a_cluster_only(estate: Estate) -> None:
    estate.script(*rules(deployment(target="aca", clusterName="")))
    assert "up --application-only --tag" in estate.run("--environment", "aca", "rollback").stderr
