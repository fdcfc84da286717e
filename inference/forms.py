"""Shapes of what administrators enter about servers and models."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.errors import ParlourError
from inference.discovery import api_base
from inference.keys import check_reference
from inference.models import Capability, Model, Server, ServerKind


class ModelForm(forms.ModelForm[Model]):
    """A model's row; which one is the default is an action of its own, since it concerns two rows."""

    capabilities = forms.MultipleChoiceField(
        label=_("capabilities"),
        choices=Capability.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    class Meta:
        model = Model
        fields = ["name", "label", "capabilities", "context_tokens", "is_enabled"]


class ServerForm(forms.ModelForm[Server]):
    """A server's row; says beside the field what an address or a key reference lacks."""

    class Meta:
        model = Server
        fields = ["name", "kind", "base_url", "api_key_ref", "is_enabled"]
        help_texts = {
            "kind": _("Leave “OpenAI-compatible” to have it recognised."),
            "base_url": _(
                "For instance http://localhost:11434 for Ollama. /v1 is added where no path is given."
            ),
        }

    def clean_api_key_ref(self) -> str:
        reference: str = self.cleaned_data["api_key_ref"]
        try:
            check_reference(reference)
        except ParlourError as error:
            raise ValidationError(str(error.user_message)) from error
        return reference

    def clean(self) -> None:
        super().clean()
        url = self.cleaned_data.get("base_url", "")
        if self.cleaned_data.get("kind") == ServerKind.QUOTES or "base_url" in self.errors:
            return
        try:
            self.cleaned_data["base_url"] = api_base(url)
        except ParlourError as error:
            self.add_error("base_url", str(error.user_message))
