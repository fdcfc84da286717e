"""The administration's form for a character: lists as plain text, the portrait as an upload. Rules are in services."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from characters.errors import PictureRefused
from characters.models import MAX_SUGGESTIONS, MAX_TAGS, Character
from characters.pictures import MAX_BYTES, encode_portrait


class ListField(forms.CharField):
    """A list of short texts, typed with a separator between them."""

    def __init__(self, *, separator: str, item_length: int, most: int, **options: Any) -> None:
        self.separator, self.item_length, self.most = separator, item_length, most
        super().__init__(required=False, **options)

    def prepare_value(self, value: Any) -> Any:
        joint = "\n" if self.separator == "\n" else f"{self.separator} "
        return joint.join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        items = [item.strip() for item in (super().to_python(value) or "").split(self.separator)]
        return [item for item in items if item]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool((initial or []) != self.to_python(data))

    def validate(self, value: Any) -> None:
        super().validate(value)
        if len(value) > self.most:
            raise forms.ValidationError(_("At most %(most)d, please.") % {"most": self.most})
        for item in value:
            if len(item) > self.item_length:
                raise forms.ValidationError(
                    _("“%(item)s…” is longer than %(length)d characters.")
                    % {"item": item[:30], "length": self.item_length}
                )


class CharacterForm(forms.ModelForm[Character]):
    suggestions = ListField(
        separator="\n",
        item_length=200,
        most=MAX_SUGGESTIONS,
        label=_("Suggestions"),
        widget=forms.Textarea(attrs={"rows": 4, "cols": 80}),
        help_text=_("Things to start with, one a line, written as the person would say them."),
    )
    tags = ListField(
        separator=",",
        item_length=40,
        most=MAX_TAGS,
        label=_("Tags"),
        widget=forms.TextInput(attrs={"size": 60}),
        help_text=_("Single words, separated by commas; people search by them."),
    )
    is_shown = forms.BooleanField(
        label=_("Show to everyone"), required=False, help_text=_("Otherwise only their owner meets them.")
    )
    portrait = forms.FileField(
        label=_("New portrait"),
        required=False,
        widget=forms.ClearableFileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
        help_text=_("PNG, JPEG or WebP, at most 8 MB. It is cropped to a square and loses its metadata."),
    )

    class Meta:
        model = Character
        # The portrait and who sees them come through fields of their own.
        exclude = ["avatar", "visibility", "is_published"]  # noqa: DJ006
        widgets = {
            "tagline": forms.TextInput(attrs={"size": 80}),
            "description": forms.Textarea(attrs={"rows": 4, "cols": 80}),
            "system_prompt": forms.Textarea(attrs={"rows": 14, "cols": 80}),
            "greeting": forms.Textarea(attrs={"rows": 4, "cols": 80}),
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.initial.setdefault("is_shown", self.instance.is_shown_to_everyone)

    def clean_portrait(self) -> bytes | None:
        """The upload's bytes, tried here so that a refusal stands beside the field; the service encodes them."""
        upload = self.cleaned_data["portrait"]
        if not upload:
            return None
        data: bytes = upload.read(MAX_BYTES + 1)
        try:
            encode_portrait(data)
        except PictureRefused as error:
            raise forms.ValidationError(str(error.user_message), code=error.code) from error
        return data
