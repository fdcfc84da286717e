"""The questions that people ask the lists."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from inference.models import Capability, Model, Server, Usage


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
