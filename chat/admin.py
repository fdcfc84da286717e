"""Conversations and replies for administrators: what ran, how it went. Texts stay private."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from chat.models import Reply
from chat.trials.admin import TrialAdmin

__all__ = ["ReplyAdmin", "TrialAdmin"]


@admin.register(Reply)
class ReplyAdmin(admin.ModelAdmin[Reply]):
    """Every reply by model, status and time; what it said is not shown."""

    list_display = [
        "created_at",
        "status",
        "model_name",
        "requested_by",
        "seconds",
        "completion_tokens",
        "error_code",
    ]
    list_filter = ["status", "model_name", "error_code", "created_at"]
    search_fields = ["requested_by__email", "id"]
    date_hierarchy = "created_at"
    list_select_related = ["requested_by"]
    readonly_fields = [
        "id", "status", "requested_by", "model_name", "temperature", "max_tokens", "prompt_tokens",
        "completion_tokens", "epoch", "error_code", "error_message", "created_at", "started_at",
        "first_token_at", "finished_at",
    ]  # fmt: skip

    @admin.display(description=_("seconds"))
    def seconds(self, reply: Reply) -> str:
        if reply.started_at is None or reply.finished_at is None:
            return "–"
        return f"{(reply.finished_at - reply.started_at).total_seconds():.1f}"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reply]:
        return super().get_queryset(request).select_related("requested_by")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
