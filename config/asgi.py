"""The ASGI application: probes first, the OpenAI-compatible API, then Django for HTTP and Channels for sockets."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
http = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

import config.metrics  # noqa: E402, F401 (registers its collector)
from chat.openai.completions import OpenAIEndpoints  # noqa: E402
from config.health import HealthEndpoints  # noqa: E402
from config.routing import websocket_urlpatterns  # noqa: E402
from config.tracing import TracedRequests  # noqa: E402

sockets = URLRouter(websocket_urlpatterns)  # type: ignore[arg-type]
rooms = OpenAIEndpoints(ProtocolTypeRouter({"http": http, "websocket": sockets}))
application = HealthEndpoints(TracedRequests(rooms))
