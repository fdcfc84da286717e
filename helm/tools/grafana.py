"""Dashboards as values, and as the JSON that Grafana reads.

A dashboard is a list of rows of panels, a panel a title, a unit and the expressions it shows. What Grafana wants
beside that (ids, positions, data source, variables) is added here, so that it is the same everywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

ROW_UNITS = 24
PANEL_HEIGHT = 8
DATA_SOURCE = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True)
class Panel:
    """One graph, or one number where `kind` is `stat`. `lines` are pairs of legend and expression."""

    title: str
    unit: str
    lines: Sequence[tuple[str, str]]
    kind: str = "timeseries"
    note: str = ""


@dataclass(frozen=True)
class Dashboard:
    uid: str
    title: str
    note: str
    # The metric that knows in which namespaces there is something to see.
    known_by: str
    rows: Sequence[tuple[str, Sequence[Panel]]]


def draw(dashboard: Dashboard) -> dict[str, Any]:
    """The dashboard as Grafana reads it."""
    panels: list[dict[str, Any]] = []
    top = 0
    for row_title, row in dashboard.rows:
        panels.append(
            {
                "type": "row",
                "title": row_title,
                "id": len(panels) + 1,
                "gridPos": _place(0, top, ROW_UNITS, 1),
                "collapsed": False,
                "panels": [],
            }
        )
        top += 1
        is_numbers = all(panel.kind == "stat" for panel in row)
        across = len(row) if is_numbers else min(3, len(row))
        width, height = ROW_UNITS // across, 4 if is_numbers else PANEL_HEIGHT
        for index, panel in enumerate(row):
            place = _place(index % across * width, top + index // across * height, width, height)
            panels.append(_draw_panel(panel, len(panels) + 1, place))
        top += -(-len(row) // across) * height
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.note,
        "tags": ["parlour"],
        "timezone": "browser",
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": [_data_source_variable(), _namespace_variable(dashboard.known_by)]},
        "panels": panels,
    }


def _draw_panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    drawn: dict[str, Any] = {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "datasource": DATA_SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": DATA_SOURCE,
                "expr": expression,
                "legendFormat": legend or "__auto",
            }
            for index, (legend, expression) in enumerate(panel.lines)
        ],
    }
    if panel.note:
        drawn["description"] = panel.note
    if panel.kind == "timeseries":
        drawn["options"] = {
            "legend": {"displayMode": "list", "placement": "bottom"},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
    return drawn


def _place(x: int, y: int, width: int, height: int) -> dict[str, int]:
    return {"x": x, "y": y, "w": width, "h": height}


def _data_source_variable() -> dict[str, Any]:
    return {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "hide": 0,
    }


def _namespace_variable(known_by: str) -> dict[str, Any]:
    return {
        "name": "namespace",
        "label": "Namespace",
        "type": "query",
        "datasource": DATA_SOURCE,
        "query": {"query": f"label_values({known_by}, namespace)", "refId": "namespace"},
        "refresh": 2,
        "sort": 1,
        "hide": 0,
    }
