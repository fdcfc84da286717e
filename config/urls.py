"""Every path of the house. A room's own paths are in its `urls.py` and `api.py`."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import JavaScriptCatalog

from config import views
from config.api import api

# `config.admin_config` says why here.
admin.autodiscover()

handler400 = views.bad_request
handler403 = views.permission_denied
handler404 = views.page_not_found
handler500 = views.server_error

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("", include("chat.urls")),
    path("", include("accounts.urls")),
    path("accounts/", include("allauth.urls")),
    path("characters/", include("characters.urls")),
    path("documents/", include("documents.urls")),
    path("api/v1/", api.urls),
    path("words.js", JavaScriptCatalog.as_view(), name="words"),
    path("offline/", views.offline, name="offline"),
    path("service-worker.js", views.service_worker, name="service_worker"),
]
