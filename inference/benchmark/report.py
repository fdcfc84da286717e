"""A benchmark as one HTML file that needs nothing else: its style is in it, its charts are drawn."""

from collections.abc import Sequence
from pathlib import Path

from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from inference.benchmark.results import Change, Run, Scenario
from inference.benchmark.terminal import HEADS, cells_of, change_cells
from inference.figures.charts import Chart, Series, draw_bars, draw_lines
from inference.figures.words import say_count, say_seconds


def write_report(run: Run, path: Path, *, before: Run | None, changes: Sequence[Change]) -> None:
    """Write the report of `run`, beside an earlier one where there is one."""
    context = {
        "run": run,
        "before": before,
        "heads": HEADS,
        "rows": [cells_of(scenario) for scenario in run.scenarios],
        "errors": [(scenario, scenario.errors) for scenario in run.scenarios if scenario.errors],
        "groups": _groups(run, before),
        "changes": [(change_cells(change), change.verdict) for change in changes],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render_to_string("inference/benchmark.html", context))


def _groups(run: Run, before: Run | None) -> list[tuple[str, list[Chart]]]:
    """The charts of each model and door."""
    found: dict[tuple[str, str], list[Scenario]] = {}
    for scenario in run.scenarios:
        found.setdefault((scenario.model, scenario.door), []).append(scenario)
    earlier = {scenario.key: scenario for scenario in before.scenarios} if before else {}
    return [
        (
            f"{model}, {door}",
            _charts(f"{number}", scenarios, [earlier.get(scenario.key) for scenario in scenarios]),
        )
        for number, ((model, door), scenarios) in enumerate(found.items())
    ]


def _charts(slug: str, scenarios: Sequence[Scenario], earlier: Sequence[Scenario | None]) -> list[Chart]:
    names = [
        ngettext("%(n)s user", "%(n)s users", scenario.users) % {"n": scenario.users}
        for scenario in scenarios
    ]
    first = [
        Series("p50", "first", [scenario.first_token.p50 for scenario in scenarios]),
        Series("p99", "slow", [scenario.first_token.p99 for scenario in scenarios]),
    ]
    if any(earlier):
        was = [then.first_token.p50 if then else None for then in earlier]
        first.append(Series(_("p50 before"), "second", was))
    each = [Series(_("of one answer"), "first", [scenario.speed.p50 for scenario in scenarios])]
    total = [Series(_("now"), "first", [scenario.total_speed for scenario in scenarios])]
    return [
        draw_lines(
            f"first-{slug}",
            _("First token"),
            names,
            first,
            say=say_seconds,
            summary=_("by users at once"),
        ),
        draw_lines(
            f"each-{slug}",
            _("Tokens per second, one answer"),
            names,
            each,
            say=say_count,
            summary=_("by users at once"),
        ),
        draw_bars(
            f"all-{slug}",
            _("Tokens per second, all together"),
            names,
            total,
            say=say_count,
            summary=_("by users at once"),
        ),
    ]
