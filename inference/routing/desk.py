"""Places at models: who may ask which server now, and who waits for his turn.

One `Desk` lives on each event loop and speaks for this process. What its requests want of Redis within one turn of
the loop travels in one pipeline; the decisions are made in Redis (`routing.script`), so all processes agree.
A place is given back when its request ends, however it ends; those of a process that died, within
`LEASE_SECONDS` and a beat.
"""

import asyncio
import contextlib
import logging
import secrets
import uuid
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha1
from typing import Any

import msgspec
from django.conf import settings
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, RedisError

from inference.routing.script import LUA
from inference.types import ModelTarget

logger = logging.getLogger(__name__)

# A dead process's places are free again after this and one beat of another process.
LEASE_SECONDS = 6.0
# Also how often those who wait are told their place in the line.
BEAT_SECONDS = 1.0
RETRY_SECONDS = 0.5
# Redis answers within milliseconds; one that is cut off says nothing, and people wait meanwhile.
ANSWER_SECONDS = 5.0

_SHA = sha1(LUA.encode(), usedforsecurity=False).hexdigest()


def key_prefix() -> str:
    return f"{settings.REDIS_PREFIX}:route"


@dataclass(frozen=True, slots=True)
class Plan:
    """A model as the script sees it."""

    model: str
    body: bytes
    is_bounded: bool


def plan_of(target: ModelTarget) -> Plan:
    """The plan of a target; costs some microseconds."""
    slots = [endpoint.slots for endpoint in target.endpoints]
    # Without a limit of the model's own, a server without one takes whatever comes.
    is_bounded = target.slots is not None or all(each is not None for each in slots)
    deployments = [
        {"id": endpoint.deployment, "weight": endpoint.weight}
        | ({} if endpoint.slots is None else {"slots": endpoint.slots})
        for endpoint in target.endpoints
    ]
    body: dict[str, object] = {
        "model": str(target.id),
        "bounded": is_bounded,
        "width": target.slots or sum(each or 0 for each in slots),
        "deployments": deployments,
    }
    if target.slots is not None:
        body["slots"] = target.slots
    return Plan(str(target.id), msgspec.json.encode(body), is_bounded)


