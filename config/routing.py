"""Which consumer answers which socket path."""

from django.urls import URLPattern, path

from chat.consumers import ChatConsumer

# Django's `path` is typed for views; Channels documents it for consumers, too.
websocket_urlpatterns: list[URLPattern] = [path("ws/chat/", ChatConsumer.as_asgi())]  # type: ignore[arg-type]
