"""Every scenario renders, and the API servers that AKS offers would take what comes out."""

import json
import tarfile
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import helm_python
import jsonschema
import pytest
import yaml

from tests.helm import chart, kubernetes

SCHEMAS = {
    schema["properties"]["kind"]["const"]: schema
    for schema in (
        json.loads(path.read_text()) for path in (Path(__file__).parent / "schemas").glob("*.json")
    )
}


def is_custom(document: chart.Document) -> bool:
    return document["kind"] in SCHEMAS


@cache
def all_documents() -> list[tuple[str, chart.Document]]:
    """Each distinct resource once; scenarios have many in common."""
    seen: dict[str, tuple[str, chart.Document]] = {}
    for scenario in chart.SCENARIOS:
        for document in chart.render(scenario):
            seen.setdefault(
                json.dumps(document, sort_keys=True), (f"{scenario}: {chart.title(document)}", document)
            )
    return list(seen.values())


@pytest.mark.parametrize("scenario", chart.SCENARIOS)
def test_scenario_renders_each_resource_once(scenario: str) -> None:
    keys = [(d["apiVersion"], d["kind"], d["metadata"]["name"]) for d in chart.render(scenario)]

    assert keys
    assert sorted(set(keys)) == sorted(keys)


@pytest.mark.parametrize("version", chart.KUBERNETES_VERSIONS)
def test_kubernetes_takes_every_builtin_resource(version: str) -> None:
    builtin = [(name, document) for name, document in all_documents() if not is_custom(document)]

    assert len(builtin) > 100
    assert not [f"{name}: {p}" for name, document in builtin for p in kubernetes.problems(document, version)]


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("spec.replicaCount", 3, "replicaCount"),
        ("spec.replicas", "three", "'three' is not"),
        ("spec.template.spec.containers", [{"image": "x"}], "'name' is a required property"),
    ],
)
def test_kubernetes_refuses_a_mistake(path: str, value: Any, words: str) -> None:
    good = chart.find("minimal", "Deployment", "parlour-web")

    assert words in " ".join(kubernetes.problems(chart.with_value(good, path, value), "1.36"))


def test_custom_resources_fit_their_schemas() -> None:
    validators = {kind: jsonschema.Draft202012Validator(schema) for kind, schema in SCHEMAS.items()}
    used = set()
    problems = []
    for name, document in all_documents():
        if is_custom(document):
            used.add(document["kind"])
            problems += [
                f"{name}: {e.json_path}: {e.message}"
                for e in validators[document["kind"]].iter_errors(document)
            ]

    assert not problems
    assert used == set(SCHEMAS), "a schema that no scenario uses proves nothing"


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("ScaledObject", "spec.triggers", []),
        ("Workspace", "spec", {"resource": {}}),
        ("HTTPRoute", "spec.rules", [{"timeouts": {"request": "forever"}}]),
        ("SecretProviderClass", "spec.provider", "vault"),
    ],
)
def test_custom_schema_refuses_a_mistake(kind: str, path: str, value: Any) -> None:
    _, good = next(chart.every(kind))

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(chart.with_value(good, path, value), SCHEMAS[kind])


@pytest.mark.parametrize("scenario", chart.SCENARIOS)
def test_chart_passes_helm_lint(scenario: str) -> None:
    report = helm_python.lint(str(chart.HELM), chart.scenario_values(scenario), strict=True)

    # Information is severity 1; the one there is says that an icon is recommended.
    assert not [message for message in report["messages"] if message["severity"] > 1]


def test_packaged_chart_brings_what_it_needs(tmp_path: Path) -> None:
    package = Path(helm_python.package(str(chart.HELM), destination=tmp_path))

    with tarfile.open(package) as archive:
        names = {name.removeprefix("parlour/") for name in archive.getnames()}
    assert {
        "values.schema.json",
        "rules/parlour.yaml",
        "files/preload.py",
        "dashboards/llm.json",
        "values-prod.yaml",
    } <= names
    assert not [name for name in names if name.startswith(("ci/", "tools/", "rules/tests/"))]


def test_chart_and_application_share_a_version() -> None:
    project = tomllib.loads((chart.HELM.parent / "pyproject.toml").read_text())
    metadata = yaml.safe_load((chart.HELM / "Chart.yaml").read_text())

    assert metadata["appVersion"] == project["project"]["version"]


@pytest.mark.parametrize("scenario", chart.SCENARIOS)
def test_notes_say_where_it_is_and_who_becomes_administrator(scenario: str) -> None:
    values = chart.scenario_values(scenario)
    notes = chart.render_files(values)["parlour/templates/NOTES.txt"]

    has_route = values.get("gateway", {}).get("enabled") or values.get("ingress", {}).get("enabled")
    expected = [f"://{host}/" for host in values["hosts"]] if has_route else ["port-forward"]
    assert all(text in notes for text in expected)
    assert "whoever signs up first becomes the administrator" in notes
