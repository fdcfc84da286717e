"""What the pages of servers and models share: deployments edited in place, and who is asking."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.db import transaction
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest

from accounts.models import User
from inference.models import Deployment
from inference.queries import forget_estate


def actor_of(request: HttpRequest) -> User:
    """The administrator who is asking; the admin lets nobody else in."""
    assert isinstance(request.user, User)
    return request.user


class LabelledRows(BaseInlineFormSet[Any, Any, Any]):
    """Rows whose inputs say what they are: the column's head alone is no label to a screen reader."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        row = str(form.instance) if form.instance.pk and not form.instance._state.adding else ""
        for field in form.fields.values():
            # The widget of a related row is wrapped in its links.
            widget = getattr(field.widget, "widget", field.widget)
            label = str(field.label or "")
            widget.attrs["aria-label"] = f"{label}, {row}" if row else label


class PlainChoices:
    """Fields that choose another row do so alone, without the icons that open its own page beside it."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        found = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if found is not None and isinstance(found.widget, RelatedFieldWidgetWrapper):
            found.widget = found.widget.widget
        return found


class DeploymentInline(PlainChoices, admin.TabularInline[Deployment, Any]):
    model = Deployment
    formset = LabelledRows
    extra = 0
    fields = [
        "model", "server", "remote_name", "weight", "slots", "is_enabled", "context_tokens", "missing_since",
    ]  # fmt: skip
    readonly_fields = ["context_tokens", "missing_since"]
    autocomplete_fields = ["model", "server"]


class EstateAdmin(admin.ModelAdmin[Any]):
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
