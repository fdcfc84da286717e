"""A benchmark in the terminal: a bar while it runs, a table at its end."""

import sys
import time
from collections.abc import Sequence
from typing import TextIO

from inference.benchmark.results import Change, Scenario
from inference.figures.words import say_count, say_seconds, say_share, say_speed

BAR_WIDTH = 24
HEADS = (
    "model",
    "door",
    "users",
    "answers",
    "failed",
    "first token p50",
    "p95",
    "p99",
    "answer p50",
    "p99",
    "tok/s each",
    "tok/s all",
)


class Progress:
    """One line that says how far a scenario is; where nobody watches, a line at its end."""

    def __init__(self, title: str, total: int, output: TextIO | None = None) -> None:
        self._title, self._total, self._output = title, total, output or sys.stderr
        self._done, self._failed, self._tokens = 0, 0, 0
        self._started_at = time.perf_counter()
        self._is_watched = self._output.isatty()

    def add(self, tokens: int, *, is_failed: bool) -> None:
        self._done += 1
        self._tokens += tokens
        self._failed += is_failed
        if self._is_watched:
            self._write("\r")

    def end(self) -> None:
        self._write("\r" if self._is_watched else "")
        self._output.write("\n")

    def _write(self, start: str) -> None:
        full = round(BAR_WIDTH * self._done / max(1, self._total))
        bar = "█" * full + "░" * (BAR_WIDTH - full)
        speed = self._tokens / max(1e-9, time.perf_counter() - self._started_at)
        failed = f", {self._failed} failed" if self._failed else ""
        line = f"{self._title}  {bar} {self._done}/{self._total}  {say_speed(speed)} tok/s{failed}"
        self._output.write(f"{start}{line:<100}" if start else line)
        self._output.flush()


def table_of(scenarios: Sequence[Scenario]) -> str:
    """The scenarios, one a line."""
    return _align([HEADS, *(cells_of(scenario) for scenario in scenarios)], left=2)


def cells_of(scenario: Scenario) -> tuple[str, ...]:
    """A scenario under `HEADS`."""
    return (
        scenario.model,
        scenario.door,
        str(scenario.users),
        str(scenario.answers),
        str(scenario.failed),
        say_seconds(scenario.first_token.p50),
        say_seconds(scenario.first_token.p95),
        say_seconds(scenario.first_token.p99),
        say_seconds(scenario.duration.p50),
        say_seconds(scenario.duration.p99),
        say_speed(scenario.speed.p50),
        say_count(scenario.total_speed),
    )


def changes_table(changes: Sequence[Change]) -> str:
    heads = ("model", "door", "measure", "users", "before", "now", "change", "")
    return _align([heads, *(change_cells(change) for change in changes)], left=3)


def change_cells(change: Change) -> tuple[str, ...]:
    """What changed, in words."""
    say = say_count if change.measure.startswith("tokens") else say_seconds
    return (
        change.scenario.model,
        change.scenario.door,
        change.measure,
        str(change.scenario.users),
        say(change.before),
        say(change.now),
        ("+" if change.share > 0 else "") + say_share(change.share),
        change.verdict,
    )


def _align(rows: Sequence[Sequence[str]], *, left: int) -> str:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if at < left else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "  ".join("─" * width for width in widths))
    return "\n".join(lines)
