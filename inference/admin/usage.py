"""What was used: one row for each call of a model."""

from django.contrib import admin

from accounts.admin import ReadOnlyAdmin
from inference.admin.filters import FailedFilter
from inference.models import Usage


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
