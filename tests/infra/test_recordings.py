"""What the real tools said, played to estate.py: it understands healthy pods, an upgrade half done, and each refusal.

And the answers that are still written by hand hold only what Kubernetes and Azure know.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from operations.cluster import not_ready
from operations.tools import explain
from tests.helm import kubernetes
from tests.infra import bicep, record
from tests.infra.conftest import (
    ANSWERS,
    RECORDINGS,
    Estate,
    RunningHouse,
    answer,
    deployment,
    recorded,
    recordings,
    unknown_to_az,
)
from tests.infra.test_estate import rules

BY_HAND = sorted(ANSWERS.glob("*.json"))


def items(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(recorded("kubectl", name)["stdout"])["items"]
    return found


def test_every_recording_says_what_was_recorded_where_and_when() -> None:
    for path in RECORDINGS.glob("*.json"):
        content = recordings(path.stem)
        assert re.match(r"v?\d+\.\d+", content["version"]), path.name
        assert re.fullmatch(r"20\d\d-\d\d-\d\d", content["recorded"])
        assert content["circumstances"]
        for name, one in content["answers"].items():
            if path.stem != "az-commands":
                assert set(one) == {"command", "rc", "stdout", "stderr"}, name


@pytest.mark.parametrize(
    ("match", "tool", "name", "meaning", "remedy"),
    [
        ("^az account show", "az", "not-signed-in", "not signed in", "az login"),
        ("^az deployment sub list", "az", "list-not-signed-in", "not signed in", "az login"),
        ("^kubectl apply", "kubectl", "refused", "cluster does not answer", "authorizedIpRanges"),
        ("^kubectl apply", "kubectl", "no-kubeconfig", "cluster does not answer", "estate.py start"),
        ("^kubectl apply", "kubectl", "forbidden", "lack the right", "adminGroupObjectIds"),
        ("^kubectl apply", "kubectl", "unauthorized", "does not accept who you are", "az login"),
        ("^kubectl apply", "kubectl", "no-kind", "does not know a kind", "enableKeda"),
        ("^helm .*upgrade parlour ", "helm", "refused", "cluster does not answer", "authorizedIpRanges"),
    ],
)
def test_up_names_the_remedy_of_a_recorded_failure(
    estate: Estate, match: str, tool: str, name: str, meaning: str, remedy: str
) -> None:
    estate.script(*rules(broken={"match": match, **recorded(tool, name)}))

    done = estate.run("up")

    assert done.returncode == 1
    assert meaning in done.stderr
    assert remedy in done.stderr


def test_what_kubectl_logs_on_its_way_is_left_out_and_its_answer_is_not() -> None:
    problem = explain(("kubectl", "get", "pods"), recorded("kubectl", "refused")["stderr"])

    assert "memcache.go" not in problem.what
    assert "The connection to the server 127.0.0.1:1 was refused" in problem.what


def test_a_chart_for_newer_clusters_is_refused_in_helms_own_words() -> None:
    problem = explain(("helm", "upgrade"), recorded("helm", "old-cluster")["stderr"])

    assert "chart requires kubeVersion: >=1.34.0-0" in problem.what


def test_status_takes_recorded_pods_that_are_ready(estate: Estate, house: RunningHouse) -> None:
    pods = {"match": "^kubectl get pods", **recorded("kubectl", "pods-ready")}
    nodes = {"match": "^kubectl get nodes", **recorded("kubectl", "nodes")}
    kinds = {"match": "^kubectl get workspaces", **recorded("kubectl", "no-resource-type")}
    estate.script(*rules(deployment(house.host), pods=pods, nodes=nodes, kinds=kinds))
    estate.visits(house)

    done = estate.run("status")

    assert done.returncode == 0, done.stdout
    assert "2 pods" in done.stdout
    assert "not ready" not in done.stdout


def test_recorded_pods_that_wait_fail_or_leave_are_told_apart() -> None:
    old_and_new = [
        pod["metadata"]["name"] for pod in items("pods-upgrading") if "-web-" in pod["metadata"]["name"]
    ]

    assert [reason.partition(" ")[2] for reason in not_ready(items("pods-pending"))] == ["(Pending)"] * 2
    assert len(old_and_new) == 2
    assert not_ready(items("pods-upgrading")) == []
    assert sorted(reason.partition(" ")[2] for reason in not_ready(items("pods-failing"))) == [
        "(CrashLoopBackOff)",
        "(ImagePullBackOff)",
    ]


def test_recorded_job_that_was_tried_again_is_fine_and_one_that_gave_up_is_not() -> None:
    (given_up,) = not_ready(items("pods-of-jobs"))

    assert given_up.startswith("given-up-")
    ended = {job["metadata"]["name"]: job["status"] for job in items("jobs-ended")}
    assert ended["retried"]["succeeded"] == 1
    assert [one["type"] for one in ended["given-up"]["conditions"] if one["status"] == "True"] == ["Failed"]


def test_real_az_knows_every_command_that_estate_gives_it() -> None:
    grammar = recordings("az-commands")["answers"]

    assert set(record.az_commands()) == set(grammar), "python -m tests.infra.record --az AZ"
    unknown = {command.split()[0] for command, arguments in grammar.items() if arguments is None}
    assert unknown == {"dataprotection", "grafana"}, "commands of extensions, which PyPI does not have"


def test_checker_sees_what_az_would_refuse() -> None:
    def problems(line: str) -> list[str]:
        return list(unknown_to_az(line.split()))

    assert problems("aks show --resource-group g --name n --query id") == []
    assert problems("aks show --group g --name n") == [
        "aks show: no option --group",
        "aks show: --resource-group is not given",
    ]
    assert problems("vm destroy --name n") == ["no such command: vm destroy"]


def objects_by_hand() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in BY_HAND:
        content = json.loads(path.read_text())
        if isinstance(content, dict) and content.get("kind") == "List":
            yield from ((path.name, one) for one in content["items"])


def test_kubernetes_knows_every_field_of_the_answers_written_by_hand() -> None:
    """They are cut to what estate.py reads, so required fields may be missing; none may be invented or mistyped."""
    found = list(objects_by_hand())

    assert {one["kind"] for _, one in found} >= {"Pod", "Node", "Job", "Deployment"}
    for name, one in found:
        problems = [p for p in kubernetes.problems(one, "1.36") if not p.endswith("is a required property")]
        assert problems == [], name


def test_azure_knows_every_field_of_a_node_pool_written_by_hand() -> None:
    """az shows a resource with its properties beside its name, and adds the resource group."""
    kind = bicep.TYPES["classes"]["containerservice.AgentPoolManagedClusterAgentPoolProfileProperties"]
    fields = {"id", "name", "type", "resourceGroup", *kind["properties"], *kind["read_only"]}

    for pool in json.loads(answer("nodepools-kaito.json")):
        assert set(pool) <= fields
