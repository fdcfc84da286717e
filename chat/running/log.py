"""The reply log: one Redis stream per reply, holding the very frames that followers get.

An entry's id is `<epoch>-<sequence>` and is the frame's cursor. The epoch counts the processes that have run the
reply. Redis refuses an id that is not greater than the last one, so a process that lost its reply to another (it
hung, it was cut off) cannot write into it any more: the log itself is the fence, and nobody needs a lock.

`LogWriter` gathers what all replies of this process have to say and writes it in one pipeline a tick. Deltas that
meet in a tick become one frame. The log knows nothing of who reads it; `chat.running.feed` does.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from django.conf import settings
from msgspec import Struct
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from chat import events
from chat.events import Kind

logger = logging.getLogger(__name__)

# A frame of some 105 bytes carries 2 tokens at 50 tokens/s and 36 ms, which the eye cannot tell from one every 20 ms.
# Under load frames grow instead of multiplying: with 100 streams the log is written every 46 ms, with 1,000 every 136.
TICK_SECONDS = 0.036
TICK_SECONDS_PER_STREAM = 0.0001
TICK_SECONDS_MAX = 0.150
# After frames without text the next write comes sooner: the first token follows right behind its status.
QUIET_TICK_SECONDS = 0.004
# How long a log outlives its reply, for those who come back late with a cursor; later ones get the row.
FINISHED_LOG_SECONDS = 600
# An abandoned log must not stay for ever; no reply runs for a day.
RUNNING_LOG_SECONDS = 86_400
RETRY_SECONDS = 0.5

# Entries as Redis sends them: (id, [field, value, …]).
RawEntries = list[tuple[bytes, list[bytes]]]

FRAME = b"f"
LAST = b"last"


def parse_cursor(cursor: str) -> tuple[int, int]:
    """A cursor as something that can be compared: (epoch, sequence)."""
    epoch, _, sequence = cursor.partition("-")
    return int(epoch), int(sequence)


def log_key(reply_id: uuid.UUID) -> str:
    return f"{settings.REDIS_PREFIX}:reply:{reply_id}"


class Entry(NamedTuple):
    """One frame on its way into a log."""

    cursor: str
    frame: bytes
    is_last: bool


@dataclass(slots=True)
class ReplyWriter:
    """What one reply has to say and has not written yet. Cheap to call for every token; writes nothing itself."""

    reply_id: uuid.UUID
    epoch: int
    on_dirty: Callable[["ReplyWriter"], None]
    on_lost: Callable[[], None]
    sequence: int = 0
    is_final: bool = False
    _parts: list[str] = field(default_factory=list)
    _kind: Kind = "answer"
    _ready: list[Entry] = field(default_factory=list)

    @property
    def last_cursor(self) -> str:
        return f"{self.epoch}-{self.sequence}"

    @property
    def next_cursor(self) -> str:
        return f"{self.epoch}-{self.sequence + 1}"

    @property
    def has_text(self) -> bool:
        """Whether text waits that is in no frame yet."""
        return bool(self._parts)

    def append(self, text: str, kind: Kind) -> None:
        """New text at the end of the answer or the thinking."""
        if not text:
            return
        if kind != self._kind:
            self.close_delta()
            self._kind = kind
        self._parts.append(text)
        self.on_dirty(self)

    def put(self, make: Callable[[str, str], Struct], *, is_last: bool = False) -> None:
        """An event other than text; `make(reply, cursor)` gives its frame."""
        self.close_delta()
        self._encode(make, is_last)
        self.is_final = self.is_final or is_last
        self.on_dirty(self)

    def unwritten(self) -> tuple["Entry", ...]:
        """The frames that are not in the log yet, in order. They stay until `drop`ped."""
        self.close_delta()
        return tuple(self._ready)

    def is_behind(self, cursor: tuple[int, int]) -> bool:
        """Whether frames up to `cursor` are still unwritten."""
        return bool(self._ready) and parse_cursor(self._ready[0].cursor) <= cursor

    def drop(self, count: int) -> None:
        """The first `count` unwritten frames are in the log."""
        del self._ready[:count]

    def close_delta(self) -> None:
        """Make one frame of the text said since the last one."""
        if self._parts:
            text, kind = "".join(self._parts), self._kind
            self._parts = []
            self._encode(lambda reply, cursor: events.Delta(reply, cursor, text, kind), False)

    def _encode(self, make: Callable[[str, str], Struct], is_last: bool) -> None:
        self.sequence += 1
        cursor = self.last_cursor
        self._ready.append(Entry(cursor, events.encode(make(str(self.reply_id), cursor)), is_last))


class LogWriter:
    """Writes the frames of all replies of this process, one pipeline a tick."""

    def __init__(self, redis: Redis, on_written: Callable[[], None]) -> None:
        self._redis = redis
        self._on_written = on_written
        self._dirty: dict[uuid.UUID, ReplyWriter] = {}
        self._open: dict[uuid.UUID, ReplyWriter] = {}
        self._wake = asyncio.Event()
        self._ticked = asyncio.Event()

    def open(self, reply_id: uuid.UUID, epoch: int, on_lost: Callable[[], None]) -> ReplyWriter:
        """A writer for a reply of this process; `on_lost` is called when another process has taken the reply."""
        writer = ReplyWriter(reply_id, epoch, self._mark_dirty, on_lost)
        self._open[reply_id] = writer
        return writer

    def close(self, reply_id: uuid.UUID) -> None:
        """The reply is over here. What it has said is still written."""
        self._open.pop(reply_id, None)

    async def flush(self, writer: ReplyWriter) -> None:
        """Returns when everything `writer` has said so far is in Redis."""
        writer.close_delta()
        cursor = parse_cursor(writer.last_cursor)
        while writer.is_behind(cursor):
            await self._ticked.wait()

    async def read(self, reply_id: uuid.UUID) -> list[events.ReplyFrame]:
        """Every frame of a reply's log from its beginning; none when there is no log (any more)."""
        entries: RawEntries = await ask_redis(self._redis, "XRANGE", log_key(reply_id), "-", "+")
        return [events.decode_reply_frame(fields[1]) for _cursor, fields in entries]

    def _mark_dirty(self, writer: ReplyWriter) -> None:
        self._dirty[writer.reply_id] = writer
        self._wake.set()

    async def run(self) -> None:
        """Write until cancelled. When Redis is away, frames wait in memory and are tried again."""
        next_tick = 0.0
        while True:
            await self._wake.wait()
            pause = next_tick - time.monotonic()
            if pause > 0:
                await asyncio.sleep(pause)
            self._wake.clear()
            batch, self._dirty = self._dirty, {}
            has_text = any(writer.has_text for writer in batch.values())
            next_tick = time.monotonic() + (self._tick_seconds() if has_text else QUIET_TICK_SECONDS)
            try:
                await self._write(batch)
            except (RedisError, OSError) as error:
                logger.warning("The reply log cannot be written, trying again: %s", type(error).__name__)
                self._dirty = batch | self._dirty
                self._wake.set()
                await asyncio.sleep(RETRY_SECONDS)
                continue
            self._on_written()
            self._ticked.set()
            self._ticked.clear()

    def _tick_seconds(self) -> float:
        return min(TICK_SECONDS + TICK_SECONDS_PER_STREAM * len(self._open), TICK_SECONDS_MAX)

    async def _write(self, batch: dict[uuid.UUID, ReplyWriter]) -> None:
        pipeline = self._redis.pipeline(transaction=False)
        sent: list[tuple[ReplyWriter, int, int]] = []
        for writer in batch.values():
            entries = writer.unwritten()
            key = log_key(writer.reply_id)
            for cursor, frame, is_last in entries:
                fields = (FRAME, frame, LAST, b"1") if is_last else (FRAME, frame)
                pipeline.execute_command("XADD", key, cursor, *fields)
            is_first = writer.sequence == len(entries)
            if is_first or writer.is_final:
                seconds = FINISHED_LOG_SECONDS if writer.is_final else RUNNING_LOG_SECONDS
                pipeline.execute_command("EXPIRE", key, seconds)
            sent.append((writer, len(entries), len(entries) + (is_first or writer.is_final)))
        answers = iter(await pipeline.execute(raise_on_error=False))
        for writer, entry_count, command_count in sent:
            refused = [
                answer for answer in islice(answers, command_count) if isinstance(answer, ResponseError)
            ]
            writer.drop(entry_count)
            if refused:
                await self._check_fence(writer)

    async def _check_fence(self, writer: ReplyWriter) -> None:
        """Redis refused an id: either a try that broke off had written it after all, or the reply is another's."""
        newest: RawEntries = await ask_redis(
            self._redis, "XREVRANGE", log_key(writer.reply_id), "+", "-", "COUNT", 1
        )
        if newest and int(newest[0][0].partition(b"-")[0]) > writer.epoch:
            writer.on_lost()


async def ask_redis(redis: Redis, *command: str | bytes | int) -> Any:
    """A command's answer as Redis sent it."""
    return await redis.execute_command(*command)  # type: ignore[no-untyped-call]


def connect_redis() -> Redis:
    """A client with one connection of its own, whose calls take turns of some 0.2 ms. Writer, feed and leases have
    one each, so that none waits in another's queue, and a hundred messages at once open no hundred connections.

    Stream answers stay as they come, lists of `[id, [field, value, …]]`: dictionaries in between would cost more
    than all the rest of reading a frame.
    """
    client = Redis.from_url(settings.REDIS_URL, protocol=2, single_connection_client=True)
    for command in ("XREAD", "XRANGE", "XREVRANGE"):
        client.response_callbacks.pop(command, None)
    return client
