"""Responses of /v1/ as ASGI messages: JSON, errors, and streams of server-sent events."""

import asyncio
import math
from collections.abc import AsyncGenerator

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable

from accounts.errors import ParlourError
from chat.openai import wire
from chat.openai.wire import Completion
from inference.types import AnswerDelta, StreamEvent, ThinkingDelta

# Text that comes within this time leaves in one chunk: 50 tokens a second still come one by one. Every stream more
# makes it longer, so that a token costs less the more there are: 4 streams wait 5 ms, 200 wait 54.
GATHER_SECONDS = 0.004
GATHER_SECONDS_PER_STREAM = 0.00025
GATHER_SECONDS_MAX = 0.1

_open_streams = 0


async def send_events(
    events: AsyncGenerator[StreamEvent, None],
    completion: Completion,
    send: ASGISendCallable,
    *,
    with_usage: bool,
) -> None:
    """Server-sent events as the model speaks. The response begins with its first event, so that a refusal before
    it still has a status of its own.

    After each text this waits a moment before it asks for more: what the server says meanwhile gathers in the
    connection's buffer and is read, decoded and sent as one piece.
    """
    global _open_streams
    _open_streams += 1
    try:
        async for event in events:
            opening = b""
            if not completion.is_begun:
                await _begin_stream(send, completion)
                opening = completion.opening()
            if chunk := opening + completion.chunk(event):
                await send_chunk(send, chunk)
            if isinstance(event, AnswerDelta | ThinkingDelta):
                await asyncio.sleep(_gather_seconds())
    finally:
        _open_streams -= 1
    await send_chunk(send, completion.tail(with_usage), is_last=True)


def _gather_seconds() -> float:
    return min(GATHER_SECONDS + GATHER_SECONDS_PER_STREAM * _open_streams, GATHER_SECONDS_MAX)


async def _begin_stream(send: ASGISendCallable, completion: Completion) -> None:
    completion.is_begun = True
    headers = [
        (b"content-type", b"text/event-stream"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers, "trailers": False})


async def send_chunk(send: ASGISendCallable, data: bytes, *, is_last: bool = False) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": not is_last})


async def send_json(
    send: ASGISendCallable, status: int, body: bytes, *extra_headers: tuple[bytes, bytes]
) -> None:
    await send_whole(send, status, body, "application/json", *extra_headers)


async def send_whole(
    send: ASGISendCallable,
    status: int,
    body: bytes,
    content_type: str,
    *extra_headers: tuple[bytes, bytes],
) -> None:
    headers = [
        (b"content-type", content_type.encode()),
        (b"content-length", str(len(body)).encode()),
        *extra_headers,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers, "trailers": False})
    await send_chunk(send, body, is_last=True)


async def send_error(send: ASGISendCallable, error: ParlourError) -> None:
    """The error in OpenAI's shape; `Retry-After` where it says when to come back."""
    seconds = error.retry_after_seconds
    wait = [(b"retry-after", str(math.ceil(seconds)).encode())] if seconds is not None else []
    await send_json(send, error.status, wire.error_body(error), *wait)


async def read_body(receive: ASGIReceiveCallable, most_bytes: int) -> bytes | None:
    """The request's body, or None when it is too large."""
    parts, size, has_more = [], 0, True
    while has_more:
        message = await receive()
        if message["type"] != "http.request":
            break
        parts.append(message["body"])
        size += len(message["body"])
        if size > most_bytes:
            return None
        has_more = message["more_body"]
    return b"".join(parts)


async def await_disconnect(receive: ASGIReceiveCallable) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
