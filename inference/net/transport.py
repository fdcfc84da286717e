"""Connections to model servers from asynchronous code: one pool per event loop, named time-outs, typed errors.

aiohttp is used directly. The openai SDK over the same aiohttp was measured beside it: 2.1 s and 51 MB to import
against 0.4 s and 27 MB, and its transport turns a broken connection into a connect time-out, so that cut and
unreachable cannot be told apart. The wire format is ours to decode anyway (`inference.wire`).
"""

import asyncio
import io
import socket
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import aiohttp
from aiohttp.resolver import ThreadedResolver

from inference import tracing
from inference.errors import (
    AnswerGarbled,
    ConnectTimeout,
    FirstTokenTimeout,
    ServerError,
    ServerUnreachable,
    StreamCut,
    StreamStalled,
)
from inference.net.addresses import is_blocked
from inference.types import Endpoint
from inference.wire.dialects import headers_of, url_of
from inference.wire.refusals import read_refusal

# Error bodies are read this far; a page of HTML behind a wrong address may be long.
MAX_ERROR_BYTES = 64 * 1024
# aiohttp's own limit for what it writes at once.
LARGE_BODY_BYTES = 1024 * 1024
# How long a finished response may take to send its last, empty chunk, without which its connection is lost.
TRAILER_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a model server may be silent, in seconds."""

    connect_seconds: float = 5.0
    # Ollama and KAITO load a model on its first request, which takes a minute for large ones.
    first_event_seconds: float = 180.0
    # A busy vLLM preempts a request for some seconds; more than this is a dead one.
    between_events_seconds: float = 60.0


def _careful_socket(info: aiohttp.AddrInfoType) -> socket.socket:
    """A socket for this address, which a name led to or which the URL had itself; none where no model server can be."""
    family, kind, protocol, _name, address = info
    if is_blocked(str(address[0]), int(address[1])):
        raise OSError(None, "forbidden address")
    return socket.socket(family, kind, protocol)


_sessions: dict[asyncio.AbstractEventLoop, tuple[aiohttp.ClientSession, AsyncGenerator[object, None]]] = {}


async def _session() -> aiohttp.ClientSession:
    """The running loop's session; it is closed with the loop."""
    loop = asyncio.get_running_loop()
    if loop not in _sessions:
        # A loop that ends closes the generators begun in it (`shutdown_asyncgens`), and this one its session.
        keeper = _keep_session(loop)
        _sessions[loop] = (await anext(keeper), keeper)
    return _sessions[loop][0]


async def _keep_session(loop: asyncio.AbstractEventLoop) -> AsyncGenerator[aiohttp.ClientSession, None]:
    # No limit of connections: how many answers run at once is decided above, not by a silent queue here.
    connector = aiohttp.TCPConnector(
        limit=0, resolver=ThreadedResolver(), ttl_dns_cache=30, socket_factory=_careful_socket
    )
    try:
        async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
            yield session
    finally:
        _sessions.pop(loop, None)


