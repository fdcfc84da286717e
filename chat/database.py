"""The way from the event loop to the database: a bounded pool of threads of this room's own.

Channels' `database_sync_to_async` puts every call of a process on one thread; under a hundred sockets that
thread is the queue. Here a call takes one of a few threads, whose connection goes back to psycopg's pool after it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Generic, ParamSpec, TypeVar

from django.conf import settings
from django.db import connections

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R")

# One would let a slow batch hold up everybody; more fight the event loop for the interpreter.
BATCHES_AT_ONCE = 2

_threads = ThreadPoolExecutor(max_workers=settings.CHAT_DATABASE_THREADS, thread_name_prefix="chat-database")
# A search waits for the embedding server; it must not keep a message from being stored meanwhile.
_search_threads = ThreadPoolExecutor(
    max_workers=settings.CHAT_DATABASE_THREADS, thread_name_prefix="chat-search"
)


async def in_database(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of the synchronous `function`, run on a database thread. It is not interrupted when the caller
    is cancelled: a transaction that began ends."""
    call = partial(_run, partial(function, *args, **kwargs))
    return await asyncio.get_running_loop().run_in_executor(_threads, call)


async def in_search(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same for calls that search documents."""
    call = partial(_run, partial(function, *args, **kwargs))
    return await asyncio.get_running_loop().run_in_executor(_search_threads, call)


class Batcher(Generic[T, R]):
    """Calls that wait while others run go together in one: `call` gets their arguments and returns, in order, what
    each is answered or refused with. Under a burst this replaces a hundred turns at a thread and a transaction by
    a few; a call that finds nobody waiting goes at once, alone, or after `linger_seconds` with those that came
    meanwhile."""

    def __init__(
        self,
        call: Callable[[Sequence[T]], Sequence[R | Exception]],
        *,
        most: int,
        linger_seconds: float = 0.0,
    ) -> None:
        self._call = call
        self._most = most
        self._linger_seconds = linger_seconds
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._workers: set[asyncio.Task[None] | None] = set()

    async def submit(self, item: T) -> R:
        """The answer to `item`; raises what it was refused with. It is not taken back when the caller is cancelled."""
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if len(self._workers) < BATCHES_AT_ONCE:
            self._workers.add(asyncio.create_task(self._work()))
        return await answer

    async def _work(self) -> None:
        try:
            if self._linger_seconds:
                await asyncio.sleep(self._linger_seconds)
            await self._work_off()
        finally:
            # At once, and not when the loop comes to it: an item submitted in between would find nobody.
            self._workers.discard(asyncio.current_task())

    async def _work_off(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
            outcomes: Sequence[R | Exception]
            try:
                outcomes = await in_database(self._call, [item for item, _answer in batch])
            except Exception as error:  # noqa: BLE001 - it reaches every caller
                outcomes = [error] * len(batch)
            for (_item, answer), outcome in zip(batch, outcomes, strict=True):
                if answer.done():
                    continue
                if isinstance(outcome, Exception):
                    answer.set_exception(outcome)
                else:
                    answer.set_result(outcome)


def _run(call: Callable[[], T]) -> T:
    try:
        return call()
    finally:
        connections.close_all()
