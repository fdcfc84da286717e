"""What a web process runs beside its requests: replies, their log, the feed, the lease, the watch for the dead.

One `Runtime` lives on each event loop. `start()` and `drain()` are called by the server at its beginning and end;
an ASGI server that does not call them gets a runtime with its first socket.
"""

import asyncio
import contextlib
import logging
import time
import uuid
import weakref
from collections.abc import Awaitable, Callable
from typing import Protocol

from django.conf import settings
from redis.asyncio import Redis
from redis.exceptions import RedisError

from accounts.events import publish_to_user_async
from chat import metrics
from chat.contexts import ReplyContext
from chat.database import Batcher, in_database
from chat.models import ReplyStatus
from chat.nodes import message_node
from chat.posting import post_messages
from chat.prompting.record import records
from chat.replies import ReplyRun
from chat.running.checkpoints import (
    Ending,
    claim_reply,
    finish_replies,
    list_overdue_replies,
    list_owed_turns,
    save_checkpoints,
)
from chat.running.control import Control, channel_name, decode_control, encode_control
from chat.running.feed import ReplyFeed
from chat.running.leases import HEARTBEAT_SECONDS, Leases
from chat.running.log import LogWriter, connect_redis
from chat.tasks import title_conversation
from chat.titles import is_topic
from chat.turns import speak_next

logger = logging.getLogger(__name__)

CHECKPOINT_SECONDS = 3.0
SWEEP_SECONDS = 1.0
# Rows without any owner are rare (Redis lost its data, or a process died between row and lease).
OVERDUE_SWEEP_SECONDS = 10.0
CLAIM_MOST = 200
# Posts in one transaction: enough for a burst, few enough that the first of them need not wait for the last.
POSTS_AT_ONCE = 16
ENDINGS_AT_ONCE = 32
# Between two speakers of a group nobody misses this; under load several groups hand on together.
TURNS_LINGER_SECONDS = 0.02
RESTART_SECONDS = 1.0


class Drainable(Protocol):
    """A socket that wants to know when its process goes away."""

    async def close_for_restart(self) -> None: ...


