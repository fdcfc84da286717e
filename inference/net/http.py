"""Calls to model servers from synchronous code (embeddings, discovery): one pool per process, typed errors.

urllib3 because it is there already (azure-storage and requests bring it), is safe between threads, and adds
0.4 ms to a request. Redirects are not followed: a key must not travel to where a server points.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, BinaryIO, cast

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ReadTimeoutError

from inference.errors import AnswerGarbled, ConnectTimeout, FirstTokenTimeout, ServerUnreachable
from inference.net.addresses import is_blocked
from inference.net.guarded import guarded_pool
from inference.types import Endpoint
from inference.wire.dialects import key_headers, url_of
from inference.wire.refusals import read_refusal

CONNECT_SECONDS = 5.0
# Connections kept to one server; more threads than this open and close their own.
POOL_SIZE = 16
# Some times the largest answer, 64 vectors of 4,096 numbers as text; what is larger is no answer.
MAX_ANSWER_BYTES = 32 * 1024 * 1024
# One step of a file on its way.
BLOCK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Place:
    """A server as these calls need it."""

    server_name: str
    base_url: str
    # Holds the key.
    headers: dict[str, str] = field(repr=False)


def _new_pool() -> urllib3.PoolManager:
    return guarded_pool(is_blocked, maxsize=POOL_SIZE)


_pool = _new_pool()


def _forget_pool() -> None:
    global _pool
    _pool = _new_pool()


# A forked worker must not write to its parent's sockets.
os.register_at_fork(after_in_child=_forget_pool)


def place(*, server_name: str, base_url: str, api_key: str, key_header: str = "Authorization") -> Place:
    """What `call` needs to know of a server."""
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    headers |= key_headers(api_key, key_header)
    return Place(server_name=server_name, base_url=base_url, headers=headers)


def place_of(endpoint: Endpoint, path: str) -> tuple[Place, str]:
    """The same for an endpoint, and what `path` is called there."""
    server = place(
        server_name=endpoint.server_name,
        base_url="",
        api_key=endpoint.api_key,
        key_header=endpoint.key_header,
    )
    return server, url_of(endpoint, path)


def send_file(
    server: Place,
    path: str,
    file: BinaryIO,
    size_bytes: int,
    *,
    on_sent: Callable[[int], None],
    answer_seconds: float,
) -> None:
    """POST the bytes of a file as they lie; `on_sent` hears after each block how many are on their way in all."""
    headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size_bytes)}
    _request(server, "POST", path, cast(IO[bytes], _Watched(file, on_sent)), headers, answer_seconds)


def call(
    server: Place,
    path: str,
    body: bytes | None = None,
    *,
    answer_seconds: float,
    method: str = "",
    content_type: str = "",
) -> bytes:
    """The body of a 2xx response to GET, or to POST where there is a `body`; anything else is a ServerError."""
    headers = {"Content-Type": content_type} if content_type else {}
    return _request(
        server, method or ("GET" if body is None else "POST"), path, body, headers, answer_seconds
    )


class _Watched:
    """A file that tells how far it was read."""

    def __init__(self, file: BinaryIO, on_read: Callable[[int], None]) -> None:
        self._file, self._on_read, self._done_bytes = file, on_read, 0

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(BLOCK_BYTES if size < 0 else max(size, BLOCK_BYTES))
        self._done_bytes += len(block)
        self._on_read(self._done_bytes)
        return block


def open_response(
    method: str, url: str, headers: dict[str, str], wait_seconds: float
) -> urllib3.BaseHTTPResponse | None:
    """A response to be read and closed by the caller, or None where the host cannot be reached. No redirects."""
    try:
        return _pool.request(
            method,
            url,
            headers=headers,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=wait_seconds),
            redirect=False,
            preload_content=False,
        )
    except (HTTPError, OSError):
        return None


def _request(
    server: Place,
    method: str,
    path: str,
    body: bytes | IO[bytes] | None,
    headers: dict[str, str],
    answer_seconds: float,
) -> bytes:
    try:
        response = _pool.request(
            method,
            server.base_url + path,
            body=body,
            headers={**server.headers, **headers},
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=answer_seconds),
            redirect=False,
            preload_content=False,
        )
        # Read to its end it goes back to the pool; cut off at the limit it is closed.
        with response:
            data = response.read(MAX_ANSWER_BYTES + 1)
    except ConnectTimeoutError as error:
        # urllib3 counts a refused connection as one kind of connect time-out.
        kind = ServerUnreachable if isinstance(error, NewConnectionError) else ConnectTimeout
        raise kind(server.server_name) from None
    except ReadTimeoutError:
        raise FirstTokenTimeout(server.server_name) from None
    except (HTTPError, OSError):
        raise ServerUnreachable(server.server_name) from None
    if not 200 <= response.status < 300:
        names = {name.lower(): value for name, value in response.headers.items()}
        raise read_refusal(response.status, names, data, server_name=server.server_name)
    if len(data) > MAX_ANSWER_BYTES:
        raise AnswerGarbled(server.server_name)
    return data
