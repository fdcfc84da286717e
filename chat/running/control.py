"""Words between processes about running replies, over one Redis channel: stop these; some were released.

Sending is synchronous, for services; `chat.runtime` listens.
"""

import functools
import uuid
from collections.abc import Sequence
from typing import Literal

import msgspec
import redis
from django.conf import settings


class Control(msgspec.Struct, frozen=True):
    """`stop` names replies to end; `released` says that a process gave its replies away."""

    verb: Literal["stop", "released"]
    replies: tuple[uuid.UUID, ...] = ()


_decoder = msgspec.json.Decoder(Control)


def channel_name() -> str:
    return f"{settings.REDIS_PREFIX}:control"


def encode_control(message: Control) -> bytes:
    return msgspec.json.encode(message)


def decode_control(data: bytes) -> Control:
    return _decoder.decode(data)


def request_stop(reply_ids: Sequence[uuid.UUID]) -> None:
    """Tell every process to end these replies if it runs them."""
    _client().publish(channel_name(), encode_control(Control("stop", tuple(reply_ids))))


@functools.cache
def _client() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL)
