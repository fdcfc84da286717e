"""Values: what Helm refuses and in which words, that every key is described, and that nothing secret is in them."""

import json
import re
from collections.abc import Iterator
from typing import Any

import helm_python
import pytest
import yaml

from tests.helm import chart

VALUES = yaml.safe_load((chart.HELM / "values.yaml").read_text())
SCHEMA = json.loads((chart.HELM / "values.schema.json").read_text())
# The keys that workloads share, in their one order; what is a workload's own comes before them.
SHARED_ORDER = [
    *("replicas", "resources", "autoscaling", "pdb", "topologySpread", "probes", "env", "priorityClassName"),
    *("nodeSelector", "tolerations", "affinity", "podAnnotations", "podLabels"),
]


def workloads() -> dict[str, dict[str, Any]]:
    inference = VALUES["inference"]
    return {
        **{name: VALUES[name] for name in ("web", "beat", "migrate", "embeddings", "preload")},
        **{f"workers.{name}": worker for name, worker in VALUES["workers"].items()},
        "inference.ollama": inference["ollama"],
        "inference.vllm.defaults": inference["vllm"]["defaults"],
    }


@pytest.mark.parametrize("name", workloads())
def test_workload_keeps_the_one_key_order(name: str) -> None:
    keys = list(workloads()[name])
    shared = [key for key in keys if key in SHARED_ORDER]

    assert shared == [key for key in SHARED_ORDER if key in shared]
    assert keys[-len(shared) :] == shared, "a workload's own keys come first"


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("image.tag", "latest", "image.tag: latest is not a version"),
        ("image.repository", "example.azurecr.io/parlour:1", "leave tag and digest out of"),
        ("image.digest", "sha256:beef", "/image/digest"),
        ("hosts", ["Not a host"], "/hosts/0"),
        ("hosts", "chat.example.com", "/hosts': got string, want array"),
        ("web.replica", 3, "additional properties 'replica' not allowed"),
        ("web.autoscaling.mode", "vpa", "value must be one of 'none', 'hpa', 'keda'"),
        ("web.autoscaling.cpuUtilization", 0, "/web/autoscaling/cpuUtilization': minimum: got 0, want 1"),
        ("web.autoscaling.maxReplicas", 1, "web.autoscaling: maxReplicas is below minReplicas"),
        ("web.resources.requests.cpu", "two", "/web/resources/requests/cpu"),
        ("web.env", {"lower-case": "x"}, "invalid propertyName 'lower-case'"),
        ("web.env", {"SECRET_KEY": "hunter2"}, "secrets do not belong into values"),
        ("config.env", {"SMTP_PASSWORD": "hunter2"}, "secrets do not belong into values"),
        (
            "workers.ingest.env",
            {"HF_TOKEN": "hf_x"},
            "workers.ingest.env.HF_TOKEN: secrets do not belong into values",
        ),
        ("config.extraAllowedHosts", ["*"], "* would let anybody's page speak for this one"),
        (
            "config.storage",
            {"kind": "azure", "account": "example"},
            "config.storage.kind azure reads Blob by workload identity",
        ),
        ("workers.ingest.concurrency", "two", "/workers/ingest/concurrency': got string, want integer"),
        ("workers.mail", {"enabled": True}, "missing properties"),
        ("secrets.existingSecret", "", "name a Secret with DATABASE_URL, REDIS_URL and SECRET_KEY"),
        ("secrets.provider", "keyVault", "secrets.keyVault"),
        ("inference.mode", "tgi", "value must be one of 'external', 'ollama', 'vllm', 'kaito'"),
        ("inference.mode", "vllm", "/inference/vllm/models': minProperties: got 0, want 1"),
        ("inference.vllm", {"models": {"Qwen": {"model": "x"}}}, "invalid propertyName 'Qwen'"),
        ("inference.ollama.autoscaling.minReplicas", 0, "autoscaling/minReplicas': minimum: got 0, want 1"),
        ("gateway.enabled", True, "hosts: name at least one host for the Gateway"),
        ("preload.enabled", True, "only inference modes ollama and vllm"),
        ("embeddings.mode", "external", "embeddings.url: name the embedding server's base URL"),
        ("workers.ingest.autoscaling.mode", "keda", "keda.prometheusUrl: name the Prometheus that KEDA asks"),
        ("networkPolicy.backendCidrs", ["everywhere"], "/networkPolicy/backendCidrs/0"),
    ],
)
def test_helm_refuses_a_wrong_value_in_clear_words(path: str, value: object, words: str) -> None:
    values = chart.with_value(chart.scenario_values("minimal"), path, value)

    with pytest.raises(helm_python.HelmError) as refusal:
        chart.render_files(values)

    assert words in str(refusal.value)


def test_helm_refuses_both_ways_in_at_once() -> None:
    values = chart.with_value(
        chart.scenario_values("vllm"), "ingress", {"enabled": True, "tls": {"secretName": "tls"}}
    )

    with pytest.raises(helm_python.HelmError, match="choose one way in"):
        chart.render_files(values)


def test_helm_refuses_a_preload_onto_each_nodes_own_disk() -> None:
    with pytest.raises(helm_python.HelmError, match=r"models\.kind local is each node's own disk"):
        chart.render_files(chart.with_value(chart.scenario_values("vllm"), "models.kind", "local"))


def test_names_fit_a_service_however_long_the_release_and_the_worker() -> None:
    worker = VALUES["workers"]["ingest"]
    values = chart.with_value(chart.scenario_values("minimal"), "workers", {"a" * 22: worker})
    values["fullnameOverride"] = "r" * 60

    names = [document["metadata"]["name"] for document in chart.parse(chart.render_files(values))]

    assert max(map(len, names)) <= 63


def test_schema_knows_every_value_and_allows_no_other() -> None:
    unknown = [path for path, _ in leaves(VALUES) if not is_known(SCHEMA, path)]
    open_objects = [
        path
        for path, node in schema_nodes(SCHEMA)
        if "properties" in node and "type" in node and node.get("additionalProperties") is not False
    ]

    assert not unknown
    assert not open_objects


def test_values_hold_no_secret_and_no_moving_tag() -> None:
    for name in (None, *chart.SCENARIOS):
        values = VALUES if name is None else chart.scenario_values(name)
        for path, value in leaves(values):
            key = path[-1].lower()
            assert not (re.search(r"password|apikey|connectionstring|secretkey", key) and value), path
            assert not (key == "tag" and value == "latest"), path


def test_default_images_are_pinned() -> None:
    images = [value for path, value in objects(VALUES) if path and path[-1] == "image"]

    assert len(images) == 6
    # Ours follow the chart's appVersion.
    assert all(image["tag"] or image["repository"].startswith("parlour") for image in images)


def leaves(values: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(values, dict) and values:
        for key, value in values.items():
            yield from leaves(value, (*path, key))
    else:
        yield path, values


def objects(values: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(values, dict):
        yield path, values
        for key, value in values.items():
            yield from objects(value, (*path, key))


def is_known(schema: dict[str, Any], path: tuple[str, ...]) -> bool:
    if "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    if not path:
        return True
    if path[0] in schema.get("properties", {}):
        return is_known(schema["properties"][path[0]], path[1:])
    rest = schema.get("additionalProperties")
    return isinstance(rest, dict) and is_known(rest, path[1:])


def schema_nodes(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, dict):
        yield path, node
        for key, value in node.items():
            yield from schema_nodes(value, f"{path}/{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from schema_nodes(value, f"{path}/{index}")
