"""Models as people choose them."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponse
from django.urls import URLPattern
from django.utils.translation import gettext_lazy as _

from inference.admin.estate import EstateAdmin, actor_of
from inference.admin.filters import CapabilityFilter, OfferedFilter
from inference.admin.pages import page_path, show_page
from inference.figures.capacity import plan_capacity
from inference.forms import CapacityForm, ModelForm
from inference.models import Model
from inference.services import save_model, set_default_model


@admin.register(Model)
class ModelAdmin(EstateAdmin):
    form = ModelForm
    list_display = ["name", "label", "capability_names", "context_tokens", "is_default", "is_enabled"]
    list_filter = [CapabilityFilter, OfferedFilter, "is_enabled", "is_default", "deployments__server"]
    search_fields = ["name", "label"]
    readonly_fields = ["is_default", "dimensions"]
    actions = ["make_default"]

    def get_urls(self) -> list[URLPattern]:
        own = [page_path(self, "capacity/", self.capacity_view, "inference_capacity")]
        return [*own, *super().get_urls()]

    def capacity_view(self, request: HttpRequest) -> HttpResponse:
        form = CapacityForm(request.GET or CapacityForm.EXAMPLE)
        workload = form.workload
        context = {
            "form": form,
            "workload": workload,
            "capacity": plan_capacity(workload) if workload else None,
        }
        return show_page(
            request,
            self,
            "admin/inference/capacity.html",
            title=_("How much GPU memory a model needs"),
            context=context,
        )

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        save_model(actor=actor_of(request), model=obj)

    @admin.action(description=_("Make the chosen model the default"))
    def make_default(self, request: HttpRequest, queryset: QuerySet[Model]) -> None:
        chosen = list(queryset[:2])
        if len(chosen) != 1:
            self.message_user(request, _("Choose one model."), messages.WARNING)
            return
        model = set_default_model(actor=actor_of(request), model_id=chosen[0].pk)
        self.message_user(request, _("%(model)s is the default now.") % {"model": model}, messages.SUCCESS)

    @admin.display(description=_("capabilities"))
    def capability_names(self, model: Model) -> str:
        return ", ".join(model.capabilities)
