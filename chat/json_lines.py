"""Answers that are read while they are written and stored nowhere: JSON lines, `{"text": …}` as the model speaks and
`{"error": …}` where it breaks. Who closes the connection stops it."""

import math
from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec
from django.http import JsonResponse, StreamingHttpResponse

from accounts.errors import ParlourError
from chat.running.asking import listen
from inference.types import Caller, ChatRequest, ModelTarget


def answer(target: ModelTarget, asked: ChatRequest, caller: Caller) -> StreamingHttpResponse:
    """The answer as the model speaks."""
    return StreamingHttpResponse(
        _lines(target, asked, caller),
        content_type="application/x-ndjson",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def refusal(error: ParlourError) -> JsonResponse:
    """Why there is none, in the shape of the REST API; `Retry-After` where the error says when to come back."""
    body = {"error": {"code": error.code, "message": str(error.user_message)}}
    seconds = error.retry_after_seconds
    headers = {} if seconds is None else {"Retry-After": str(math.ceil(seconds))}
    return JsonResponse(body, status=error.status, headers=headers)


async def _lines(target: ModelTarget, asked: ChatRequest, caller: Caller) -> AsyncGenerator[bytes, None]:
    try:
        async with aclosing(listen(target, asked, caller)) as pieces:
            async for piece in pieces:
                yield msgspec.json.encode({"text": piece}) + b"\n"
    except ParlourError as error:
        yield msgspec.json.encode({"error": str(error.user_message)}) + b"\n"
