"""The editor's fields for how a model picks its words: one for each setting that a character may bring."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from characters.forms import ListField
from characters.sampling import MAX_STOP_LENGTH, MAX_STOPS, NUMBERS

# Before the name of a setting in the form.
PREFIX = "sampling-"


def new_sampling_fields() -> dict[str, forms.Field]:
    """Fields by their name in the form, all of them optional; the labels are the settings' own names."""
    fields: dict[str, forms.Field] = {PREFIX + name: _number(name) for name in NUMBERS}
    fields[f"{PREFIX}stop"] = ListField(
        separator="\n",
        item_length=MAX_STOP_LENGTH,
        most=MAX_STOPS,
        label=_("Stop at"),
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Texts at which an answer ends, one a line, at most four."),
    )
    return fields


def initial_sampling(settings: Mapping[str, object]) -> dict[str, object]:
    """What the fields show of a character's settings."""
    return {PREFIX + name: value for name, value in settings.items()}


def read_sampling(answers: Mapping[str, Any]) -> dict[str, object]:
    """The settings as a character keeps them; an empty field is none."""
    return {
        name: answers[PREFIX + name]
        for name in (*NUMBERS, "stop")
        if answers.get(PREFIX + name) not in (None, [])
    }


def _number(name: str) -> forms.Field:
    least, most = NUMBERS[name]
    if isinstance(least, int) and isinstance(most, int):
        return forms.IntegerField(label=name, required=False, min_value=least, max_value=most)
    return forms.FloatField(
        label=name,
        required=False,
        min_value=least,
        max_value=most,
        widget=forms.NumberInput(attrs={"step": "any"}),
    )
