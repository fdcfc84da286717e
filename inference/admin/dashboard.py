"""The dashboard of usage: the figures of `inference.figures.usage` as tiles, charts and tables."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django import forms
from django.http import QueryDict
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from inference.figures.charts import Chart, Series, draw_bars, draw_lines
from inference.figures.usage import Figures, Period, Point, UsageOverview, UsageQuestion
from inference.figures.words import say_cost, say_count, say_seconds, say_share, say_speed

PERIODS = [
    (Period.DAY, gettext_lazy("24 hours")),
    (Period.WEEK, gettext_lazy("7 days")),
    (Period.MONTH, gettext_lazy("30 days")),
    (Period.QUARTER, gettext_lazy("90 days")),
]


class UsageForm(forms.Form):
    """Which usage to show. What makes no sense is as good as not asked."""

    period = forms.ChoiceField(label=gettext_lazy("Period"), choices=PERIODS, required=False)
    model = forms.ChoiceField(label=gettext_lazy("Model"), required=False)
    person = forms.ModelChoiceField(User.objects.all(), widget=forms.HiddenInput, required=False)

    def __init__(self, data: QueryDict, *, models: Sequence[str]) -> None:
        super().__init__({"period": Period.WEEK, **data.dict()})
        field = self.fields["model"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("All models")), *((name, name) for name in models)]
        for name in ("period", "model"):
            self.fields[name].widget.attrs["class"] = "select"

    @property
    def question(self) -> UsageQuestion:
        self.is_valid()
        chosen = self.cleaned_data
        person: User | None = chosen.get("person")
        return UsageQuestion(
            period=Period(chosen.get("period") or Period.WEEK),
            model_name=chosen.get("model") or "",
            user_id=person.pk if person else None,
        )

    @property
    def person_shown(self) -> User | None:
        self.is_valid()
        found: User | None = self.cleaned_data.get("person")
        return found


@dataclass(frozen=True, slots=True)
class Tile:
    name: str
    value: str
    note: str


@dataclass(frozen=True, slots=True)
class Row:
    """A model or a person in a table; `share` is the part of the largest, for the bar."""

    name: str
    person: str
    share: str
    cells: tuple[str, ...]


def tiles_of(total: Figures) -> list[Tile]:
    """The figures that a person looks for first."""
    kept = _("%(n)s from kept answers") % {"n": say_count(total.kept)} if total.kept else ""
    failed = _("%(share)s failed") % {"share": say_share(total.failed_share)}
    tokens = _("%(prompt)s read, %(completion)s written") % {
        "prompt": say_count(total.prompt_tokens),
        "completion": say_count(total.completion_tokens),
    }
    slow = _("one in twenty takes more than %(time)s") % {"time": say_seconds(total.first_token_slow)}
    return [
        Tile(_("Answers"), say_count(total.answers), ", ".join(filter(None, [failed, kept]))),
        Tile(_("Tokens"), say_count(total.tokens), tokens),
        Tile(
            _("First token"),
            say_seconds(total.first_token_median),
            slow if total.first_token_slow is not None else _("nothing measured"),
        ),
        Tile(_("Tokens per second"), say_speed(total.tokens_per_second), _("of one answer, on average")),
        Tile(
            _("Cost"),
            say_cost(total.cost),
            _("in the currency of the prices") if total.cost is not None else _("no model has a price"),
        ),
    ]


def charts_of(overview: UsageOverview) -> list[Chart]:
    """One for each thing that changes over time; cost only where something has a price."""
    charts = [_answers(overview), _tokens(overview), _first_token(overview), _speed(overview)]
    return charts if overview.total.cost is None else [*charts, _cost(overview)]


def _answers(overview: UsageOverview) -> Chart:
    whole = _values(overview, lambda figures: figures.whole)
    failed = _values(overview, lambda figures: figures.failed)
    total = overview.total
    return draw_bars(
        "answers",
        _("Answers"),
        _names(overview),
        [Series(_("whole"), "first", whole), Series(_("failed"), "bad", failed)],
        say=say_count,
        summary=_("%(n)s answers, %(failed)s failed.")
        % {"n": say_count(total.answers), "failed": say_count(total.failed)},
    )


def _tokens(overview: UsageOverview) -> Chart:
    written = _values(overview, lambda figures: figures.completion_tokens)
    read = _values(overview, lambda figures: figures.prompt_tokens)
    return draw_bars(
        "tokens",
        _("Tokens"),
        _names(overview),
        [Series(_("written"), "first", written), Series(_("read"), "second", read)],
        say=say_count,
        summary=_("%(n)s tokens.") % {"n": say_count(overview.total.tokens)},
    )


def _first_token(overview: UsageOverview) -> Chart:
    median = _values(overview, lambda figures: figures.first_token_median)
    slow = _values(overview, lambda figures: figures.first_token_slow)
    return draw_lines(
        "first-token",
        _("First token"),
        _names(overview),
        [Series(_("half within"), "first", median), Series(_("19 of 20 within"), "slow", slow)],
        say=say_seconds,
        summary=_("Half of the first tokens came within %(time)s.")
        % {"time": say_seconds(overview.total.first_token_median)},
    )


def _speed(overview: UsageOverview) -> Chart:
    speed = _values(overview, lambda figures: figures.tokens_per_second)
    return draw_lines(
        "speed",
        _("Tokens per second"),
        _names(overview),
        [Series(_("of one answer"), "first", speed)],
        say=say_speed,
        summary=_("%(n)s tokens per second on average.") % {"n": say_speed(overview.total.tokens_per_second)},
    )


def _cost(overview: UsageOverview) -> Chart:
    cost = _values(overview, lambda figures: None if figures.cost is None else float(figures.cost))
    return draw_bars(
        "cost",
        _("Cost"),
        _names(overview),
        [Series(_("cost"), "first", cost)],
        say=say_cost,
        summary=_("%(n)s in all.") % {"n": say_cost(overview.total.cost)},
    )


def _values(overview: UsageOverview, pick: Callable[[Figures], float | None]) -> list[float | None]:
    return [pick(point.figures) for point in overview.points]


def model_rows(overview: UsageOverview) -> list[Row]:
    most = max((figures.tokens for _name, figures in overview.models), default=0)
    return [_row(name, "", figures, most) for name, figures in overview.models]


def person_rows(overview: UsageOverview) -> list[Row]:
    most = max((person.figures.tokens for person in overview.people), default=0)
    return [
        _row(
            person.email or _("people who are gone"),
            str(person.user_id or ""),
            person.figures,
            most,
            is_person=True,
        )
        for person in overview.people
    ]


def _row(name: str, person: str, figures: Figures, most: int, *, is_person: bool = False) -> Row:
    cells = [
        say_count(figures.answers),
        say_share(figures.failed_share),
        say_count(figures.tokens),
        say_speed(figures.tokens_per_second),
    ]
    if not is_person:
        cells += [say_seconds(figures.first_token_median), say_seconds(figures.first_token_slow)]
    share = f"{100 * figures.tokens / most:.1f}" if most else "0"
    return Row(name, person, share, (*cells, say_cost(figures.cost)))


def _names(overview: UsageOverview) -> list[str]:
    def name(point: Point) -> str:
        return point.start.strftime("%H:%M") if overview.is_hourly else date_format(point.start, "j M")

    return [name(point) for point in overview.points]
