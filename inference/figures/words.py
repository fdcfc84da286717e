"""Figures as people read them: short, with their units."""

from decimal import Decimal

from django.utils.formats import number_format
from django.utils.translation import gettext as _

NOTHING = "–"


def say_count(value: float | None) -> str:
    """12, 1.2k, 3.4M."""
    if value is None:
        return NOTHING
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{_short(value / size)}{letter}"
    return _short(value)


def say_seconds(value: float | None) -> str:
    """85 ms, 1.2 s, 3 min."""
    if value is None:
        return NOTHING
    if value == 0:
        return _("0 s")
    if value < 1:
        return _("%(n)s ms") % {"n": round(value * 1000)}
    if value < 120:
        return _("%(n)s s") % {"n": _short(value)}
    return _("%(n)s min") % {"n": round(value / 60)}


def say_speed(value: float | None) -> str:
    return NOTHING if value is None else say_count(value)


def say_share(value: float) -> str:
    """0 %, 0.4 %, 12 %."""
    return _("%(n)s %%") % {"n": _short(value * 100)}


def say_cost(value: Decimal | float | None) -> str:
    """In the currency of the models' prices, whichever that is."""
    if value is None:
        return NOTHING
    places = 2 if value == 0 or value >= 1 else 4
    return number_format(
        round(Decimal(value), places), decimal_pos=places, use_l10n=True, force_grouping=True
    )


def say_gigabytes(value: float) -> str:
    return _("%(n)s GB") % {"n": _short(value)}


def _short(value: float) -> str:
    places = 0 if abs(value) >= 100 or value == round(value) else 1 if abs(value) >= 10 else 2
    text = number_format(round(value, places), decimal_pos=places, use_l10n=True)
    return text.rstrip("0").rstrip(".,") if places else text
