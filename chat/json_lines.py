"""Answers that are read while they are written and stored nowhere: JSON lines, `{"text": …}` as the model speaks and
`{"error": …}` where it breaks. Who closes the connection stops it."""

import math
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec
from django.http import JsonResponse, StreamingHttpResponse

from accounts.errors import ParlourError
from chat.database import in_database
from inference.client import stream_chat
from inference.services import record_usage
from inference.types import AnswerDelta, Call, Caller, ChatRequest, ModelTarget, UsageReport


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
    """JSON lines of what the model says; its usage is recorded at the end, or when nobody listens any more."""
    started_at, first_token_at = time.monotonic(), None
    usage, error_code, is_whole = UsageReport(0, 0), "", False
    try:
        async with aclosing(stream_chat(target, asked, caller=caller)) as events:
            async for event in events:
                if isinstance(event, AnswerDelta):
                    first_token_at = first_token_at or time.monotonic()
                    yield msgspec.json.encode({"text": event.text}) + b"\n"
                elif isinstance(event, UsageReport):
                    usage = event
        is_whole = True
    except ParlourError as error:
        error_code = error.code
        yield msgspec.json.encode({"error": str(error.user_message)}) + b"\n"
    finally:
        call = Call(
            user_id=caller.user_id,
            api_key_id=caller.api_key_id,
            model_name=target.name,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            first_token_seconds=first_token_at - started_at if first_token_at else None,
            duration_seconds=time.monotonic() - started_at,
            error_code=error_code,
            is_stopped=not is_whole and not error_code,
        )
        await in_database(record_usage, [call])
