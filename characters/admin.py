"""The cast for administrators without a shell: words, portrait, who sees whom. Writes go through services."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.errors import ParlourError
from accounts.models import User
from characters.assets.services import set_portrait
from characters.forms import CharacterForm
from characters.models import Character, Visibility
from characters.publishing import publish_character, unpublish_character
from characters.services import (
    create_character,
    delete_character,
    update_character,
)
from documents.models import Collection


class AudienceFilter(admin.SimpleListFilter):
    title = _("who sees them")
    parameter_name = "audience"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, Any]]:
        return [("everyone", _("Everyone")), ("owner", _("Only the owner"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Character]) -> QuerySet[Character]:
        shown = {"visibility": Visibility.EVERYONE, "is_published": True}
        if self.value() == "everyone":
            return queryset.filter(**shown)
        if self.value() == "owner":
            return queryset.exclude(**shown)
        return queryset


class MissingFilter(admin.SimpleListFilter):
    title = _("what is missing")
    parameter_name = "missing"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, Any]]:
        return [
            ("avatar", _("A portrait")),
            ("system_prompt", _("A system prompt")),
            ("greeting", _("A greeting")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Character]) -> QuerySet[Character]:
        if self.value() in {"avatar", "system_prompt", "greeting"}:
            return queryset.filter(**{str(self.value()): ""})
        return queryset


@admin.register(Character)
class CharacterAdmin(admin.ModelAdmin[Character]):
    form = CharacterForm
    list_display = [
        "small_portrait",
        "name",
        "audience",
        "is_grounded",
        "model",
        "owner",
        "updated_at",
    ]
    list_display_links = ["small_portrait", "name"]
    list_filter = [AudienceFilter, "is_grounded", MissingFilter, "model", "updated_at"]
    list_select_related = ["model", "owner"]
    search_fields = ["name", "slug", "tagline", "description", "tags", "owner__email"]
    autocomplete_fields = ["owner"]
    filter_horizontal = ["collections"]
    readonly_fields = ["large_portrait", "created_at", "updated_at"]
    actions = ["publish", "unpublish"]
    save_on_top = True
    fieldsets = [
        (None, {"fields": ["name", "slug", "tagline", "description", "tags"]}),
        (_("Portrait"), {"fields": ["large_portrait", "portrait"]}),
        (_("What they say"), {"fields": ["system_prompt", "greeting", "suggestions"]}),
        (_("What they know"), {"fields": ["is_grounded", "collections"]}),
        (_("How they answer"), {"fields": ["model", "temperature", "max_tokens"]}),
        (_("Who sees them"), {"fields": ["is_shown", "position", "owner"]}),
        (_("When"), {"fields": ["created_at", "updated_at"]}),
    ]

    @admin.display(description=_("portrait"))
    def small_portrait(self, character: Character) -> SafeString | str:
        return self._picture(character, 40)

    @admin.display(description=_("Portrait now"))
    def large_portrait(self, character: Character) -> SafeString | str:
        return self._picture(character, 192)

    def _picture(self, character: Character, side_px: int) -> SafeString | str:
        if not character.avatar:
            return "—"
        return format_html(
            '<img class="avatar" src="{}" width="{}" height="{}" alt="">',
            character.avatar_url,
            side_px,
            side_px,
        )

    @admin.display(description=_("who sees them"))
    def audience(self, character: Character) -> str:
        return str(_("Everyone") if character.is_shown_to_everyone else _("Only the owner"))

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Choosing a model or an owner is all one does here; each has a place of its own."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            for right in ("add", "change", "delete", "view"):
                setattr(field.widget, f"can_{right}_related", False)
        return field

    def get_fieldsets(self, request: HttpRequest, obj: Character | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        return fieldsets if obj else fieldsets[:-1]

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Collections are people's own: an administrator chooses among theirs."""
        assert isinstance(request.user, User)
        if db_field.name == "collections":
            kwargs["queryset"] = Collection.objects.visible_to(request.user)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def save_model(
        self, request: HttpRequest, obj: Character, form: ModelForm[Character], change: bool
    ) -> None:
        assert isinstance(request.user, User)
        names = set(form.changed_data if change else form.cleaned_data) - {"portrait", "is_shown"}
        fields = {name: form.cleaned_data[name] for name in names}
        if "collections" in fields:
            fields["collections"] = list(fields["collections"])
        if change:
            row = update_character(actor=request.user, character_id=obj.pk, **fields)
        else:
            row = create_character(actor=request.user, **fields)
        if form.cleaned_data["portrait"]:
            row = set_portrait(actor=request.user, character_id=row.pk, data=form.cleaned_data["portrait"])
        if form.cleaned_data["is_shown"] != row.is_shown_to_everyone:
            show = unpublish_character if row.is_shown_to_everyone else publish_character
            row = show(actor=request.user, character_id=row.pk)
        # What the page shows and logs next is what was stored.
        obj.__dict__.update(row.__dict__)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Collections are written by the services already."""

    def delete_model(self, request: HttpRequest, obj: Character) -> None:
        assert isinstance(request.user, User)
        delete_character(actor=request.user, character_id=obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Character]) -> None:
        for character in queryset:
            self.delete_model(request, character)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except ParlourError as error:
            messages.error(request, str(error.user_message))
            return redirect(request.get_full_path())

    @admin.action(description=_("Show the chosen characters to everyone"), permissions=["change"])
    def publish(self, request: HttpRequest, queryset: QuerySet[Character]) -> None:
        self._show(request, queryset, is_shown=True)

    @admin.action(description=_("Hide the chosen characters"), permissions=["change"])
    def unpublish(self, request: HttpRequest, queryset: QuerySet[Character]) -> None:
        self._show(request, queryset, is_shown=False)

    def _show(self, request: HttpRequest, queryset: QuerySet[Character], *, is_shown: bool) -> None:
        assert isinstance(request.user, User)
        verb = publish_character if is_shown else unpublish_character
        try:
            count = len([verb(actor=request.user, character_id=character.pk) for character in queryset])
        except ParlourError as error:
            self.message_user(request, str(error.user_message), messages.ERROR)
            return
        self.message_user(
            request,
            ngettext("%(count)d character changed.", "%(count)d characters changed.", count)
            % {"count": count},
        )
