"""Alerts fire when they must, dashboards and autoscalers ask for metrics that somebody exports."""

import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache

import promql_parser
import pytest
import yaml
from prometheus_client import REGISTRY

from tests import fetched_tools
from tests.helm import chart, known_metrics

RULES = yaml.safe_load((chart.HELM / "rules" / "parlour.yaml").read_text())
RULE_TESTS = chart.HELM / "rules" / "tests" / "parlour.yaml"
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"]]
DASHBOARDS = sorted((chart.HELM / "dashboards").glob("*.json"))
DOCS = chart.HELM.parent / "docs" / "alerts.md"


def test_promtool_takes_the_rules() -> None:
    done = promtool("check", "rules", str(chart.HELM / "rules" / "parlour.yaml"))

    assert done.returncode == 0, done.stdout + done.stderr


def test_alerts_fire_and_stay_quiet_as_promtool_is_told() -> None:
    done = promtool("test", "rules", str(RULE_TESTS))

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_test_that_it_fires_and_one_that_it_does_not() -> None:
    tests = yaml.safe_load(RULE_TESTS.read_text())["tests"]
    fires = {
        case["alertname"] for test in tests for case in test["alert_rule_test"] if case.get("exp_alerts")
    }
    quiet = {
        case["alertname"] for test in tests for case in test["alert_rule_test"] if not case.get("exp_alerts")
    }

    assert fires == quiet == {rule["alert"] for rule in ALERTS}


def test_every_alert_says_what_to_do() -> None:
    sections = set(re.findall(r"^### (\w+)$", DOCS.read_text(), re.MULTILINE))

    assert sections == {rule["alert"] for rule in ALERTS}


def test_chart_ships_the_rules_with_its_own_namespace() -> None:
    for _, resource in chart.every("PrometheusRule"):
        text = json.dumps(resource["spec"])
        assert 'namespace=\\"parlour\\"' not in text
        assert [rule["alert"] for group in resource["spec"]["groups"] for rule in group["rules"]] == [
            rule["alert"] for rule in ALERTS
        ]
    links = {
        rule["annotations"]["runbook_url"]
        for group in chart.find("external", "PrometheusRule", "parlour")["spec"]["groups"]
        for rule in group["rules"]
    }
    assert "https://example.com/alerts.md#parlourdown" in links


def test_azure_gets_its_own_monitors_and_no_rule_resource() -> None:
    kinds = {(d["apiVersion"], d["kind"]) for d in chart.render("prod")}

    assert ("azmonitoring.coreos.com/v1", "ServiceMonitor") in kinds
    assert not [kind for version, kind in kinds if version == "monitoring.coreos.com/v1"]


def test_dashboards_are_what_their_generator_draws() -> None:
    sys.path.insert(0, str(chart.HELM / "tools"))
    try:
        generator = importlib.import_module("dashboards")
    finally:
        sys.path.pop(0)

    assert {path.stem for path in DASHBOARDS} == set(generator.DASHBOARDS)
    for path in DASHBOARDS:
        assert path.read_text() == generator.render(generator.DASHBOARDS[path.stem]), (
            f"{path.name}: python helm/tools/dashboards.py"
        )


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_dashboard_has_distinct_panels_that_do_not_overlap(path) -> None:
    panels = json.loads(path.read_text())["panels"]
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]

    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len(set(cells)) == len(cells)
    assert all(x < 24 for x, _ in cells)


@pytest.mark.django_db
def test_every_expression_parses_and_asks_for_a_metric_that_is_exported() -> None:
    known = exported() | known_metrics.EXPORTERS
    unknown = {
        f"{where}: {name}"
        for where, expression in expressions()
        for name in metric_names(expression)
        if known_metrics.family(name) not in known and name not in known
    }

    assert not unknown


@pytest.mark.django_db
def test_every_number_that_the_application_exports_is_on_a_dashboard() -> None:
    importlib.import_module("config.asgi")
    own = {m.name for m in REGISTRY.collect() if not m.name.startswith(("python_", "process_"))}
    shown = {
        known_metrics.family(name).removesuffix("_total")
        for where, expression in expressions()
        if not where.startswith("alert ")
        for name in metric_names(expression)
    }

    assert {"replies_running", "inference_requests", "queue_length"} <= own
    assert own <= shown


def test_expressions_keep_to_their_namespace() -> None:
    """A cluster has other tenants. The exporter's GPU health alerts are the one exception: a broken GPU is news
    before any pod holds it."""
    without = {"DCGM_FI_DEV_GPU_TEMP", "DCGM_FI_DEV_XID_ERRORS", "DCGM_FI_DEV_ROW_REMAP_FAILURE"}
    for where, expression in expressions():
        for selector in selectors(promql_parser.parse(plain(expression))):
            labels = {matcher.name for matcher in selector.matchers.matchers}
            assert "namespace" in labels or selector.name in without, (where, expression)


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([fetched_tools.promtool(), *arguments], capture_output=True, text=True, check=False)


@cache
def expressions() -> list[tuple[str, str]]:
    """(where, PromQL) of every alert, dashboard panel and KEDA trigger."""
    found = [(f"alert {rule['alert']}", rule["expr"]) for rule in ALERTS]
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            found += [
                (f"{path.stem}: {panel['title']}", target["expr"]) for target in panel.get("targets", ())
            ]
    for name, scaled in chart.every("ScaledObject"):
        found += [
            (name, t["metadata"]["query"]) for t in scaled["spec"]["triggers"] if t["type"] == "prometheus"
        ]
    for name, scaler in chart.every("HorizontalPodAutoscaler"):
        found += [(name, metric_query(m)) for m in scaler["spec"]["metrics"] if m["type"] == "Pods"]
    return found


def metric_query(metric: chart.Document) -> str:
    """prometheus-adapter asks for a pod's metric within the pod's namespace."""
    return f'{metric["pods"]["metric"]["name"]}{{namespace="{chart.NAMESPACE}"}}'


def plain(expression: str) -> str:
    """Grafana's variables replaced by what it puts there."""
    return expression.replace("$__rate_interval", "5m").replace("$namespace", "parlour")


def metric_names(expression: str) -> set[str]:
    return {selector.name for selector in selectors(promql_parser.parse(plain(expression)))}


def selectors(node: object) -> Iterator[promql_parser.VectorSelector]:
    """Every selector of a parsed expression."""
    match node:
        case promql_parser.VectorSelector():
            yield node
        case promql_parser.MatrixSelector():
            yield node.vector_selector
        case promql_parser.Call():
            for argument in node.args:
                yield from selectors(argument)
        case promql_parser.BinaryExpr():
            yield from selectors(node.lhs)
            yield from selectors(node.rhs)
        case (
            promql_parser.AggregateExpr()
            | promql_parser.ParenExpr()
            | promql_parser.UnaryExpr()
            | promql_parser.SubqueryExpr()
        ):
            yield from selectors(node.expr)
        case promql_parser.NumberLiteral() | promql_parser.StringLiteral():
            return
        case _:
            raise NotImplementedError(type(node))


@cache
def exported() -> set[str]:
    """Families in the registry of a process that has loaded the whole application, as `/metrics` shows them."""
    importlib.import_module("config.asgi")
    families = set()
    for metric in REGISTRY.collect():
        families.add(metric.name)
        families |= {known_metrics.family(sample.name) for sample in metric.samples}
        if metric.type == "counter":
            families.add(f"{metric.name}_total")
    return families
