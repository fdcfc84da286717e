"""The chart as its users get it: rendered by Helm's own engine (`helm-python-sdk`), scenario by scenario.

A scenario is a list of values files, later ones over earlier ones: each of helm/ci/*-values.yaml alone, and each
tier's values with what the infrastructure's outputs add. Left out: any judgement; the tests have that.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import helm_python
import yaml
from helm_python import _native

HELM = Path(__file__).resolve().parents[2] / "helm"
TIERS = ("dev", "prod", "kaito")
NAMESPACE = "chat-house"
RELEASE = "parlour"
# What AKS offers in late 2026.
KUBERNETES_VERSIONS = ("1.34", "1.35", "1.36")

Document = dict[str, Any]

SCENARIOS: dict[str, tuple[Path, ...]] = {
    **{
        path.name.removesuffix("-values.yaml"): (path,)
        for path in sorted((HELM / "ci").glob("*-values.yaml"))
    },
    **{tier: (HELM / f"values-{tier}.yaml", HELM / "ci" / "estate-outputs.yaml") for tier in TIERS},
}


@cache
def chart() -> helm_python.Chart:
    return helm_python.Chart.load(str(HELM))


def scenario_values(name: str) -> Document:
    """The values of a scenario, files merged as Helm merges them."""
    values: Document = {}
    for path in SCENARIOS[name]:
        values = merged(values, yaml.safe_load(path.read_text()))
    return values


def merged(under: Document, over: Document) -> Document:
    """`over` laid over `under`; maps are merged, everything else is replaced."""
    result = dict(under)
    for key, value in over.items():
        is_map = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if is_map else value
    return result


def with_value(values: Document, path: str, value: object) -> Document:
    """A copy of `values` with one dotted path set."""
    for key in reversed(path.split(".")):
        value = {key: value}
    assert isinstance(value, dict)
    return merged(values, value)


def render_files(
    values: Document, kubernetes_version: str = "1.36.0", namespace: str = NAMESPACE
) -> dict[str, str]:
    """Template path to its text. Goes below `Chart.render`, which knows no Kubernetes version; raises HelmError
    with Helm's own message."""
    options = {
        "name": RELEASE,
        "namespace": namespace,
        "kube_version": kubernetes_version,
        "api_versions": [],
    }
    arguments = json.dumps(values), json.dumps(options)
    return json.loads(_native.call_string("helm_render", chart()._raw(), *arguments))


def parse(files: dict[str, str]) -> list[Document]:
    texts = [text for path, text in sorted(files.items()) if not path.endswith(".txt")]
    return [document for text in texts for document in yaml.load_all(text, Loader=_OnceLoader) if document]


@cache
def render(scenario: str) -> tuple[Document, ...]:
    """Every resource of a scenario. All tests share them: who changes one changes a copy."""
    return tuple(parse(render_files(scenario_values(scenario))))


def every(*kinds: str) -> Iterator[tuple[str, Document]]:
    """(scenario and name, resource) of these kinds in all scenarios."""
    for scenario in SCENARIOS:
        for document in render(scenario):
            if document["kind"] in kinds:
                yield f"{scenario}: {title(document)}", document


def title(document: Document) -> str:
    return f"{document['kind']} {document['metadata']['name']}"


def find(scenario: str, kind: str, name: str) -> Document:
    """The one resource of that kind and name."""
    found = [d for d in render(scenario) if d["kind"] == kind and d["metadata"]["name"] == name]
    assert len(found) == 1, f"{len(found)} {kind} {name} in {scenario}"
    return found[0]


@dataclass(frozen=True)
class Pod:
    """A pod that some resource makes."""

    scenario: str
    owner: Document
    labels: dict[str, str]
    spec: Document

    @property
    def component(self) -> str:
        return self.labels["app.kubernetes.io/component"]

    @property
    def is_ours(self) -> bool:
        """Runs the application's image with its environment."""
        names = {entry["name"] for container in self.containers for entry in container.get("env", ())}
        return "DATABASE_URL" in names

    @property
    def containers(self) -> list[Document]:
        return [*self.spec.get("initContainers", ()), *self.spec["containers"]]

    def __str__(self) -> str:
        return f"{self.scenario}: {title(self.owner)}"


def pods(scenario: str | None = None) -> Iterator[Pod]:
    """Every pod that the scenarios make, those of jobs, hooks and DaemonSets too."""
    for name in [scenario] if scenario else SCENARIOS:
        for document in render(name):
            if document["kind"] == "Pod":
                yield Pod(name, document, document["metadata"]["labels"], document["spec"])
            elif "template" in document.get("spec", {}) and "spec" in document["spec"]["template"]:
                template = document["spec"]["template"]
                yield Pod(name, document, template["metadata"]["labels"], template["spec"])


def is_selected(selector: Document, labels: dict[str, str]) -> bool:
    """Whether a LabelSelector selects a pod with these labels."""
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    for term in selector.get("matchExpressions", ()):
        is_there = term["key"] in labels
        match term["operator"]:
            case "Exists":
                is_met = is_there
            case "In":
                is_met = labels.get(term["key"]) in term["values"]
            case operator:
                raise NotImplementedError(operator)
        if not is_met:
            return False
    return True


def seconds(text: str) -> float:
    """`30s`, `5m`, `1h` in seconds."""
    units = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
    return sum(float(number) * units[unit] for number, unit in re.findall(r"([0-9.]+)(ms|s|m|h)", text))


class _OnceLoader(yaml.CSafeLoader):
    """Refuses a key written twice, which YAML parsers take silently and Kubernetes does not.

    libyaml reads a scenario in 0.03 s, the parser in Python in 0.3, and the tests read some hundred of them.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [
            self.construct_object(key, deep=deep)
            for key, _ in node.value
            if key.tag != "tag:yaml.org,2002:merge"
        ]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"twice: {twice}", node.start_mark)
        return super().construct_mapping(node, deep)
