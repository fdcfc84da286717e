"""What a second `helm upgrade` does to the first one's resources: changes no field that Kubernetes fixes, rolls no pod
that it does not concern, and loses no file."""

import json
from functools import cache
from typing import Any

import helm_python
import pytest

from tests.helm import chart

DIGEST = "sha256:" + "f" * 64
# Upgrades that every installation sees.
UPGRADES: dict[str, tuple[str, object]] = {
    "a new image": ("image.digest", DIGEST),
    "another log level": ("config.logLevel", "DEBUG"),
    "one more host": ("hosts", ["chat.example.com", "chat.example.net", "chat.example.org"]),
    "more memory for web": ("web.resources.limits.memory", "3Gi"),
    "another preload": ("preload.dryRun", True),
}
# https://kubernetes.io/docs/concepts/workloads/: what may change of a StatefulSet.
STATEFUL_SET_MAY_CHANGE = {
    *("replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit"),
    *("persistentVolumeClaimRetentionPolicy", "minReadySeconds"),
}


def fixed(document: chart.Document) -> Any:
    """The part of a resource that Kubernetes does not let anybody change."""
    spec = document.get("spec", {})
    match document["kind"]:
        case "Job":
            return {key: spec.get(key) for key in ("template", "selector", "completions", "completionMode")}
        case "Deployment" | "DaemonSet":
            return spec["selector"]
        case "StatefulSet":
            return {key: value for key, value in spec.items() if key not in STATEFUL_SET_MAY_CHANGE}
        case "PersistentVolumeClaim":
            return {key: value for key, value in spec.items() if key != "resources"}
        case "PersistentVolume":
            return spec["csi"]
        case "StorageClass":
            return {key: document[key] for key in ("provisioner", "parameters", "reclaimPolicy")}
        case "PriorityClass":
            return document["value"], document.get("preemptionPolicy")
        case _:
            return None


def rendered(values: chart.Document, namespace: str = chart.NAMESPACE) -> dict[str, chart.Document]:
    files = chart.render_files(values, namespace=namespace)
    return {chart.title(document): document for document in chart.parse(files)}


@cache
def installed(scenario: str) -> dict[str, chart.Document]:
    return rendered(chart.scenario_values(scenario))


@cache
def upgraded(scenario: str, upgrade: str) -> dict[str, chart.Document]:
    return rendered(chart.with_value(chart.scenario_values(scenario), *UPGRADES[upgrade]))


def is_made_anew(document: chart.Document) -> bool:
    """A hook that Helm deletes before it makes it again may change as it likes."""
    return "before-hook-creation" in document["metadata"].get("annotations", {}).get(
        "helm.sh/hook-delete-policy", ""
    )


@pytest.mark.parametrize("upgrade", UPGRADES)
@pytest.mark.parametrize("scenario", chart.SCENARIOS)
def test_upgrade_changes_no_field_that_kubernetes_fixes(scenario: str, upgrade: str) -> None:
    before, after = installed(scenario), upgraded(scenario, upgrade)

    for title in before.keys() & after.keys():
        if not is_made_anew(after[title]):
            assert fixed(before[title]) == fixed(after[title]), title


def test_preload_is_a_new_job_for_a_new_plan_and_a_new_image_and_else_the_same() -> None:
    values = chart.scenario_values("ollama")
    names = [
        next(title for title in rendered(one) if title.startswith("Job parlour-preload-"))
        for one in (
            values,
            values,
            chart.with_value(values, "web.resources.limits.memory", "3Gi"),
            chart.with_value(values, *UPGRADES["another preload"]),
            chart.with_value(values, *UPGRADES["a new image"]),
        )
    ]

    assert names[0] == names[1] == names[2]
    assert len(set(names[2:])) == 3


@pytest.mark.parametrize("upgrade", UPGRADES)
@pytest.mark.parametrize("scenario", ["dev", "prod", "ollama", "vllm"])
def test_upgrade_of_the_application_leaves_loaded_models_alone(scenario: str, upgrade: str) -> None:
    """A model server takes minutes to load, and its pool may have no spare GPU."""
    before, after = installed(scenario), upgraded(scenario, upgrade)
    models = [t for t in before if t.startswith(("StatefulSet ", "Deployment parlour-vllm-", "DaemonSet "))]

    assert models
    for title in models:
        assert before[title]["spec"]["template"] == after[title]["spec"]["template"], title
        labels = before[title]["spec"]["template"]["metadata"]["labels"]
        assert not {"helm.sh/chart", "app.kubernetes.io/version"} & set(labels), title


def test_pods_of_the_application_take_another_secret() -> None:
    values = chart.scenario_values("external")
    other = chart.with_value(values, "secrets.keyVault.objects.SECRET_KEY", "secret-key-of-2027")
    before, after = rendered(values), rendered(other)

    assert before["Deployment parlour-web"]["spec"] != after["Deployment parlour-web"]["spec"]


def test_nothing_that_holds_data_is_a_hook() -> None:
    """Helm deletes a hook before it makes it again, whatever `resource-policy` says."""
    kept = [
        (name, document)
        for name, document in chart.every("PersistentVolumeClaim", "PersistentVolume", "StorageClass")
    ]

    assert kept
    for name, document in kept:
        annotations = document["metadata"].get("annotations", {})
        assert "helm.sh/hook" not in annotations, name
        if document["kind"] == "PersistentVolumeClaim":
            assert annotations["helm.sh/resource-policy"] == "keep", name
    without = chart.with_value(
        chart.scenario_values("on-premises"), "config.storage.volume.existingClaim", ""
    )
    with pytest.raises(helm_python.HelmError, match=r"existingClaim: name a ReadWriteMany claim"):
        chart.render_files(without)


@pytest.mark.parametrize("scenario", chart.SCENARIOS)
def test_same_release_in_two_namespaces_shares_nothing_of_the_cluster(scenario: str) -> None:
    values = chart.scenario_values(scenario)
    one, other = (rendered(values, namespace) for namespace in ("team-a", "team-b"))
    of_cluster = {
        title for made in (one, other) for title, d in made.items() if "namespace" not in d["metadata"]
    }

    assert not of_cluster & one.keys() & other.keys(), "Helm refuses what belongs to another release"


def test_key_that_the_vault_brings_is_waited_for() -> None:
    """The Secret comes with the first application pod; a model server that did not wait would ask for no key."""
    values = chart.scenario_values("prod")
    objects = {"INFERENCE_API_KEY": "inference-api-key"}
    brought = chart.with_value(values, "secrets.keyVault.objects", objects)

    def is_optional(made: dict[str, chart.Document]) -> dict[str, bool]:
        container = made["Deployment parlour-vllm-qwen3-8b"]["spec"]["template"]["spec"]["containers"][0]
        keys = (entry["valueFrom"]["secretKeyRef"] for entry in container["env"] if "valueFrom" in entry)
        return {key["key"]: key["optional"] for key in keys}

    assert is_optional(rendered(values)) == {"HF_TOKEN": True, "INFERENCE_API_KEY": True}
    assert is_optional(rendered(brought)) == {"HF_TOKEN": True, "INFERENCE_API_KEY": False}


def test_checker_sees_a_changed_template_of_a_job() -> None:
    job = chart.find("ollama", "Job", "parlour-migrate")
    changed = json.loads(json.dumps(job))
    changed["spec"]["template"]["spec"]["containers"][0]["image"] = "other"

    assert fixed(job) != fixed(changed)
