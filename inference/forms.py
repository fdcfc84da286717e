"""Shapes of what administrators enter about servers and models."""

from typing import Any, ClassVar
from urllib.parse import parse_qsl

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.errors import ParlourError
from inference.estate.discovery import api_base
from inference.figures.capacity import Precision, Shape, Workload
from inference.keys import check_reference
from inference.models import Capability, Model, Server, ServerKind
from inference.sampling import check_defaults


class ModelForm(forms.ModelForm[Model]):
    """A model's row; which one is the default is an action of its own, since it concerns two rows."""

    capabilities = forms.MultipleChoiceField(
        label=_("Capabilities"),
        choices=Capability.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    class Meta:
        model = Model
        fields = [
            "name", "label", "capabilities", "context_tokens", "defaults", "prompt_price", "completion_price",
            "is_restricted", "groups", "slots", "cache_seconds", "is_enabled",
        ]  # fmt: skip
        widgets = {
            "defaults": forms.Textarea(attrs={"rows": 3}),
            "groups": forms.CheckboxSelectMultiple,
        }

    def clean_defaults(self) -> dict[str, Any]:
        values: dict[str, Any] = self.cleaned_data["defaults"] or {}
        try:
            check_defaults(values)
        except ParlourError as error:
            raise ValidationError(str(error.user_message)) from error
        return values


class ServerForm(forms.ModelForm[Server]):
    """A server's row; says beside the field what an address or a key reference lacks."""

    class Meta:
        model = Server
        fields = ["name", "kind", "base_url", "api_version", "api_key_ref", "is_enabled"]
        help_texts = {
            "kind": _("Leave “OpenAI-compatible” to have it recognised."),
            "base_url": _(
                "For instance http://localhost:11434 for Ollama. /v1 is added where no path is given. "
                "For Azure ML the scoring URI."
            ),
        }

    def clean(self) -> None:
        super().clean()
        kind, url = self.cleaned_data.get("kind", ""), self.cleaned_data.get("base_url", "")
        if kind == ServerKind.QUOTES or "base_url" in self.errors:
            return
        if kind == ServerKind.AZURE_DATED:
            url = self._take_version(url)
        try:
            url = self.cleaned_data["base_url"] = api_base(url, kind)
        except ParlourError as error:
            self.add_error("base_url", str(error.user_message))
        try:
            check_reference(self.cleaned_data.get("api_key_ref", ""), base_url=url)
        except ParlourError as error:
            self.add_error("api_key_ref", str(error.user_message))

    def _take_version(self, url: str) -> str:
        """Azure's portal shows the whole address with its version: that may be pasted as it stands."""
        address, _mark, query = url.partition("?")
        version = self.cleaned_data.get("api_version") or dict(parse_qsl(query)).get("api-version", "")
        if not version:
            self.add_error("api_version", _("This kind needs a version, for instance 2024-10-21."))
        self.cleaned_data["api_version"] = version
        return address


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
