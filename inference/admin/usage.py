"""What was used: one row for each call of a model, and all of them on one page."""

from django.contrib import admin
from django.http import HttpRequest
from django.http.response import HttpResponse
from django.urls import URLPattern
from django.utils.translation import gettext_lazy as _

from accounts.admin import ReadOnlyAdmin
from inference.admin import dashboard
from inference.admin.filters import FailedFilter
from inference.admin.pages import page_path, show_page
from inference.figures.usage import list_used_models, read_usage
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
        "cost",
        "is_cached",
        "error_code",
    ]
    list_filter = ["created_at", FailedFilter, "is_cached", "model_name", "error_code"]
    list_select_related = ["user"]
    search_fields = ["user__email", "model_name", "error_code"]
    date_hierarchy = "created_at"
    # Counting a million rows to say how many are not shown takes longer than showing some.
    show_full_result_count = False

    def get_urls(self) -> list[URLPattern]:
        own = [page_path(self, "dashboard/", self.dashboard_view, "inference_dashboard")]
        return [*own, *super().get_urls()]

    def dashboard_view(self, request: HttpRequest) -> HttpResponse:
        form = dashboard.UsageForm(request.GET, models=list_used_models())
        overview = read_usage(form.question)
        context = {
            "form": form,
            "person": form.person_shown,
            "question": form.question,
            "overview": overview,
            "tiles": dashboard.tiles_of(overview.total),
            "charts": dashboard.charts_of(overview),
            "models": dashboard.model_rows(overview),
            "people": dashboard.person_rows(overview),
            "errors": overview.errors,
        }
        return show_page(
            request, self, "admin/inference/dashboard.html", title=_("How models are used"), context=context
        )
