"""`verify`, `benchmark` and `scale-test` against a small Parlour that speaks the product's API."""

import json

import pytest

from tests.infra.conftest import Estate, RunningHouse, answer, deployment
from tests.infra.test_estate import rules


@pytest.fixture
def running(estate: Estate, house: RunningHouse) -> Estate:
    estate.script(*rules(deployment(house.host)))
    estate.visits(house)
    return estate


def test_verify_of_a_whole_estate_checks_everything_and_leaves_no_document(
    running: Estate, house: RunningHouse
) -> None:
    done = running.run("--poll", "0.02", "verify")

    assert done.returncode == 0, done.stdout + done.stderr
    for line in (
        "ok       pods: 6 pods",
        "ok       pgvector: version 0.8.2",
        "skipped  GPU metrics: no GPU node runs",
        "ok       chat: quotes answered",
        "ok       cited answer: 1 chunks; the answer cites estate-verification.txt, page 1",
    ):
        assert line in done.stdout
    assert house.state["deleted"] == ["/api/v1/documents/d1"]
    assert house.state["asked"] == ["quotes", "character/odile"]


def test_verify_with_gpus_reads_their_metrics(running: Estate, house: RunningHouse) -> None:
    running.script(
        *rules(
            deployment(house.host),
            nodes={"match": "^kubectl get nodes", "stdout": answer("nodes-with-gpu.json")},
            exporters={"match": "^kubectl get pods .*dcgm-exporter", "stdout": answer("pods-dcgm.json")},
            metrics={
                "match": "^kubectl get --raw .*dcgm-exporter-9kqzs:9400",
                "stdout": answer("dcgm-metrics.txt"),
            },
        )
    )

    done = running.run("--poll", "0.02", "verify")

    assert "ok       GPU metrics: 1 GPUs" in done.stdout


def test_verify_of_a_broken_estate_names_each_thing_that_is_broken(
    running: Estate, house: RunningHouse
) -> None:
    running.script(
        *rules(
            deployment(house.host),
            pods={
                "match": "^kubectl get pods --namespace parlour --output",
                "stdout": answer("pods-failing.json"),
            },
            vector={"match": "exec .*pg_extension", "stdout": "0.7.4\n"},
            nodes={"match": "^kubectl get nodes", "stdout": answer("nodes-with-gpu.json")},
            metrics={"match": "^kubectl get --raw", "stdout": "# no samples\n"},
        )
    )
    house.state["is_broken"] = True

    done = running.run("--poll", "0.02", "verify")

    assert done.returncode == 1
    for line in (
        "FAILED   pods: not ready: parlour-web-6c9f7d5b4-2xk8p (CrashLoopBackOff)",
        "FAILED   pgvector: pgvector is 0.7.4",
        "FAILED   GPU metrics: the DCGM exporter reports no GPU",
        "FAILED   chat: POST /v1/chat/completions was answered with 503",
    ):
        assert line in done.stdout
    assert house.state["deleted"] == ["/api/v1/documents/d1"]


@pytest.mark.parametrize(
    ("state", "complaint"),
    [
        ({"cited": "It is heliotrope-4711."}, "does not cite the passage"),
        ({"cited": "I do not know. [1]"}, "the answer misses the document"),
        ({"is_found": False}, "search does not find the passage"),
        ({"document_status": "failed"}, "The document could not be read: unreadable"),
        ({"is_cut": True}, "the stream ended without its last event"),
    ],
)
def test_verify_is_not_content_with_less_than_a_cited_answer(
    running: Estate, house: RunningHouse, state: dict[str, object], complaint: str
) -> None:
    house.state.update(state)

    done = running.run("--poll", "0.02", "verify")

    assert done.returncode == 1
    assert complaint in done.stdout


def test_verify_makes_a_key_in_the_web_pod_when_none_is_given(running: Estate, house: RunningHouse) -> None:
    running.visits(house, key="")

    done = running.run("--poll", "0.02", "verify")

    assert done.returncode == 0, done.stdout
    assert running.call("create_api_key verify@estate.invalid --create-user")


def test_verify_of_a_house_without_users_makes_none(running: Estate, house: RunningHouse) -> None:
    running.visits(house, key="")
    running.script(
        *rules(deployment(house.host), users={"match": "exec .*User.objects.count", "stdout": "0\n"})
    )

    done = running.run("verify")

    assert done.returncode == 1
    assert "Nobody has signed up yet" in done.stdout
    assert not any("create_api_key" in command for command in running.commands)


def test_verify_on_container_apps_wants_a_key(running: Estate, house: RunningHouse) -> None:
    running.script(*rules(deployment(house.host, target="aca", clusterName="")))
    running.visits(house, key="")

    done = running.run("--environment", "aca", "verify")

    assert done.returncode == 1
    assert "put it into PARLOUR_API_KEY" in done.stdout


def test_benchmark_counts_answers_and_times_them(running: Estate, house: RunningHouse) -> None:
    done = running.run("benchmark", "--streams", "4", "--answers", "12")

    assert done.returncode == 0, done.stderr
    assert "answers          12, of which failed 0" in done.stdout
    assert "pieces           48 in" in done.stdout
    assert "first piece" in done.stdout
    assert len(house.state["asked"]) == 12


def test_benchmark_of_a_failing_model_fails_and_says_why(running: Estate, house: RunningHouse) -> None:
    house.state["is_broken"] = True

    done = running.run("benchmark", "--streams", "2", "--answers", "4")

    assert done.returncode == 1
    assert "of which failed 4" in done.stdout
    assert "the model is away" in done.stdout


def test_scale_test_reports_what_grew(running: Estate, house: RunningHouse) -> None:
    running.script(
        *rules(
            deployment(house.host),
            before={
                "match": "^kubectl get deployments",
                "stdout": answer("deployments-before.json"),
                "times": 1,
            },
            after={"match": "^kubectl get deployments", "stdout": answer("deployments-after.json")},
            sets={"match": "^kubectl get statefulsets", "stdout": json.dumps({"items": []})},
        )
    )

    done = running.run("--poll", "0.1", "scale-test", "--streams", "2", "--seconds", "1")

    assert done.returncode == 0, done.stderr
    assert "Before: nodes 2, parlour-web 2, parlour-worker-ingest 1" in done.stdout
    assert "grew             parlour-web 2 to 5" in done.stdout


def test_scale_test_without_growth_fails(running: Estate, house: RunningHouse) -> None:
    running.script(
        *rules(
            deployment(house.host),
            same={"match": "^kubectl get deployments", "stdout": answer("deployments-before.json")},
            sets={"match": "^kubectl get statefulsets", "stdout": json.dumps({"items": []})},
        )
    )

    done = running.run("--poll", "0.1", "scale-test", "--streams", "1", "--seconds", "1")

    assert done.returncode == 1
    assert "grew             nothing" in done.stdout
