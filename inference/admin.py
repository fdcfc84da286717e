"""Servers, models and usage for administrators. Writes go through `inference.services`."""

import uuid
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin import ReadOnlyAdmin
from accounts.models import User
from inference.forms import ModelForm, ServerForm
from inference.models import Capability, Deployment, Model, Server, Usage
from inference.queries import forget_estate
from inference.services import (
    Diagnosis,
    diagnose_server,
    refresh_models,
    save_model,
    save_server,
    set_default_model,
)


class DeploymentInline(admin.TabularInline[Deployment, Any]):
    model = Deployment
    extra = 0
    fields = ["model", "server", "remote_name", "weight", "is_enabled", "context_tokens", "missing_since"]
    readonly_fields = ["context_tokens", "missing_since"]
    autocomplete_fields = ["model", "server"]


class AnsweringFilter(admin.SimpleListFilter):
    title = _("health")
    parameter_name = "health"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, Any]]:
        return [("answering", _("Answering")), ("failing", _("Failing")), ("silent", _("Never answered"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Server]) -> QuerySet[Server]:
        match self.value():
            case "answering":
                return queryset.filter(last_error="").exclude(last_seen_at=None)
            case "failing":
                return queryset.exclude(last_error="")
            case "silent":
                return queryset.filter(last_seen_at=None)
        return queryset


class OfferedFilter(admin.SimpleListFilter):
    title = _("offered now")
    parameter_name = "offered"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, Any]]:
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        offered = Model.objects.enabled().values("pk")
        if self.value() == "yes":
            return queryset.filter(pk__in=offered)
        if self.value() == "no":
            return queryset.exclude(pk__in=offered)
        return queryset


class CapabilityFilter(admin.SimpleListFilter):
    title = _("capability")
    parameter_name = "capability"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, Any]]:
        return list(Capability.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        value = self.value()
        return queryset.filter(capabilities__contains=[value]) if value else queryset


class FailedFilter(admin.SimpleListFilter):
    title = _("outcome")
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, Any]]:
        return [("whole", _("Whole")), ("failed", _("Failed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Usage]) -> QuerySet[Usage]:
        if self.value() == "whole":
            return queryset.filter(error_code="")
        if self.value() == "failed":
            return queryset.exclude(error_code="")
        return queryset


class _EstateAdmin(admin.ModelAdmin[Any]):
    """What servers and models share: deployments edited in place count at once."""

    inlines = [DeploymentInline]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        transaction.on_commit(forget_estate)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        transaction.on_commit(forget_estate)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        super().delete_queryset(request, queryset)
        transaction.on_commit(forget_estate)


@admin.register(Server)
class ServerAdmin(_EstateAdmin):
    form = ServerForm
    list_display = ["name", "kind", "base_url", "origin", "is_enabled", "last_seen_at", "last_error"]
    list_filter = ["kind", "origin", "is_enabled", AnsweringFilter]
    search_fields = ["name", "base_url"]
    readonly_fields = ["origin", "last_seen_at", "last_error"]
    actions = ["ask_connection", "ask_models"]

    def save_model(self, request: HttpRequest, obj: Server, form: Any, change: bool) -> None:
        actor = _actor(request)
        server = save_server(actor=actor, server=obj)
        # After the commit, since nothing is asked over the network inside a transaction.
        transaction.on_commit(lambda: self._say(request, refresh_models(actor=actor, server_id=server.pk)))

    @admin.action(description=_("Test the connection of the chosen servers"))
    def ask_connection(self, request: HttpRequest, queryset: QuerySet[Server]) -> None:
        for server_id in _ids(queryset):
            self._say(request, diagnose_server(actor=_actor(request), server_id=server_id))

    @admin.action(description=_("Refresh the models of the chosen servers"))
    def ask_models(self, request: HttpRequest, queryset: QuerySet[Server]) -> None:
        for server_id in _ids(queryset):
            self._say(request, refresh_models(actor=_actor(request), server_id=server_id))

    def _say(self, request: HttpRequest, diagnosis: Diagnosis) -> None:
        level = messages.SUCCESS if diagnosis.is_ok else messages.ERROR
        self.message_user(request, str(diagnosis.sentence), level)


@admin.register(Model)
class ModelAdmin(_EstateAdmin):
    form = ModelForm
    list_display = ["name", "label", "capability_names", "context_tokens", "is_default", "is_enabled"]
    list_filter = [CapabilityFilter, OfferedFilter, "is_enabled", "is_default", "deployments__server"]
    search_fields = ["name", "label"]
    readonly_fields = ["is_default", "dimensions"]
    actions = ["make_default"]

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        save_model(actor=_actor(request), model=obj)

    @admin.action(description=_("Make the chosen model the default"))
    def make_default(self, request: HttpRequest, queryset: QuerySet[Model]) -> None:
        chosen = list(queryset[:2])
        if len(chosen) != 1:
            self.message_user(request, _("Choose one model."), messages.WARNING)
            return
        model = set_default_model(actor=_actor(request), model_id=chosen[0].pk)
        self.message_user(request, _("%(model)s is the default now.") % {"model": model}, messages.SUCCESS)

    @admin.display(description=_("capabilities"))
    def capability_names(self, model: Model) -> str:
        return ", ".join(model.capabilities)


@admin.register(Usage)
class UsageAdmin(ReadOnlyAdmin):
    list_display = [
        "created_at",
        "user",
        "model_name",
        "prompt_tokens",
        "completion_tokens",
        "first_token_seconds",
        "duration_seconds",
        "error_code",
    ]
    list_filter = ["created_at", FailedFilter, "model_name", "error_code"]
    list_select_related = ["user"]
    search_fields = ["user__email", "model_name", "error_code"]
    date_hierarchy = "created_at"


def _actor(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _ids(queryset: QuerySet[Server]) -> list[uuid.UUID]:
    return list(queryset.values_list("pk", flat=True))
