from django.urls import path

from chat import preview, views

app_name = "chat"

urlpatterns = [
    path("", views.show_chat, name="new"),
    path("characters/preview", preview.stream, name="preview"),
    path("c/<uuid:conversation_id>", views.show_chat, name="conversation"),
]