class Runtime:
    """The replies of one process and the loops that keep them alive."""

    def __init__(self) -> None:
        self._log_redis, self._feed_redis, self._lease_redis = (connect_redis() for _ in range(3))
        self.runs: dict[uuid.UUID, ReplyRun] = {}
        self.feed = ReplyFeed(self._feed_redis, is_local=self.runs.__contains__)
        self.log = LogWriter(self._log_redis, on_written=self.feed.wake)
        self.leases = Leases(self._lease_redis)
        self.posts = Batcher(post_messages, most=POSTS_AT_ONCE)
        self._turns = Batcher(speak_next, most=POSTS_AT_ONCE, linger_seconds=TURNS_LINGER_SECONDS)
        self._finished = Batcher(finish_replies, most=ENDINGS_AT_ONCE)
        self.is_draining = False
        self.sockets: weakref.WeakSet[Drainable] = weakref.WeakSet()
        self._sweep_now = asyncio.Event()
        self._endings: set[asyncio.Task[None]] = set()
        self._loops: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to beat, write, read, listen and watch."""
        await self.leases.beat()
        for loop in (
            self.log.run,
            self.feed.run,
            self.leases.run,
            self._beat,
            self._listen,
            self._save_checkpoints,
            self._claim_abandoned,
            self._claim_overdue,
        ):
            self._loops.append(asyncio.create_task(_forever(loop), name=f"runtime {loop.__name__}"))

    def start_reply(self, context: ReplyContext, *, is_takeover: bool = False) -> None:
        """Run this reply here. It goes on whoever watches."""
        run = ReplyRun(context, log=self.log, is_takeover=is_takeover, finish_row=self._finished.submit)
        self.runs[run.reply_id] = run
        metrics.REPLIES_RUNNING.inc()
        ending = asyncio.create_task(self._see_off(run, run.start()))
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)
        if not is_takeover:
            self.leases.hold(run.reply_id)

    async def drain(self, grace_seconds: float) -> None:
        """Take nothing new, give running replies `grace_seconds` to end, and hand the rest to other processes."""
        self.is_draining = True
        for socket in tuple(self.sockets):
            await socket.close_for_restart()
        if self._endings:
            await asyncio.wait(tuple(self._endings), timeout=grace_seconds)
        handed_on = tuple(self.runs)
        for run in tuple(self.runs.values()):
            run.leave()
        for run in tuple(self.runs.values()):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2):
                    await self.log.flush(run.draft.writer)
        await self._checkpoint_once()
        await self.leases.release_all()
        if handed_on:
            logger.info("Handed %d running replies on", len(handed_on))
            await self._lease_redis.publish(channel_name(), encode_control(Control("released")))
        await self.close()

    async def close(self) -> None:
        """Stop the loops and let go of Redis."""
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        for redis in (self._log_redis, self._feed_redis, self._lease_redis):
            await redis.aclose()

    async def _see_off(self, run: ReplyRun, task: asyncio.Task[Ending | None]) -> None:
        """After a reply's end: free its place, tell its owner's other windows, find a title."""
        try:
            ending = await task
        except asyncio.CancelledError:
            if not run.is_lost:
                return
            ending = None
        finally:
            metrics.REPLIES_RUNNING.dec()
        self.runs.pop(run.reply_id, None)
        await self.log.flush(run.draft.writer)
        self.log.close(run.reply_id)
        owes_turn = ending is not None and self._owes_turn(run, ending)
        if not owes_turn:
            self.leases.drop(run.reply_id)
        if ending is None:
            return
        metrics.REPLIES.labels(ending.status).inc()
        if owes_turn and await self._let_next_speak(run.reply_id):
            # That there is a new message says that this one is over.
            return
        conversation = run.context.conversation
        event = {"type": "conversation", "conversation": str(conversation.pk), "event": "replied"}
        await publish_to_user_async(conversation.owner_id, event)
        if not owes_turn and run.context.wants_title and is_topic(run.context.question):
            await in_database(title_conversation.delay, str(conversation.pk))

    def _owes_turn(self, run: ReplyRun, ending: Ending) -> bool:
        return ending.status == ReplyStatus.COMPLETE and bool(run.context.reply.next_speakers)

    async def _let_next_speak(self, reply_id: uuid.UUID) -> bool:
        """In a group: begin the next member's answer, and show it in all windows of its owner; whether anybody is next.

        The lease on the reply is kept until then. Who takes it over from a process that has died, or goes away now,
        finds the reply whole and lets the next one speak.
        """
        if self.is_draining:
            return False
        posted = await self._turns.submit(reply_id)
        self.leases.drop(reply_id)
        if posted is None or posted.context is None:
            return False
        reply, conversation = posted.reply, posted.conversation
        event = {
            "type": "conversation",
            "conversation": str(conversation.pk),
            "event": "message",
            "current_message": str(reply.message_id),
            "messages": [message_node(reply.message, reply).model_dump(mode="json")],
        }
        self.start_reply(posted.context)
        await publish_to_user_async(conversation.owner_id, event)
        return True

    async def _beat(self) -> None:
        while True:
            await self.leases.beat()
            await asyncio.sleep(HEARTBEAT_SECONDS)

    async def _listen(self) -> None:
        async with Redis.from_url(settings.REDIS_URL) as redis, redis.pubsub() as pubsub:
            await pubsub.subscribe(channel_name())
            async for message in pubsub.listen():
                if message["type"] != "message":
                    continue
                control = decode_control(message["data"])
                if control.verb == "released":
                    self._sweep_now.set()
                for reply_id in control.replies:
                    if run := self.runs.get(reply_id):
                        run.stop()

    async def _save_checkpoints(self) -> None:
        while True:
            await asyncio.sleep(CHECKPOINT_SECONDS)
            await self._checkpoint_once()

    async def _checkpoint_once(self) -> None:
        checkpoints = [run.new_checkpoint() for run in self.runs.values()]
        new = [checkpoint for checkpoint in checkpoints if checkpoint is not None]
        if new:
            await in_database(save_checkpoints, new)
        if records.has_waiting:
            await in_database(records.flush)

    async def _claim_abandoned(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SWEEP_SECONDS):
                    await self._sweep_now.wait()
            self._sweep_now.clear()
            if not self.is_draining:
                for reply_id in await self.leases.claim_abandoned(CLAIM_MOST):
                    await self._take_over(reply_id)

    async def _claim_overdue(self) -> None:
        while True:
            await asyncio.sleep(OVERDUE_SWEEP_SECONDS)
            overdue = await in_database(list_overdue_replies)
            if overdue and not self.is_draining:
                for reply_id in await self.leases.unowned(overdue):
                    if await self.leases.claim_unowned(reply_id):
                        await self._take_over(reply_id)
            for reply_id in await in_database(list_owed_turns):
                await self._let_next_speak(reply_id)

    async def _take_over(self, reply_id: uuid.UUID) -> None:
        context = await in_database(claim_reply, reply_id)
        if context is None:
            await self._let_next_speak(reply_id)
            return
        metrics.TAKEN_OVER.inc()
        logger.info("Reply %s goes on here, run %d", reply_id, context.reply.epoch)
        self.start_reply(context, is_takeover=True)


_runtimes: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Runtime] = weakref.WeakKeyDictionary()


async def start() -> Runtime:
    """The runtime of this event loop, begun if it was not yet."""
    loop = asyncio.get_running_loop()
    runtime = _runtimes.get(loop)
    if runtime is None:
        runtime = _runtimes[loop] = Runtime()
        await runtime.start()
    return runtime


async def drain(grace_seconds: float) -> None:
    """End this loop's runtime; see `Runtime.drain`."""
    runtime = _runtimes.pop(asyncio.get_running_loop(), None)
    if runtime is not None:
        started_at = time.monotonic()
        await runtime.drain(grace_seconds)
        logger.info("Drained in %.1f s", time.monotonic() - started_at)


async def _forever(loop: Callable[[], Awaitable[None]]) -> None:
    """Run an endless loop again when it breaks; Redis or Postgres may be away for a while."""
    while True:
        try:
            await loop()
        except (RedisError, OSError) as error:
            logger.warning("%s: Redis is away (%s)", loop.__name__, type(error).__name__)
        except Exception:
            logger.exception("%s broke and starts again", loop.__name__)
        await asyncio.sleep(RESTART_SECONDS)
