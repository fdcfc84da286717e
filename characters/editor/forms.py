"""The editor's form: shapes only; rules are in services. Lists come as repeated fields, the crop as three numbers."""

from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from characters.assets.services import MAX_STYLE_LENGTH
from characters.editor.sampling import PREFIX, initial_sampling, new_sampling_fields, read_sampling
from characters.errors import PictureRefused
from characters.forms import ListField
from characters.models import MAX_CARD_TEXT_LENGTH, MAX_SUGGESTIONS, MAX_TAGS, Character, Visibility
from characters.pictures import MAX_BYTES, Crop, encode_portrait
from documents.models import Collection
from inference.models import Model

MAX_GREETINGS = 40


class TextsWidget(forms.Widget):
    """Several fields of one name."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        return data.getlist(name) if isinstance(data, MultiValueDict) else list(data.get(name, []))

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data


class TextsField(forms.Field):
    """A list of texts; empty ones are left out."""

    def __init__(self, *, most: int, max_length: int, **options: Any) -> None:
        self.most, self.max_length = most, max_length
        super().__init__(required=False, widget=TextsWidget(), **options)

    def clean(self, value: list[str] | None) -> list[str]:
        texts = [text.replace("\r\n", "\n").strip() for text in value or []]
        texts = [text for text in texts if text]
        if len(texts) > self.most:
            raise forms.ValidationError(_("At most %(most)d, please.") % {"most": self.most})
        if any(len(text) > self.max_length for text in texts):
            raise forms.ValidationError(
                _("One of them is longer than %(length)d characters.") % {"length": self.max_length}
            )
        return texts


class EditorForm(forms.ModelForm[Character]):
    tags = ListField(
        separator=",",
        item_length=40,
        most=MAX_TAGS,
        label=_("Tags"),
        widget=forms.TextInput(),
        help_text=_("Single words, separated by commas; people search by them."),
    )
    alternate_greetings = TextsField(
        most=MAX_GREETINGS, max_length=MAX_CARD_TEXT_LENGTH, label=_("Other greetings")
    )
    suggestions = TextsField(most=MAX_SUGGESTIONS, max_length=200, label=_("Things to start with"))
    style = forms.CharField(
        label=_("How they are drawn"),
        required=False,
        max_length=MAX_STYLE_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_(
            "In Markdown, for whoever draws them next: palette, dress, light. The model does not read it."
        ),
    )
    portrait = forms.FileField(label=_("Portrait"), required=False)
    crop_x = forms.FloatField(required=False, min_value=0, max_value=1, widget=forms.HiddenInput())
    crop_y = forms.FloatField(required=False, min_value=0, max_value=1, widget=forms.HiddenInput())
    crop_side = forms.FloatField(required=False, min_value=0.01, max_value=1, widget=forms.HiddenInput())
    visibility = forms.ChoiceField(
        label=_("Who may see them"), choices=Visibility.choices, widget=forms.RadioSelect(), required=False
    )
    groups = forms.ModelMultipleChoiceField(
        label=_("Groups"),
        queryset=Group.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple(),
    )
    note = forms.CharField(
        label=_("What changed"),
        required=False,
        max_length=200,
        help_text=_("For the history; empty is fine."),
    )

    class Meta:
        model = Character
        fields = (
            *("name", "nickname", "tagline", "description", "tags", "creator_notes"),
            *("definition", "personality", "scenario", "system_prompt", "post_history_instructions"),
            *("example_dialogue", "greeting", "alternate_greetings", "suggestions"),
            *("is_grounded", "collections", "model", "temperature", "max_tokens", "is_remixable"),
        )
        widgets = {
            "description": forms.Textarea(attrs={"rows": 3}),
            "creator_notes": forms.Textarea(attrs={"rows": 3}),
            "definition": forms.Textarea(attrs={"rows": 7}),
            "personality": forms.Textarea(attrs={"rows": 2}),
            "scenario": forms.Textarea(attrs={"rows": 3}),
            "system_prompt": forms.Textarea(attrs={"rows": 7}),
            "post_history_instructions": forms.Textarea(attrs={"rows": 3}),
            "example_dialogue": forms.Textarea(attrs={"rows": 8}),
            "greeting": forms.Textarea(attrs={"rows": 4}),
            "collections": forms.CheckboxSelectMultiple(),
            "temperature": forms.NumberInput(attrs={"step": "0.1", "min": "0", "max": "2"}),
        }

    def __init__(self, *args: Any, person: User, style: str = "", **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields.update(new_sampling_fields())
        # A draft's settings before the saved ones.
        self.initial.update(initial_sampling(self.initial.get("sampling", self.instance.sampling)))
        for field in self.fields.values():
            widget = field.widget
            if isinstance(widget, forms.Textarea):
                widget.attrs["class"] = "textarea"
            elif isinstance(widget, forms.Select) and not isinstance(widget, forms.RadioSelect):
                widget.attrs["class"] = "select"
            elif isinstance(widget, forms.TextInput | forms.NumberInput):
                widget.attrs["class"] = "input"
        self.initial.setdefault("style", style)
        row = self.instance
        shown_as = row.visibility if row.pk and row.is_published else Visibility.PRIVATE
        if row.review_requested_at:
            shown_as = Visibility.EVERYONE
        self.initial["visibility"] = shown_as if row.name else Visibility.PRIVATE
        self._choose_rows(person)

    def _choose_rows(self, person: User) -> None:
        """What this person may choose among."""
        may_publish = person.has_perm("characters.publish_character")
        groups = self.fields["groups"]
        collections, models = self.fields["collections"], self.fields["model"]
        assert isinstance(groups, forms.ModelMultipleChoiceField)
        assert isinstance(collections, forms.ModelMultipleChoiceField)
        assert isinstance(models, forms.ModelChoiceField)
        groups.queryset = Group.objects.all() if may_publish else person.groups.all()
        if self.instance.name:
            self.initial["groups"] = list(self.instance.shown_to.all())
        collections.queryset = Collection.objects.visible_to(person)
        models.queryset = Model.objects.filter(capabilities__contains=["chat"])
        models.empty_label = str(_("The one chosen in the chat"))

    def clean_portrait(self) -> bytes | None:
        """The upload's bytes, tried here so that a refusal stands beside the field."""
        upload = self.cleaned_data["portrait"]
        if not upload:
            return None
        data: bytes = upload.read(MAX_BYTES + 1)
        try:
            encode_portrait(data)
        except PictureRefused as error:
            raise forms.ValidationError(str(error.user_message), code=error.code) from error
        return data

    @property
    def crop(self) -> Crop | None:
        """Where the portrait was cut, if the person cut it."""
        x, y, side = (self.cleaned_data.get(name) for name in ("crop_x", "crop_y", "crop_side"))
        return None if x is None or y is None or side is None else Crop(x, y, side)

    @property
    def words(self) -> dict[str, Any]:
        """What `create_character` and `update_character` take."""
        names = [name for name in self.Meta.fields if name != "collections"]
        fields = {name: self.cleaned_data[name] for name in names if name in self.cleaned_data}
        fields["collections"] = list(self.cleaned_data["collections"])
        fields["sampling"] = read_sampling(self.cleaned_data)
        return fields

    @property
    def sampling(self) -> list[forms.BoundField]:
        """The fields of further settings."""
        return [self[name] for name in self.fields if name.startswith(PREFIX)]

    @property
    def has_settings(self) -> bool:
        """Whether the model or any setting is chosen."""
        chosen = [self["model"], self["temperature"], self["max_tokens"], *self.sampling]
        return any(field.value() not in (None, "", []) for field in chosen)
