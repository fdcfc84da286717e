from django.urls import path

from chat import views

app_name = "chat"

urlpatterns = [
    path("", views.show_chat, name="new"),
    path("c/<uuid:conversation_id>", views.show_chat, name="conversation"),
]
