"""The administration under the house's name, entered by the house's own door."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from config.admin_overview import read_overview

# The rooms in the order in which people come to look after them; what signing in needs stands together, last.
ROOMS = ("inference", "characters", "documents", "chat", "accounts")


class HouseAdminSite(admin.AdminSite):
    site_header = _("Parlour")
    site_title = _("Parlour administration")
    index_title = _("Overview")

    def index(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> TemplateResponse:
        return super().index(request, {"overview": read_overview(), **(extra_context or {})})

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The rooms first, then everything that is about signing in as one."""
        found = {app["app_label"]: app for app in super().get_app_list(request, app_label)}
        if app_label is not None:
            return list(found.values())
        rooms = [found.pop(label) for label in ROOMS if label in found]
        models = [model for app in found.values() for model in app["models"]]
        if models:
            first = next(iter(found.values()))
            rooms.append({**first, "name": _("Signing in"), "models": models})
        return rooms

    def login(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        """Sign-in is the house's; somebody signed in who may not enter is told so."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"), reverse("account_login"))
