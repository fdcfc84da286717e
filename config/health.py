"""/healthz, /readyz and /metrics, answered before Django: a probe carries no host name we know, no session and
no wish to wait behind a page.

- /healthz: the process answers. It asks nobody else, so that a lost database never restarts the web.
- /readyz: every backing service by name; 503 when one that no page works without is down, or while this
  process drains. An embedding server that is down costs search, not the site, and so is only reported.
- /metrics: Prometheus. Requests that came through a proxy are not answered: it is for the scraper beside us.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from redis.asyncio import Redis

# An orchestrator's probe gives up after a few seconds; every service is asked at once.
CHECK_SECONDS = 2.0


# A thread for each purpose: what hangs holds up the next one of its kind and nothing else.
_database_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="readyz-database")
_storage_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="readyz-storage")
_metrics_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="metrics")


class HealthEndpoints:
    """An ASGI application around another one, which gets every request that is not for these three paths."""

    is_draining = False

    def __init__(self, application: ASGI3Application) -> None:
        self._application = application
        self._answers = {"/healthz": _healthz, "/readyz": self._readyz, "/metrics": _metrics}

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] != "http" or scope["path"] not in self._answers:
            await self._application(scope, receive, send)
            return
        status, media_type, body = await self._answers[scope["path"]](scope)
        headers = [(b"content-type", media_type.encode()), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": status, "headers": headers, "trailers": False})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    async def _readyz(self, scope: HTTPScope) -> tuple[int, str, bytes]:
        names = [*REQUIRED, *OPTIONAL]
        checks = {**REQUIRED, **OPTIONAL}
        results = dict(zip(names, await asyncio.gather(*(_ask(checks[name]) for name in names)), strict=True))
        is_ready = not self.is_draining and all(results[name] == "ok" for name in REQUIRED)
        status = "draining" if self.is_draining else "ready" if is_ready else "not ready"
        return _json(200 if is_ready else 503, {"status": status, "checks": results})


async def _healthz(scope: HTTPScope) -> tuple[int, str, bytes]:
    return _json(200, {"status": "ok"})


async def _metrics(scope: HTTPScope) -> tuple[int, str, bytes]:
    if any(name == b"x-forwarded-for" for name, _ in scope["headers"]):
        return _json(404, {"status": "not found"})
    body = await asyncio.get_running_loop().run_in_executor(_metrics_thread, generate_latest)
    return 200, CONTENT_TYPE_LATEST, body


def _json(status: int, body: object) -> tuple[int, str, bytes]:
    return status, "application/json", json.dumps(body).encode()


async def _ask(check: Callable[[], Awaitable[None]]) -> str:
    """`ok`, or what went wrong in a word: an error's text may hold a host name or a password."""
    try:
        await asyncio.wait_for(check(), CHECK_SECONDS)
    except TimeoutError:
        return f"no answer within {CHECK_SECONDS:.0f} s"
    except Exception as error:  # noqa: BLE001 (whatever a client library raises means: down)
        return type(error).__name__
    return "ok"


async def _check_database() -> None:
    await asyncio.get_running_loop().run_in_executor(_database_thread, _query_database)


def _query_database() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()


async def _check_redis() -> None:
    async with Redis.from_url(settings.REDIS_URL) as client:
        await client.ping()


async def _check_storage() -> None:
    await asyncio.get_running_loop().run_in_executor(_storage_thread, default_storage.exists, "readyz")


async def _check_embeddings() -> None:
    """A TCP connection is enough: what the server says is inference's business."""
    address = urlsplit(settings.EMBEDDING_URL)
    port = address.port or (443 if address.scheme == "https" else 80)
    _, writer = await asyncio.open_connection(address.hostname, port)
    writer.close()
    await writer.wait_closed()


REQUIRED: dict[str, Callable[[], Awaitable[None]]] = {
    "database": _check_database,
    "redis": _check_redis,
    "storage": _check_storage,
}
OPTIONAL: dict[str, Callable[[], Awaitable[None]]] = {"embeddings": _check_embeddings}
