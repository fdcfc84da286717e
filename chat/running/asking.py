"""Something the house asks a model beside a reply: nothing of the answer is stored, and its usage counts."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

from accounts.errors import ParlourError
from chat.database import in_database
from inference.client import stream_chat
from inference.services import record_usage
from inference.types import AnswerDelta, Call, Caller, ChatRequest, ModelTarget, UsageReport


async def ask(target: ModelTarget, request: ChatRequest, caller: Caller) -> str:
    """The model's answer, whole; raises what `stream_chat` raises."""
    async with aclosing(listen(target, request, caller)) as pieces:
        return "".join([piece async for piece in pieces]).strip()


async def listen(target: ModelTarget, request: ChatRequest, caller: Caller) -> AsyncGenerator[str, None]:
    """The model's answer as it speaks; raises what `stream_chat` raises. What it took is recorded, however it ends."""
    started_at, first_token_at = time.monotonic(), None
    usage, error_code, is_whole = UsageReport(0, 0), "", False
    try:
        async with aclosing(stream_chat(target, request, caller=caller)) as stream:
            async for event in stream:
                if isinstance(event, AnswerDelta):
                    first_token_at = first_token_at or time.monotonic()
                    yield event.text
                elif isinstance(event, UsageReport):
                    usage = event
        is_whole = True
    except ParlourError as error:
        error_code = error.code
        raise
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
            is_cached=usage.is_cached,
        )
        await in_database(record_usage, [call])
