"""Small charts as geometry: where each bar, line, tick and label stands in the drawing. No HTML, no IO.

`templates/admin/inference/chart.html` draws them as SVG, with the same figures as a table beneath.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

# In the drawing's own units, which are about pixels where three charts stand side by side.
WIDTH, HEIGHT = 400, 190
LEFT, RIGHT, TOP, BOTTOM = 44, 8, 8, 22
PLOT_WIDTH, PLOT_HEIGHT = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
# Labels below the drawing would run into each other beyond this.
MOST_LABELS = 7
# A few bars stand as bars and not as blocks.
WIDEST_BAR = 48.0
# Two to five lines, whatever the figures are.
WANTED_TICKS = 4

Value = float | None
Say = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Series:
    """One measure over time; None where nothing was measured. `tone` names its colour in the style."""

    name: str
    tone: str
    values: Sequence[Value]


@dataclass(frozen=True, slots=True)
class Mark:
    """A bar of the drawing; numbers are ready to be written into attributes."""

    tone: str
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True, slots=True)
class Line:
    """An unbroken stretch of a line, and its points, so that a lone one is seen as well."""

    tone: str
    points: str
    dots: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Label:
    x: str
    y: str
    text: str


@dataclass(frozen=True, slots=True)
class Column:
    """The whole height above one point in time, and a row of the table."""

    x: str
    width: str
    name: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing of `WIDTH` × `HEIGHT`, and what it shows in words."""

    slug: str
    title: str
    summary: str
    series: tuple[Series, ...]
    bars: tuple[Mark, ...]
    lines: tuple[Line, ...]
    ticks: tuple[Label, ...]
    labels: tuple[Label, ...]
    columns: tuple[Column, ...]
    has_values: bool


def draw_bars(
    slug: str, title: str, names: Sequence[str], series: Sequence[Series], *, say: Say, summary: str
) -> Chart:
    """Bars stacked in the order of `series`, one stack for each of `names`."""
    totals = [sum(one.values[at] or 0 for one in series) for at in range(len(names))]
    ticks = _ticks(max(totals, default=0))
    bars = []
    step = PLOT_WIDTH / max(1, len(names))
    gap = max(min(4.0, step * 0.2), step - WIDEST_BAR)
    for at in range(len(names)):
        bottom = 0.0
        for one in series:
            value = one.values[at] or 0
            if value:
                top, height = _y(bottom + value, ticks), _y(bottom, ticks) - _y(bottom + value, ticks)
                x = LEFT + at * step + gap / 2
                bars.append(Mark(one.tone, _n(x), _n(top), _n(step - gap), _n(max(height, 0.75))))
            bottom += value
    return _chart(slug, title, names, series, ticks, say=say, summary=summary, bars=bars)


def draw_lines(
    slug: str, title: str, names: Sequence[str], series: Sequence[Series], *, say: Say, summary: str
) -> Chart:
    """A line for each of `series`, broken where nothing was measured."""
    told = [value for one in series for value in one.values if value is not None]
    ticks = _ticks(max(told, default=0))
    step = PLOT_WIDTH / max(1, len(names))
    lines = []
    for one in series:
        stretch: list[tuple[str, str]] = []
        for at, value in enumerate([*one.values, None]):
            if value is not None:
                stretch.append((_n(LEFT + (at + 0.5) * step), _n(_y(value, ticks))))
            elif stretch:
                points = " ".join(f"{x},{y}" for x, y in stretch)
                lines.append(Line(one.tone, points, tuple(stretch)))
                stretch = []
    return _chart(slug, title, names, series, ticks, say=say, summary=summary, lines=lines)


def _chart(
    slug: str,
    title: str,
    names: Sequence[str],
    series: Sequence[Series],
    ticks: Sequence[float],
    *,
    say: Say,
    summary: str,
    bars: Sequence[Mark] = (),
    lines: Sequence[Line] = (),
) -> Chart:
    step = PLOT_WIDTH / max(1, len(names))
    every = math.ceil(len(names) / MOST_LABELS)
    return Chart(
        slug=slug,
        title=title,
        summary=summary,
        series=tuple(series),
        bars=tuple(bars),
        lines=tuple(lines),
        ticks=tuple(Label(_n(LEFT - 6), _n(_y(tick, ticks)), say(tick)) for tick in ticks),
        labels=tuple(
            Label(_n(LEFT + (at + 0.5) * step), _n(HEIGHT - 5), names[at])
            for at in range((len(names) - 1) % every, len(names), every)
        ),
        columns=tuple(
            Column(
                _n(LEFT + at * step),
                _n(step),
                name,
                tuple("–" if (value := one.values[at]) is None else say(value) for one in series),
            )
            for at, name in enumerate(names)
        ),
        has_values=any(value for one in series for value in one.values),
    )


def _ticks(most: float) -> list[float]:
    """Round numbers from 0 to at least `most`."""
    if most <= 0:
        return [0.0, 1.0]
    rough = most / WANTED_TICKS
    unit = 10 ** math.floor(math.log10(rough))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough)
    return [step * at for at in range(math.ceil(most / step) + 1)]


def _y(value: float, ticks: Sequence[float]) -> float:
    return TOP + PLOT_HEIGHT * (1 - value / ticks[-1])


def _n(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
