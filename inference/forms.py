"""Shapes of what administrators enter about servers and models."""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.errors import ParlourError
from inference.capacity import Precision, Shape, Workload
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
        fields = [
            "name", "label", "capabilities", "context_tokens", "slots", "cache_seconds", "is_enabled",
        ]  # fmt: skip


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


class CapacityForm(forms.Form):
    """A model and how it is used, to plan GPU memory for."""

    EXAMPLE: ClassVar[dict[str, str]] = {
        "parameters": "7",
        "weight_bits": Precision.BITS_16,
        "context": "8192",
        "answers": "8",
        "cache_bits": Precision.BITS_16,
    }

    parameters = forms.FloatField(label=_("Parameters, billions"), min_value=0.05, max_value=5000)
    weight_bits = forms.ChoiceField(
        label=_("Weights"),
        choices=[
            (Precision.BITS_16, _("16 bits (FP16, BF16)")),
            (Precision.BITS_8, _("8 bits (FP8, INT8, Q8)")),
            (Precision.BITS_4, _("4 bits (AWQ, GPTQ, Q4)")),
        ],
    )
    context = forms.IntegerField(label=_("Tokens of one conversation"), min_value=128, max_value=10_000_000)
    answers = forms.IntegerField(label=_("Answers at once"), min_value=1, max_value=10_000)
    cache_bits = forms.ChoiceField(
        label=_("Cached keys and values"),
        choices=[(Precision.BITS_16, _("16 bits")), (Precision.BITS_8, _("8 bits"))],
    )
    layers = forms.IntegerField(label=_("Layers"), min_value=1, max_value=1000, required=False)
    heads = forms.IntegerField(label=_("Key-value heads"), min_value=1, max_value=1000, required=False)
    head_size = forms.IntegerField(label=_("Head size"), min_value=8, max_value=1024, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["class"] = "select" if isinstance(field, forms.ChoiceField) else "input"
        self.fields["parameters"].widget.attrs["step"] = "any"

    def clean(self) -> None:
        super().clean()
        shape = [self.cleaned_data.get(name) for name in ("layers", "heads", "head_size")]
        if any(shape) and not all(shape):
            raise ValidationError(_("Give layers, key-value heads and head size together, or none of them."))

    @property
    def has_shape(self) -> bool:
        """Whether the model's own shape was given, so that its fields stand open."""
        return any(self.data.get(name) for name in ("layers", "heads", "head_size"))

    @property
    def workload(self) -> Workload | None:
        """What was entered; None while something of it does not hold."""
        if not self.is_valid():
            return None
        entered = self.cleaned_data
        shape = (entered["layers"], entered["heads"], entered["head_size"])
        return Workload(
            parameters_billions=entered["parameters"],
            weight_bits=Precision(entered["weight_bits"]),
            context_tokens=entered["context"],
            concurrent_answers=entered["answers"],
            cache_bits=Precision(entered["cache_bits"]),
            shape=Shape(*shape) if all(shape) else None,
        )
