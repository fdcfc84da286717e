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

from accounts.errors import ParlourError
from accounts.models import User
from characters.admin.filters import AudienceFilter, MissingFilter, StateFilter
from characters.admin.moderation import ModerationAdmin
from characters.assets.services import set_portrait
from characters.forms import CharacterForm
from characters.models import Character, CharacterUsage, Visibility
from characters.publishing import publish_character, unpublish_character
from characters.services import (
    create_character,
    delete_character,
    update_character,
)
from documents.models import Collection


@admin.register(Character)
class CharacterAdmin(ModerationAdmin):
    form = CharacterForm
    list_display = [
        "small_portrait",
        "name",
        "audience",
        "people",
        "feedback",
        "owner",
        "updated_at",
    ]
    list_display_links = ["small_portrait", "name"]
    list_filter = [StateFilter, AudienceFilter, "is_grounded", MissingFilter, "model", "updated_at"]
    list_select_related = ["model", "owner", "usage"]
    search_fields = ["name", "slug", "tagline", "description", "tags", "owner__email"]
    autocomplete_fields = ["owner"]
    filter_horizontal = ["collections"]
    readonly_fields = ["large_portrait", "state", "last_thirty_days", "created_at", "updated_at"]
    save_on_top = True
    fieldsets = [
        (None, {"fields": ["state", "last_thirty_days"]}),
        (_("For people"), {"fields": ["name", "slug", "tagline", "description", "tags", "creator_notes"]}),
        (_("Portrait"), {"fields": ["large_portrait", "portrait"]}),
        (
            _("What they say"),
            {
                "fields": [
                    *("system_prompt", "definition", "personality", "scenario", "example_dialogue"),
                    *("post_history_instructions", "greeting", "suggestions"),
                ]
            },
        ),
        (_("What they know"), {"fields": ["is_grounded", "collections"]}),
        (_("How they answer"), {"fields": ["model", "temperature", "max_tokens"]}),
        (_("Who sees them"), {"fields": ["is_shown", "is_remixable", "position", "owner"]}),
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
        if character.is_hidden:
            return str(_("Hidden"))
        if character.review_requested_at:
            return str(_("Waits for review"))
        if not character.is_shown:
            return str(_("Only the owner"))
        return str(Visibility(character.visibility).label)

    @admin.display(description=_("people, 30 days"), ordering="popularity")
    def people(self, character: Character) -> int:
        return character.popularity

    @admin.display(description=_("good and bad answers"))
    def feedback(self, character: Character) -> str:
        usage = _usage(character)
        return f"{usage.liked} / {usage.disliked}" if usage and (usage.liked or usage.disliked) else "—"

    @admin.display(description=_("State"))
    def state(self, character: Character) -> str:
        words = [self.audience(character)]
        if character.is_hidden:
            words.append(character.hidden_reason)
        if character.featured_at:
            words.append(str(_("featured")))
        if character.version:
            words.append(str(_("version %(number)d") % {"number": character.version.number}))
        if character.remix_credit:
            words.append(str(_("remixed from %(credit)s") % {"credit": character.remix_credit}))
        return ", ".join(words)

    @admin.display(description=_("Last thirty days"))
    def last_thirty_days(self, character: Character) -> str:
        usage = _usage(character)
        if usage is None:
            return str(
                _("Nobody has talked with them yet, or it has not been counted: that happens every hour.")
            )
        return str(
            _(
                "%(people)d people, %(conversations)d chats, %(replies)d answers of %(tokens)d tokens; "
                "%(liked)d answers were found good and %(disliked)d bad."
            )
            % {
                "people": usage.people,
                "conversations": usage.conversations,
                "replies": usage.replies,
                "tokens": usage.tokens,
                "liked": usage.liked,
                "disliked": usage.disliked,
            }
        )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Choosing a model or an owner is all one does here; each has a place of its own."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            for right in ("add", "change", "delete", "view"):
                setattr(field.widget, f"can_{right}_related", False)
        return field

    def get_fieldsets(self, request: HttpRequest, obj: Character | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        # A new one has neither a state nor times.
        return fieldsets if obj else fieldsets[1:-1]

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


def _usage(character: Character) -> CharacterUsage | None:
    return getattr(character, "usage", None)