class EventStream:
    """The body of one streaming response: `read` gives what the network gave, b"" at its end.

    Any byte is a sign of life, also the pings that llama.cpp sends while it reads a long prompt.

    Silence is watched by one timer that is armed again only when it fires, since one per read would cost as much
    as the read itself (aiohttp's own `sock_read` does that: 3 µs of the token's budget).
    """

    def __init__(
        self, response: aiohttp.ClientResponse, endpoint: Endpoint, timeouts: Timeouts, call: tracing.Span
    ) -> None:
        self._response = response
        self._call = call
        self._content = response.content
        self._server_name = endpoint.server_name
        self._timeouts = timeouts
        self._loop = asyncio.get_running_loop()
        self._has_begun = False
        self._waiting_since: float | None = None
        self._is_silent = False
        self._timer = self._loop.call_later(timeouts.first_event_seconds, self._look)

    def begin(self) -> None:
        """The first token has come: from now on the time between events counts."""
        if not self._has_begun:
            self._has_begun = True
            self._timer.cancel()
            self._timer = self._loop.call_later(self._timeouts.between_events_seconds, self._look)

    async def read(self) -> bytes:
        """All that has come since the last read, or what comes next."""
        self._waiting_since = self._loop.time()
        self._listen(True)
        try:
            return await self._content.readany()
        except (aiohttp.ClientError, OSError):
            error: type[StreamCut | StreamStalled | FirstTokenTimeout] = StreamCut
            if self._is_silent:
                error = StreamStalled if self._has_begun else FirstTokenTimeout
            self._call.fail(error.code)
            raise error(self._server_name) from None
        finally:
            self._waiting_since = None
            self._listen(False)

    async def release(self) -> None:
        """Give the connection back to the pool if the response is whole, else close it."""
        if not self._content.at_eof():
            self._listen(True)
            try:
                async with asyncio.timeout(TRAILER_SECONDS):
                    await self._content.read()
            except (TimeoutError, aiohttp.ClientError, OSError):
                pass
        self._response.release()

    def close(self) -> None:
        """Leave at once; the server sees the connection closed. Harmless after `release`."""
        self._call.end()
        self._timer.cancel()
        self._response.close()

    def _listen(self, is_listening: bool) -> None:
        """Between reads the kernel gathers what comes, and nobody wakes up for each token: 10 µs and not 13."""
        # None once the response is whole, and its connection perhaps another's.
        connection = self._response.connection
        if connection is None or (transport := connection.transport) is None:
            return
        if is_listening:
            transport.resume_reading()
        else:
            transport.pause_reading()

    def _look(self) -> None:
        limits = self._timeouts
        limit = limits.between_events_seconds if self._has_begun else limits.first_event_seconds
        silent_for = 0.0 if self._waiting_since is None else self._loop.time() - self._waiting_since
        if silent_for >= limit:
            self._is_silent = True
            self._response.close()
        else:
            self._timer = self._loop.call_later(limit - silent_for, self._look)


async def _refusal(response: aiohttp.ClientResponse, endpoint: Endpoint) -> ServerError:
    """The error that a response other than 200 means."""
    body = bytearray()
    try:
        while len(body) < MAX_ERROR_BYTES and (received := await response.content.readany()):
            body += received
    finally:
        response.close()
    names = {name.lower(): value for name, value in response.headers.items()}
    return read_refusal(response.status, names, bytes(body), server_name=endpoint.server_name)


async def open_stream(endpoint: Endpoint, path: str, body: bytes, timeouts: Timeouts) -> EventStream:
    """Post `body` and return the response's stream once the server has accepted; raises what it says instead."""
    call = tracing.begin(f"call {endpoint.server_name}", gen__ai_request_model=endpoint.remote_name)
    is_open = False
    try:
        response = await _post(endpoint, path, body, timeouts, call)
        is_open = True
    except ServerError as error:
        call.fail(error.code)
        raise
    finally:
        if not is_open:
            call.end()
    return EventStream(response, endpoint, timeouts, call)


async def _post(
    endpoint: Endpoint, path: str, body: bytes, timeouts: Timeouts, call: tracing.Span
) -> aiohttp.ClientResponse:
    session = await _session()
    headers = {
        "Content-Type": "application/json",
        "Accept": "text/event-stream",
        **call.headers,
        **headers_of(endpoint),
    }
    limits = aiohttp.ClientTimeout(sock_connect=timeouts.connect_seconds, total=None)
    url = url_of(endpoint, path)

    async def post() -> aiohttp.ClientResponse:
        # Pictures make a body large; as a file it goes out in pieces, and other answers go on meanwhile.
        data = io.BytesIO(body) if len(body) > LARGE_BODY_BYTES else body
        return await session.post(url, data=data, headers=headers, timeout=limits, allow_redirects=False)

    try:
        async with asyncio.timeout(timeouts.first_event_seconds):
            try:
                response = await post()
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientConnectionResetError):
                # The server closed a pooled connection while the request was on its way; a new one will do.
                response = await post()
            if response.status != 200:
                raise await _refusal(response, endpoint)
    except aiohttp.ConnectionTimeoutError:
        raise ConnectTimeout(endpoint.server_name) from None
    except TimeoutError:
        raise FirstTokenTimeout(endpoint.server_name) from None
    except (aiohttp.ClientConnectionError, OSError):
        raise ServerUnreachable(endpoint.server_name) from None
    except aiohttp.ClientError:
        raise AnswerGarbled(endpoint.server_name) from None
    return response
