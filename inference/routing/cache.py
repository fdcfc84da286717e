"""Answers kept for requests that are exactly repeatable: temperature 0 and everything the same.

Off unless a model says for how many seconds (`Model.cache_seconds`). The key is a digest of the whole request, so
what is kept can only be found by who already knows every word of it. Kept in Redis, for all processes.
"""

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from hashlib import sha256

import msgspec
from django.conf import settings
from redis.asyncio import Redis
from redis.exceptions import RedisError

from inference.types import (
    AnswerDelta,
    ChatRequest,
    Finish,
    FinishReason,
    ModelTarget,
    StartOver,
    StreamEvent,
    ThinkingDelta,
    ToolCallDelta,
    UsageReport,
)

logger = logging.getLogger(__name__)

# A long answer has some 40 kB.
LARGEST_BYTES = 1024 * 1024


class _Kept(msgspec.Struct):
    """A whole answer."""

    answer: str
    thinking: str
    calls: list[tuple[int, str, str, str]]
    prompt_tokens: int
    completion_tokens: int
    finish: FinishReason


_decode = msgspec.json.Decoder(_Kept).decode


def is_repeatable(target: ModelTarget, request: ChatRequest) -> bool:
    return target.cache_seconds > 0 and request.temperature == 0


async def stream_kept(
    target: ModelTarget, request: ChatRequest, answer: AsyncGenerator[StreamEvent, None]
) -> AsyncGenerator[StreamEvent, None]:
    """The kept answer if there is one, else the events of `answer`, which is kept once it is whole."""
    key = _key_of(target, request)
    async with Redis.from_url(settings.REDIS_URL, protocol=2) as redis:
        kept = await _find(redis, key)
    if kept is not None:
        await answer.aclose()
        for event in _events_of(kept):
            yield event
        return
    heard: list[StreamEvent] = []
    async with aclosing(answer) as events:
        async for event in events:
            heard.append(event)
            yield event
    async with Redis.from_url(settings.REDIS_URL, protocol=2) as redis:
        await _keep(redis, key, _sum_up(heard), target.cache_seconds)


def _key_of(target: ModelTarget, request: ChatRequest) -> str:
    defaults = [dict(endpoint.defaults) for endpoint in target.endpoints]
    digest = sha256(msgspec.json.encode([str(target.id), defaults, request], order="sorted"))
    return f"{settings.REDIS_PREFIX}:kept:{digest.hexdigest()}"


async def _find(redis: Redis, key: str) -> _Kept | None:
    try:
        data = await redis.get(key)
        return _decode(data) if data else None
    except (RedisError, OSError, msgspec.MsgspecError) as error:
        logger.warning("Kept answers cannot be read: %s", type(error).__name__)
        return None


async def _keep(redis: Redis, key: str, kept: _Kept, seconds: int) -> None:
    data = msgspec.json.encode(kept)
    if len(data) > LARGEST_BYTES:
        return
    try:
        await redis.set(key, data, ex=seconds)
    except (RedisError, OSError) as error:
        logger.warning("An answer could not be kept: %s", type(error).__name__)


def _sum_up(events: list[StreamEvent]) -> _Kept:
    kept = _Kept("", "", [], 0, 0, "stop")
    answer: list[str] = []
    thinking: list[str] = []
    for event in events:
        match event:
            case AnswerDelta(text=text):
                answer.append(text)
            case ThinkingDelta(text=text):
                thinking.append(text)
            case ToolCallDelta():
                kept.calls.append((event.index, event.id, event.name, event.arguments))
            case StartOver():
                thinking.clear()
            case UsageReport():
                kept.prompt_tokens, kept.completion_tokens = event.prompt_tokens, event.completion_tokens
            case Finish(reason=reason):
                kept.finish = reason
    kept.answer, kept.thinking = "".join(answer), "".join(thinking)
    return kept


def _events_of(kept: _Kept) -> list[StreamEvent]:
    events: list[StreamEvent] = []
    if kept.thinking:
        events.append(ThinkingDelta(kept.thinking))
    if kept.answer:
        events.append(AnswerDelta(kept.answer))
    events.extend(ToolCallDelta(*call) for call in kept.calls)
    events.append(UsageReport(kept.prompt_tokens, kept.completion_tokens, is_cached=True))
    events.append(Finish(kept.finish))
    return events
