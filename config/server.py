"""The web process: Daphne on uvloop, with the replies' runtime beginning and ending along with it.

A socket frame costs the same on uvloop as on asyncio's own loop, 15 µs of CPU through Twisted's transport; the
Redis pipelines of the reply log cost a fifth less (265 against 320 µs for five XADD), model streams likewise.

Importing this module installs Twisted's reactor, so only `manage.py serve` does. What is served is
`config.asgi`; who serves it in a test is the test's business.
"""

import asyncio
import gc
import logging
import signal

import uvloop
from twisted.internet import asyncioreactor

loop = uvloop.new_event_loop()
asyncioreactor.install(loop)  # type: ignore[no-untyped-call]

from daphne import http_protocol  # noqa: E402 (needs the reactor in place, or it installs its own)
from daphne.server import Server  # noqa: E402
from twisted.internet import defer, reactor  # noqa: E402

from chat import runtime  # noqa: E402
from config.asgi import application  # noqa: E402
from config.tracing import start_tracing, stop_tracing  # noqa: E402

logger = logging.getLogger(__name__)

PING_SECONDS = 20  # below the 60 s after which common proxies close a silent socket
# A frame is one user action; a pasted text of a megabyte is a document.
LARGEST_FRAME_BYTES = 1024 * 1024
# New objects before a young collection, and younger collections before an older one. Python's own 700, 10, 10 put
# a full collection into every burst of messages, 0.3 s in which no token moved.
COLLECT_AFTER = (10_000, 20, 100)


class Request(http_protocol.WebRequest):  # type: ignore[misc]
    """A request whose form is left to Django. Twisted would parse it before, on the loop and in memory, as a mail:
    a fifth of what a small upload costs, and several times the size of a large one."""

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, parsePOSTFormSubmission=False, **options)


http_protocol.WebRequest = Request


class WebServer(Server):  # type: ignore[misc]
    """Daphne with an orderly end: nothing new is accepted, replies and open requests get their time."""

    def __init__(self, *, host: str, port: int, is_behind_proxy: bool, grace_seconds: float) -> None:
        super().__init__(
            application,
            endpoints=[f"tcp:port={port}:interface={_escaped(host)}"],
            signal_handlers=False,
            websocket_timeout=-1,  # a chat may stay open for days; pings find the dead ones
            ping_interval=PING_SECONDS,
            ping_timeout=PING_SECONDS,
            websocket_max_message_size=LARGEST_FRAME_BYTES,
            websocket_max_frame_size=LARGEST_FRAME_BYTES,
            proxy_forwarded_address_header="X-Forwarded-For" if is_behind_proxy else None,
            server_name="",
            verbosity=1,
        )
        self._grace_seconds = grace_seconds
        self.has_failed = False

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT and the grace after it."""
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        reactor.callWhenRunning(lambda: loop.create_task(self._begin()))
        super().run()

    def create_application(self, protocol: object, scope: dict[str, object]) -> object:
        # Daphne takes it from a header, Daphne-Root-Path, that any visitor can send.
        scope["root_path"] = ""
        return super().create_application(protocol, scope)

    def listen_error(self, failure: object) -> None:
        self.has_failed = True
        super().listen_error(failure)

    def kill_all_applications(self) -> defer.Deferred[None]:
        """Daphne's hook before its end; the reactor waits for what it returns."""
        return defer.Deferred.fromFuture(loop.create_task(self._drain()))

    async def _begin(self) -> None:
        start_tracing("web")
        try:
            await runtime.start()
            # What stands here stays: collections need not walk over it again.
            gc.collect()
            gc.freeze()
            gc.set_threshold(*COLLECT_AFTER)
        except Exception:
            logger.exception("The replies' runtime did not start")
            self.has_failed = True
            self.stop()

    async def _drain(self) -> None:
        application.is_draining = True
        deadline = loop.time() + self._grace_seconds
        for listener in self.listeners:
            listener.addCallback(lambda port: port.stopListening())
        try:
            await runtime.drain(self._grace_seconds)
        except Exception:
            # Twisted would keep it to itself, and what is open shall end in order all the same.
            logger.exception("The replies' runtime did not drain")
        if requests := self._open_requests():
            await asyncio.wait(requests, timeout=max(0.5, deadline - loop.time()))
        for request in self._open_requests():
            request.cancel()
        await asyncio.to_thread(stop_tracing)

    def _open_requests(self) -> list[asyncio.Future[None]]:
        instances = (details.get("application_instance") for details in self.connections.values())
        return [instance for instance in instances if instance is not None and not instance.done()]


def _escaped(host: str) -> str:
    return host.replace(":", "\\:")
