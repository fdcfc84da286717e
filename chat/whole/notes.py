"""Notes on parts of documents: asked of the model, and kept for a while.

A note is kept under all that went into it (who asks, the model, the whole prompt). A reply that another process takes
over, one that is tried again and another answer to the same message find the notes there that are made already, and
pay for the rest alone.
"""

import hashlib
import logging
from dataclasses import replace

import msgspec
from django.conf import settings
from redis.asyncio import Redis
from redis.exceptions import RedisError

from chat.running.asking import ask
from inference.types import Caller, ChatRequest, ModelTarget

logger = logging.getLogger(__name__)

# An afternoon's second thoughts. Forty notes are a tenth of a megabyte.
KEEP_SECONDS = 3 * 3600


async def note_on(target: ModelTarget, request: ChatRequest, caller: Caller) -> str:
    """The model's notes, made now or before."""
    key = _key(target, request, caller)
    async with Redis.from_url(settings.REDIS_URL) as redis:
        kept = await _read(redis, key)
        if kept:
            return kept
    note = await ask(target, request, caller)
    if not note:
        # A model that thinks may have used up all it was granted before it wrote a word.
        note = await ask(target, replace(request, max_tokens=None), caller)
    async with Redis.from_url(settings.REDIS_URL) as redis:
        await _keep(redis, key, note)
    return note


def _key(target: ModelTarget, request: ChatRequest, caller: Caller) -> str:
    asked = [target.name, request.max_tokens, *((turn.role, turn.text) for turn in request.turns)]
    digest = hashlib.sha256(msgspec.json.encode(asked)).hexdigest()
    return f"{settings.REDIS_PREFIX}:note:{caller.user_id}:{digest}"


async def _read(redis: Redis, key: str) -> str:
    try:
        kept = await redis.get(key)
    except (RedisError, OSError) as error:
        logger.warning("Notes cannot be looked up: %s", type(error).__name__)
        return ""
    return kept.decode() if isinstance(kept, bytes) else ""


async def _keep(redis: Redis, key: str, note: str) -> None:
    try:
        await redis.set(key, note, ex=KEEP_SECONDS)
    except (RedisError, OSError) as error:
        logger.warning("A note is not kept: %s", type(error).__name__)
