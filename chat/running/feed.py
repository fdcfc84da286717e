"""Following replies: one reader per process for all the sockets and streams that watch replies here.

A follower names a reply and the last cursor it has, and gets every later frame, in order, once. Replies that this
process runs wake the reader when their log is written; for replies of other processes it looks every
`REMOTE_POLL_SECONDS`. One XREAD serves all of them, whatever the number of followers.
"""

import asyncio
import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from redis.asyncio import Redis
from redis.exceptions import RedisError

from chat.running.log import RawEntries, ask_redis, log_key, parse_cursor

logger = logging.getLogger(__name__)

REMOTE_POLL_SECONDS = 0.030
IDLE_SECONDS = 5.0
RETRY_SECONDS = 0.5
# Frames read at once for one reply: a late follower of a long reply must not fill the memory in one go.
PAGE_FRAMES = 500

# Gets the frames of one reply as JSON texts, and whether the last of them ends the reply. Must not block.
Streams = list[tuple[bytes, RawEntries]]
Deliver = Callable[[uuid.UUID, Sequence[str], bool], None]


@dataclass(slots=True)
class _Followed:
    """A reply somebody here watches, and how far the shared reader has come with it."""

    cursor: str
    followers: set[Deliver] = field(default_factory=set)


class ReplyFeed:
    """Hands the frames of reply logs to followers in this process."""

    def __init__(self, redis: Redis, is_local: Callable[[uuid.UUID], bool]) -> None:
        self._redis = redis
        self._is_local = is_local
        self._followed: dict[uuid.UUID, _Followed] = {}
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Something was written to a log of this process."""
        if self._followed:
            self._wake.set()

    async def follow(self, reply_id: uuid.UUID, cursor: str, deliver: Deliver) -> None:
        """Deliver every frame after `cursor`, then live ones until the reply ends or `unfollow`."""
        while (followed := self._followed.get(reply_id)) is not None:
            if parse_cursor(cursor) >= parse_cursor(followed.cursor):
                followed.followers.add(deliver)
                return
            # The shared reader is further on: this follower catches up with it by itself first.
            entries: RawEntries = await ask_redis(
                self._redis, "XRANGE", log_key(reply_id), f"({cursor}", followed.cursor, "COUNT", PAGE_FRAMES
            )
            if entries:
                cursor, is_last = _deliver(reply_id, entries, [deliver])
                if is_last:
                    return
            else:
                cursor = followed.cursor
        self._followed[reply_id] = _Followed(cursor, {deliver})
        self._wake.set()

    def unfollow(self, reply_id: uuid.UUID, deliver: Deliver) -> None:
        followed = self._followed.get(reply_id)
        if followed is not None:
            followed.followers.discard(deliver)
            if not followed.followers:
                del self._followed[reply_id]

    async def has_log(self, reply_id: uuid.UUID) -> bool:
        """Whether the reply's log still exists; a finished reply's is dropped after a while."""
        return bool(await self._redis.exists(log_key(reply_id)))

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            remote = not all(self._is_local(reply_id) for reply_id in self._followed)
            try:
                async with asyncio.timeout(REMOTE_POLL_SECONDS if remote else IDLE_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            try:
                await self._read()
            except (RedisError, OSError) as error:
                logger.warning("Reply logs cannot be read, trying again: %s", type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)

    async def _read(self) -> None:
        if not self._followed:
            return
        keys = {log_key(reply_id).encode(): reply_id for reply_id in self._followed}
        cursors = [self._followed[reply_id].cursor for reply_id in keys.values()]
        streams: Streams | None = await ask_redis(
            self._redis, "XREAD", "COUNT", PAGE_FRAMES, "STREAMS", *keys, *cursors
        )
        for key, entries in streams or ():
            reply_id = keys[key]
            followed = self._followed.get(reply_id)
            if followed is None:
                continue
            if len(entries) == PAGE_FRAMES:
                self._wake.set()
            followed.cursor, is_last = _deliver(reply_id, entries, followed.followers)
            if is_last:
                self._followed.pop(reply_id, None)


def _deliver(
    reply_id: uuid.UUID, entries: RawEntries, followers: Sequence[Deliver] | set[Deliver]
) -> tuple[str, bool]:
    """Hand the entries on; returns the cursor reached and whether the reply has ended."""
    frames = [fields[1].decode() for _cursor, fields in entries]
    last_cursor, last_fields = entries[-1]
    is_last = len(last_fields) > 2
    for deliver in tuple(followers):
        deliver(reply_id, frames, is_last)
    return last_cursor.decode(), is_last
