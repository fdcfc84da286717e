"""Model servers: their rows, and asking them how they are."""

import uuid
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import InlineModelAdmin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern
from django.utils.translation import gettext_lazy as _

from inference.admin.care import act_on_server, care_context
from inference.admin.estate import DeploymentInline, EstateAdmin, actor_of
from inference.admin.filters import AnsweringFilter
from inference.admin.pages import page_path, show_page
from inference.estate.health import read_health
from inference.forms import ServerForm
from inference.models import Server
from inference.services import Diagnosis, diagnose_server, refresh_models, save_server


@admin.register(Server)
class ServerAdmin(EstateAdmin):
    form = ServerForm
    list_display = ["name", "kind", "base_url", "origin", "is_enabled", "last_seen_at", "last_error"]
    list_filter = ["kind", "origin", "is_enabled", AnsweringFilter]
    search_fields = ["name", "base_url"]
    actions = ["ask_connection", "ask_models"]

    def get_urls(self) -> list[URLPattern]:
        own = [
            page_path(self, "health/", self.health_view, "inference_health"),
            page_path(self, "<uuid:server_id>/care/", self.care_view, "inference_care"),
        ]
        return [*own, *super().get_urls()]

    def health_view(self, request: HttpRequest) -> HttpResponse:
        context = {"estate": read_health()}
        if "part" in request.GET:
            return render(request, "admin/inference/health_part.html", context)
        return show_page(
            request, self, "admin/inference/health.html", title=_("How the servers do"), context=context
        )

    def care_view(self, request: HttpRequest, server_id: uuid.UUID) -> HttpResponse:
        may_change = self.has_change_permission(request)
        if request.method == "POST":
            if not may_change:
                raise PermissionDenied
            return act_on_server(request, server_id)
        context = {**care_context(request, server_id), "may_change": may_change}
        if "part" in request.GET:
            return render(request, "admin/inference/care_part.html", context)
        title = str(context["server"])
        return show_page(request, self, "admin/inference/care.html", title=title, context=context)

    def get_readonly_fields(self, request: HttpRequest, obj: Server | None = None) -> list[str]:
        return ["origin", "last_seen_at", "last_error"] if obj is not None else []

    def get_inlines(
        self, request: HttpRequest, obj: Server | None = None
    ) -> list[type[InlineModelAdmin[Any, Any]]]:
        """A new server tells by itself what it has."""
        return [DeploymentInline] if obj is not None else []

    def response_add(
        self, request: HttpRequest, obj: Server, post_url_continue: str | None = None
    ) -> HttpResponse:
        """On to the page that shows whether it answers and what is on it."""
        if (
            "_addanother" in request.POST
            or "_continue" in request.POST
            or not self.has_view_permission(request)
        ):
            return super().response_add(request, obj, post_url_continue)
        return redirect("admin:inference_care", server_id=obj.pk)

    def save_model(self, request: HttpRequest, obj: Server, form: Any, change: bool) -> None:
        actor = actor_of(request)
        server = save_server(actor=actor, server=obj)
        # After the commit, since nothing is asked over the network inside a transaction.
        transaction.on_commit(lambda: self._say(request, refresh_models(actor=actor, server_id=server.pk)))

    @admin.action(description=_("Test the connection of the chosen servers"))
    def ask_connection(self, request: HttpRequest, queryset: QuerySet[Server]) -> None:
        for server_id in _ids(queryset):
            self._say(request, diagnose_server(actor=actor_of(request), server_id=server_id))

    @admin.action(description=_("Refresh the models of the chosen servers"))
    def ask_models(self, request: HttpRequest, queryset: QuerySet[Server]) -> None:
        for server_id in _ids(queryset):
            self._say(request, refresh_models(actor=actor_of(request), server_id=server_id))

    def _say(self, request: HttpRequest, diagnosis: Diagnosis) -> None:
        level = messages.SUCCESS if diagnosis.is_ok else messages.ERROR
        self.message_user(request, str(diagnosis.sentence), level)


def _ids(queryset: QuerySet[Server]) -> list[uuid.UUID]:
    return list(queryset.values_list("pk", flat=True))
