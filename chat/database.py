"""The way from the event loop to the database: a bounded pool of threads of this room's own.

Channels' `database_sync_to_async` puts every call of a process on one thread; under a hundred sockets that
thread is the queue. Here a call takes one of a few threads, whose connection goes back to psycopg's pool after it.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import connections

P = ParamSpec("P")
T = TypeVar("T")

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


def _run(call: Callable[[], T]) -> T:
    try:
        return call()
    finally:
        connections.close_all()