class Place:
    """One request's place: in the line, then at a deployment."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.ticket = secrets.token_hex(8)
        # "" where Redis could not be asked: the caller chooses for itself.
        self.deployment: str | None = None
        # Whether the deployment has failed lately, and this request shows how it is now.
        self.is_trial = False
        self.position = 0
        self.has_waited = False
        self._told = 0
        self._changed = asyncio.Event()

    async def next_position(self) -> int | None:
        """The place in the line, counted from 1, when it is another than before; None once a server is free."""
        while self.deployment is None:
            await self._changed.wait()
            self._changed.clear()
            if self.deployment is None and self.position != self._told:
                self.has_waited = True
                self._told = self.position
                return self.position
        return None

    def stand(self, standing: bytes | int) -> None:
        """What Redis says of this place."""
        if isinstance(standing, int):
            self.position = standing
        elif standing and self.deployment is None:
            self.deployment = standing.decode().removesuffix("!")
            self.is_trial = standing.endswith(b"!")
        self._changed.set()

    def give_up(self) -> None:
        """Redis cannot be asked."""
        if self.deployment is None:
            self.deployment = ""
        self._changed.set()


@dataclass(slots=True)
class _Call:
    """One run of the script, and what its answer is for."""

    arguments: tuple[str | bytes | int, ...]
    on_answer: Callable[[Any], None]
    on_failure: Callable[[], None] | None = None


class Desk:
    """The places of this process."""

    def __init__(self) -> None:
        self.process_id = uuid.uuid4().hex
        self._redis = Redis.from_url(
            settings.REDIS_URL,
            protocol=2,
            single_connection_client=True,
            socket_timeout=ANSWER_SECONDS,
            socket_connect_timeout=ANSWER_SECONDS,
            # Once more, where Redis had closed an idle connection.
            retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        )
        self._prefix = key_prefix()
        self._calls: list[_Call] = []
        self._plain: list[tuple[str | bytes | int, ...]] = []
        self._has_calls = asyncio.Event()
        self._places: set[Place] = set()
        self._waiting: dict[str, dict[str, Place]] = defaultdict(dict)
        self._has_places = asyncio.Event()
        # Something was said of which it is not known whether Redis heard it.
        self._is_unsure = False
        self._loops: list[asyncio.Task[None]] = []

    def start(self) -> None:
        for loop in (self._flush, self._beat):
            self._loops.append(asyncio.create_task(loop(), name=f"desk {loop.__name__}"))

    async def close(self) -> None:
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        with contextlib.suppress(RedisError, OSError):
            await self._send()
            # What may be left is given back by others when this process beats no more; say so at once.
            await self._redis.delete(f"{self._prefix}:alive:{self.process_id}")
        await self._redis.aclose()

    def enter(self, plan: Plan, *, user: str, tokens: int, tried: Sequence[str]) -> Place:
        """Ask for a place; `Place.next_position` tells what comes of it. To be given back with `leave`."""
        place = Place(plan)
        self._places.add(place)
        self._waiting[plan.model][place.ticket] = place
        self._has_places.set()
        self._ask_for(place, user, tokens, ",".join(tried))
        if plan.is_bounded and len(self._loops) == 2:
            self._loops.append(asyncio.create_task(self._listen(), name="desk listen"))
        return place

    def leave(self, place: Place) -> None:
        """Give a place back, or leave the line. Others of this process hear of their turn with the answer."""
        self._places.discard(place)
        self._waiting[place.plan.model].pop(place.ticket, None)
        arguments = ("leave", self.process_id, place.plan.body, place.ticket)
        self._call(arguments, lambda granted: self._grant(place.plan, granted))

    def vouch(self, place: Place, most: int) -> None:
        """The place's deployment has answered: let others try it, twice as many, all of them from `most` on."""
        arguments = ("well", self.process_id, place.plan.body, place.deployment or "", most)
        self._call(arguments, lambda granted: self._grant(place.plan, granted))

    def mark(self, *command: str | bytes | int) -> None:
        """Send a plain command along with the next pipeline."""
        self._plain.append(command)
        self._has_calls.set()

    def _ask_for(self, place: Place, user: str, tokens: int, tried: str) -> None:
        lease = int(LEASE_SECONDS * 1000)
        arguments = ("enter", self.process_id, place.plan.body, lease, place.ticket, user, tokens, tried)

        def hear(answer: Sequence[Any]) -> None:
            self._stand([place], answer[:1])
            self._grant(place.plan, answer[1:])

        self._call(arguments, hear, place.give_up)

    def _grant(self, plan: Plan, granted: Sequence[bytes]) -> None:
        """Places that have become free for requests of this process: ticket, deployment, ticket, …"""
        for ticket, deployment in zip(granted[::2], granted[1::2], strict=True):
            if place := self._waiting[plan.model].get(ticket.decode()):
                self._stand([place], [deployment])

    def _waiting_on(self, plan: Plan) -> list[Place]:
        return list(self._waiting[plan.model].values()) if plan.is_bounded else []

    def _stand(self, places: Sequence[Place], standings: Sequence[bytes | int]) -> None:
        for place, standing in zip(places, standings, strict=True):
            if standing == b"":
                # Redis has lost its data, or held this process for dead: nobody will call this ticket any more.
                place.give_up()
            place.stand(standing)
            if place.deployment is not None:
                self._waiting[place.plan.model].pop(place.ticket, None)

    def _call(
        self,
        arguments: tuple[str | bytes | int, ...],
        on_answer: Callable[[Any], None],
        on_failure: Callable[[], None] | None = None,
    ) -> None:
        self._calls.append(_Call(arguments, on_answer, on_failure))
        self._has_calls.set()

    async def _flush(self) -> None:
        while True:
            await self._has_calls.wait()
            self._has_calls.clear()
            try:
                await self._send()
            except (RedisError, OSError) as error:
                logger.warning("Places cannot be asked for: %s", type(error).__name__)
            except Exception:
                # Whoever waits here waits for this loop: it ends with the process and not before.
                logger.exception("Places were not given out as they should")
            if (task := asyncio.current_task()) and task.cancelling():
                # redis-py may swallow the cancellation of a pipeline that is just being answered.
                raise asyncio.CancelledError

    async def _send(self) -> None:
        """One pipeline with everything that waits to be said."""
        calls, self._calls = self._calls, []
        plain, self._plain = self._plain, []
        if not calls and not plain:
            return
        try:
            answers = await self._run(calls, plain)
            if any(isinstance(answer, NoScriptError) for answer in answers):
                await self._redis.script_load(LUA)
                refused = [at for at, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
                again = await self._run([calls[at] for at in refused], [])
                for at, answer in zip(refused, again, strict=True):
                    answers[at] = answer
        except (RedisError, OSError):
            self._is_unsure = True
            for call in calls:
                if call.on_failure is not None:
                    call.on_failure()
            raise
        for call, answer in zip(calls, answers, strict=True):
            if isinstance(answer, Exception):
                logger.error("The script of places failed: %s", answer)
                if call.on_failure is not None:
                    call.on_failure()
            else:
                call.on_answer(answer)

    async def _run(self, calls: Sequence[_Call], plain: Sequence[tuple[str | bytes | int, ...]]) -> list[Any]:
        pipeline = self._redis.pipeline(transaction=False)
        for call in calls:
            pipeline.execute_command("EVALSHA", _SHA, 1, self._prefix, *call.arguments)
        for command in plain:
            pipeline.execute_command(*command)
        answers: list[Any] = await pipeline.execute(raise_on_error=False)
        return answers[: len(calls)]

    async def _beat(self) -> None:
        """While there are places: say that this process lives, take from the dead, ask how the line stands."""
        while True:
            await self._has_places.wait()
            if not self._places:
                self._has_places.clear()
                continue
            self._call(("beat", self.process_id, int(LEASE_SECONDS * 1000), *self._doubts()), lambda _: None)
            for plan in {place.plan.model: place.plan for place in self._places}.values():
                if waiting := self._waiting_on(plan):
                    self._call(
                        ("look", self.process_id, plan.body, *(place.ticket for place in waiting)),
                        partial(self._stand, waiting),
                    )
            await asyncio.sleep(BEAT_SECONDS)

    def _doubts(self) -> tuple[str | int, ...]:
        """After a break what this process still has, so that Redis forgets the rest: places that were given back
        while nobody listened, and those that were given to somebody who had left."""
        if not self._is_unsure:
            return ()
        self._is_unsure = False
        return (1, *(place.ticket for place in self._places))

    async def _listen(self) -> None:
        """Hear at once of places that other processes have freed for those who wait here."""
        while True:
            try:
                async with Redis.from_url(settings.REDIS_URL, protocol=2) as redis, redis.pubsub() as pubsub:
                    await pubsub.subscribe(f"{self._prefix}:granted:{self.process_id}")
                    async for message in pubsub.listen():
                        if message["type"] == "message":
                            self._hear(message["data"])
            except (RedisError, OSError) as error:
                logger.warning("Free places are not heard of: %s", type(error).__name__)
            await asyncio.sleep(RETRY_SECONDS)

    def _hear(self, data: bytes) -> None:
        ticket, _bar, deployment = data.partition(b"|")
        for waiting in self._waiting.values():
            if place := waiting.get(ticket.decode()):
                self._stand([place], [deployment])
                return


_desks: dict[asyncio.AbstractEventLoop, tuple[Desk, AsyncGenerator[Desk, None]]] = {}


async def desk() -> Desk:
    """The running loop's desk; it is closed with the loop."""
    loop = asyncio.get_running_loop()
    if loop not in _desks:
        # A loop that ends closes the generators begun in it (`shutdown_asyncgens`), and this one its desk.
        keeper = _keep(loop)
        _desks[loop] = (await anext(keeper), keeper)
    return _desks[loop][0]


async def _keep(loop: asyncio.AbstractEventLoop) -> AsyncGenerator[Desk, None]:
    opened = Desk()
    opened.start()
    try:
        yield opened
    finally:
        _desks.pop(loop, None)
        await opened.close()
