"""Model servers: their rows, and asking them how they are."""

import uuid
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from inference.admin.estate import EstateAdmin, actor_of
from inference.admin.filters import AnsweringFilter
from inference.forms import ServerForm
from inference.models import Server
from inference.services import Diagnosis, diagnose_server, refresh_models, save_server


@admin.register(Server)
class ServerAdmin(EstateAdmin):
    form = ServerForm
    list_display = ["name", "kind", "base_url", "origin", "is_enabled", "last_seen_at", "last_error"]
    list_filter = ["kind", "origin", "is_enabled", AnsweringFilter]
    search_fields = ["name", "base_url"]
    readonly_fields = ["origin", "last_seen_at", "last_error"]
    actions = ["ask_connection", "ask_models"]

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
