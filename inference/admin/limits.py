"""Limits for administrators: whose, how much of what, and how much of it is used now."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from redis.exceptions import RedisError

from inference.admin.estate import PlainChoices, actor_of
from inference.models import Limit, LimitScope, Measure
from inference.routing.limits import used_now
from inference.routing.rules import MICRO, rule_of
from inference.routing.services import delete_limits, save_limit

_SUBJECTS = {
    LimitScope.USER: "user",
    LimitScope.MEMBERS: "group",
    LimitScope.GROUP: "group",
    LimitScope.KEY: "api_key",
}


class LimitForm(forms.ModelForm[Limit]):
    """A limit's row; says beside the field whom it still has to name."""

    class Meta:
        model = Limit
        fields = ["scope", "user", "group", "api_key", "model", "measure", "period", "amount", "is_enabled"]
        help_texts = {
            "user": _("Only for “One person”."),
            "group": _("Only for “Each member of a group” and “A group together”."),
            "api_key": _("Only for “One API key”; it counts wherever that key is used."),
            "amount": _(
                "Requests and tokens are whole numbers; cost is in the currency of the models' prices."
            ),
        }

    def clean(self) -> None:
        super().clean()
        needed = _SUBJECTS.get(self.cleaned_data.get("scope", ""))
        for name in ("user", "group", "api_key"):
            if name != needed:
                self.cleaned_data[name] = None
            elif not self.cleaned_data.get(name) and name not in self.errors:
                self.add_error(name, _("Choose whom this limit is for."))
        amount = self.cleaned_data.get("amount")
        is_whole = amount is None or amount == amount.to_integral_value()
        if not is_whole and self.cleaned_data.get("measure") != Measure.COST:
            self.add_error("amount", _("Enter a whole number."))


@admin.register(Limit)
class LimitAdmin(PlainChoices, admin.ModelAdmin[Limit]):
    form = LimitForm
    list_display = ["subject", "model_or_all", "allowance", "used", "is_enabled"]
    list_filter = ["scope", "measure", "period", "is_enabled"]
    list_select_related = ["user", "group", "api_key", "model"]
    search_fields = ["user__email", "group__name", "api_key__name"]
    autocomplete_fields = ["user", "group", "api_key", "model"]

    def save_model(self, request: HttpRequest, obj: Limit, form: Any, change: bool) -> None:
        save_limit(actor=actor_of(request), limit=obj)

    def delete_model(self, request: HttpRequest, obj: Limit) -> None:
        delete_limits(actor=actor_of(request), limit_ids=[obj.pk])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Limit]) -> None:
        delete_limits(actor=actor_of(request), limit_ids=list(queryset.values_list("pk", flat=True)))

    @admin.display(description=_("for whom"), ordering="scope")
    def subject(self, limit: Limit) -> str:
        match limit.scope:
            case LimitScope.USER:
                return str(limit.user)
            case LimitScope.MEMBERS:
                return str(_("each member of %(group)s") % {"group": limit.group})
            case LimitScope.GROUP:
                return str(_("%(group)s together") % {"group": limit.group})
            case LimitScope.KEY:
                return str(limit.api_key)
            case _:
                return limit.get_scope_display()

    @admin.display(description=_("model"))
    def model_or_all(self, limit: Limit) -> str:
        return str(limit.model or _("all"))

    @admin.display(description=_("at most"))
    def allowance(self, limit: Limit) -> str:
        return str(limit)

    @admin.display(description=_("used now"))
    def used(self, limit: Limit) -> str:
        """Of limits with one subject; under the others everybody has a count of their own."""
        try:
            used = used_now(rule_of(limit))
        except (RedisError, OSError):
            used = None
        if used is None:
            return "–"
        amount = Decimal(used) / MICRO if limit.measure == Measure.COST else Decimal(used)
        return f"{amount.normalize():f}"
