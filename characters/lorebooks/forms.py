"""Forms of the lorebook pages: keys one a line. They check shape; rules are in services."""

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from characters.lorebooks.models import Lorebook, LorebookEntry
from characters.lorebooks.services import EntryChanges


class LinesField(forms.CharField):
    """A list of texts, one a line."""

    widget = forms.Textarea(attrs={"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in (super().to_python(value) or "").splitlines() if line.strip()]


class LorebookForm(forms.ModelForm[Lorebook]):
    class Meta:
        model = Lorebook
        fields = ("name", "description", "scan_depth", "token_budget", "is_recursive")
        widgets = {"description": forms.Textarea(attrs={"rows": 2})}


class EntryForm(forms.ModelForm[LorebookEntry]):
    keys = LinesField(
        label=_("Keys"),
        required=False,
        help_text=_("One a line. Any of them in the chat brings the entry up."),
    )
    secondary_keys = LinesField(
        label=_("Second keys"),
        required=False,
        help_text=_("One a line; they count if “minds second keys” is on."),
    )

    class Meta:
        model = LorebookEntry
        fields = (
            "name", "keys", "content", "is_enabled", "is_constant", "position", "insertion_order", "priority",
            "is_selective", "secondary_keys", "logic", "uses_regex", "is_case_sensitive", "is_whole_words",
        )  # fmt: skip
        widgets = {"content": forms.Textarea(attrs={"rows": 8})}

    def values(self) -> EntryChanges:
        """What the services take."""
        return cast(EntryChanges, self.cleaned_data)
