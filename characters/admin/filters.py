"""What administrators ask of the list of characters."""

from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from characters.models import Character, Visibility


class StateFilter(admin.SimpleListFilter):
    title = _("what needs a look")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, Any]]:
        return [
            ("review", _("Waits for review")),
            ("hidden", _("Hidden")),
            ("featured", _("Featured")),
            ("disliked", _("More bad answers than good")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Character]) -> QuerySet[Character]:
        if self.value() == "review":
            return queryset.exclude(review_requested_at=None).order_by("review_requested_at")
        if self.value() == "hidden":
            return queryset.exclude(hidden_at=None)
        if self.value() == "featured":
            return queryset.exclude(featured_at=None)
        if self.value() == "disliked":
            return queryset.filter(usage__disliked__gt=F("usage__liked"))
        return queryset


class AudienceFilter(admin.SimpleListFilter):
    title = _("who sees them")
    parameter_name = "audience"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, Any]]:
        return [("everyone", _("Everyone")), ("group", _("Groups")), ("owner", _("Only the owner"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Character]) -> QuerySet[Character]:
        shown = {"is_published": True, "hidden_at": None}
        if self.value() == "everyone":
            return queryset.filter(visibility=Visibility.EVERYONE, **shown)
        if self.value() == "group":
            return queryset.filter(visibility=Visibility.GROUP, **shown)
        if self.value() == "owner":
            return queryset.exclude(visibility__in=[Visibility.EVERYONE, Visibility.GROUP], **shown)
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
