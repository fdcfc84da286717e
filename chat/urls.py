from django.urls import path

from chat import preview, views
from chat.scenes import impersonation
from chat.sillytavern.views import show_import

app_name = "chat"

urlpatterns = [
    path("", views.show_chat, name="new"),
    path("import/", show_import, name="import"),
    path("characters/preview", preview.stream, name="preview"),
    path("c/<uuid:conversation_id>/impersonate", impersonation.stream, name="impersonate"),
    path(
        "api/v1/conversations/<uuid:conversation_id>/impersonate",
        impersonation.stream_for_program,
        name="impersonate_for_program",
    ),
    path("c/<uuid:conversation_id>", views.show_chat, name="conversation"),
]
