"""Pages of the administration that are no lists of rows: they look like the others and ask for the same rights."""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.functional import Promise

Page = Callable[..., HttpResponse]


def page_path(model_admin: admin.ModelAdmin[Any], route: str, view: Page, name: str) -> URLPattern:
    """A path for `ModelAdmin.get_urls`, for those who may see the model's rows; the name is below `admin:`."""

    def guarded(request: HttpRequest, **kwargs: object) -> HttpResponse:
        if not model_admin.has_view_permission(request):
            raise PermissionDenied
        return view(request, **kwargs)

    return path(route, model_admin.admin_site.admin_view(guarded), name=name)


def show_page(
    request: HttpRequest,
    model_admin: admin.ModelAdmin[Any],
    template: str,
    *,
    title: str | Promise,
    context: Mapping[str, object],
) -> TemplateResponse:
    """The template within the administration's layout."""
    request.current_app = model_admin.admin_site.name
    whole = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": title,
        # The sidebar marks this page rather than the list that it stands below.
        "is_own_page": True,
        **context,
    }
    return TemplateResponse(request, template, whole)
