"""Review, feature, hide with a reason, cards in and out by the hundred: what is done with the list of characters."""

from collections.abc import Callable
from typing import IO, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.errors import ParlourError
from accounts.models import User
from accounts.streaming import as_they_come
from characters.cards.archives import MAX_ARCHIVE_BYTES, Arrival, export_zip, import_zip
from characters.cards.reading import read_card_file
from characters.cards.services import import_card
from characters.models import Character
from characters.publishing import (
    feature_character,
    hide_character,
    publish_character,
    unhide_character,
    unpublish_character,
)

_ZIP = b"PK\x03\x04"
# A page that waits for more than this is one whose browser gives up.
MOST_EXPORTED = 500


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Why"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
        help_text=_("Their owners read this sentence. Say what would have to change."),
    )


class CardsForm(forms.Form):
    file = forms.FileField(
        label=_("Cards"),
        help_text=_("A ZIP of cards of at most 256 MB, or one card: PNG, JSON or CHARX, V1 to V3."),
    )


class ModerationAdmin(admin.ModelAdmin[Character]):
    """The list's actions and the two pages they lead to."""

    actions = ["publish", "unpublish", "feature", "unfeature", "hide", "unhide", "export_cards"]
    change_list_template = "admin/characters/character/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        own = path(
            "import/", self.admin_site.admin_view(self.import_cards), name="characters_character_import"
        )
        return [own, *super().get_urls()]

    @admin.action(description=_("Show the chosen characters to everyone"), permissions=["change"])
    def publish(self, request: HttpRequest, queryset: QuerySet[Character]) -> None:
        self._each(request, queryset, publish_character)

    @admin.action(description=_("Show the chosen characters to their owners only"), permissions=["change"])
    def unpublish(self, request: HttpRequest, queryset: QuerySet[Character]) -> None:
        self._each(request, queryset, unpublish_character)

    @admin.action(description=_("Feature the chosen characters"), permissions=["change"])
    def feature(self, request: HttpRequest, queryset: QuerySet[Character]) -> None:
        self._each(request, queryset, feature_character, is_featured=True)

    @admin.action(description=_("Feature the chosen characters no longer"), permissions=["change"])
    def unfeature(self, request: HttpRequest, queryset: QuerySet[Character]) -> None:
        self._each(request, queryset, feature_character, is_featured=False)

    @admin.action(description=_("Let the chosen characters be seen again"), permissions=["change"])
    def unhide(self, request: HttpRequest, queryset: QuerySet[Character]) -> None:
        self._each(request, queryset, unhide_character)

    @admin.action(description=_("Hide the chosen characters, with a reason"), permissions=["change"])
    def hide(self, request: HttpRequest, queryset: QuerySet[Character]) -> HttpResponse | None:
        """Asks why first; a wish for review is declined this way."""
        form = ReasonForm(request.POST if "reason" in request.POST else None)
        if form.is_valid():
            self._each(request, queryset, hide_character, reason=form.cleaned_data["reason"])
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": _("Hide characters"),
            "opts": self.opts,
            "form": form,
            "characters": queryset,
            "action_checkbox_name": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/characters/character/hide.html", context)

    @admin.action(description=_("Download the chosen characters as cards"), permissions=["change"])
    def export_cards(
        self, request: HttpRequest, queryset: QuerySet[Character]
    ) -> StreamingHttpResponse | None:
        assert isinstance(request.user, User)
        keys = list(queryset.values_list("pk", flat=True)[: MOST_EXPORTED + 1])
        if len(keys) > MOST_EXPORTED:
            self.message_user(request, _("At most 500 at once, please."), messages.ERROR)
            return None
        pieces = as_they_come(export_zip(actor=request.user, character_ids=keys))
        response = StreamingHttpResponse(pieces, content_type="application/zip")
        name = f"characters-{timezone.localdate():%Y-%m-%d}.zip"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    def import_cards(self, request: HttpRequest) -> HttpResponse:
        """A page that takes cards, and says of each what became of it."""
        assert isinstance(request.user, User)
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = CardsForm(request.POST or None, request.FILES or None)
        arrivals: list[Arrival] = []
        if request.method == "POST" and form.is_valid():
            upload = form.cleaned_data["file"]
            try:
                arrivals = _import(request.user, upload.name, upload.file)
            except ParlourError as error:
                form.add_error("file", str(error.user_message))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Import cards"),
            "opts": self.opts,
            "form": form,
            "arrivals": arrivals,
            "come": sum(arrival.character is not None for arrival in arrivals),
        }
        return TemplateResponse(request, "admin/characters/character/import.html", context)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        more = {"import_url": reverse("admin:characters_character_import")}
        return super().changelist_view(request, {**more, **(extra_context or {})})

    def _each(
        self,
        request: HttpRequest,
        queryset: QuerySet[Character],
        verb: Callable[..., Character],
        **options: object,
    ) -> None:
        assert isinstance(request.user, User)
        count = 0
        try:
            for character in queryset:
                verb(actor=request.user, character_id=character.pk, **options)
                count += 1
        except ParlourError as error:
            self.message_user(request, f"{character}: {error.user_message}", messages.ERROR)
        if count:
            words = ngettext("%(count)d character changed.", "%(count)d characters changed.", count)
            self.message_user(request, words % {"count": count})


def _import(actor: User, name: str, file: IO[bytes]) -> list[Arrival]:
    is_zip = file.read(len(_ZIP)) == _ZIP
    file.seek(0)
    if is_zip and not name.lower().endswith(".charx"):
        return import_zip(actor=actor, data=file.read(MAX_ARCHIVE_BYTES + 1))
    return [Arrival(name, import_card(actor=actor, card=read_card_file(file)))]
