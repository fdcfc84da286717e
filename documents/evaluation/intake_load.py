"""Many small files through the API, from outside: made, sent, and waited for until each is ready.

What is sent follows from a seed and is plain English of everyday words, because made-up ones are five times the
tokens. No Django here: it measures whatever answers at an address.
"""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec

POLL_SECONDS = 1.0
# A worker that is not there would be waited for in vain.
STALL_SECONDS = 300.0
_FINAL = {"ready", "failed"}
_WORDS = {
    "thing": "harbour market letter garden engine bridge committee window contract kitchen journey teacher budget "
    "winter railway library mountain invoice station painting village report machine doctor island meeting factory "
    "orchard customer school newspaper river supplier workshop festival ticket passenger museum forest manager",
    "deed": "opens repairs describes visits replaces measures remembers supports delivers examines follows protects "
    "improves crosses explains reaches prepares records compares finishes",
    "kind": "old quiet narrow public careful early heavy modern distant yearly wooden busy local final northern "
    "simple second private bright annual",
}
_THINGS, _DEEDS, _KINDS = (words.split() for words in _WORDS.values())
_WAYS = (
    "before the end of the month",
    "with the help of two neighbours",
    "because nobody else had the time",
    "in spite of the weather",
    "as the plan had asked",
    "on the way to the coast",
    "for less than was expected",
    "without any further delay",
    "after a long discussion",
)


@dataclass(frozen=True, slots=True)
class Target:
    """Where to send, and for whom."""

    url: str
    key: str
    connections: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many were ready and how many failed, and the seconds until all were taken and all were done."""

    ready: int
    failed: int
    accepted_seconds: float
    done_seconds: float


class _Row(msgspec.Struct):
    id: str
    status: str = ""


class _Page(msgspec.Struct):
    items: list[_Row]
    next: str | None


_decode_row = msgspec.json.Decoder(_Row).decode
_decode_page = msgspec.json.Decoder(_Page).decode


class LoadError(Exception):
    """Nothing can be measured; its text says why."""


def make_text(number: int, *, seed: int, size_bytes: int = 2000) -> bytes:
    """A letter of between half and one and a half of that size, unlike any other of the same seed."""
    chance = random.Random(f"{seed}/{number}")  # noqa: S311 - no secret
    size = chance.randint(size_bytes // 2, size_bytes * 3 // 2)
    paragraphs: list[str] = [f"{chance.choice(_KINDS).title()} {chance.choice(_THINGS)} {number}"]
    length = len(paragraphs[0])
    while length < size:
        sentences = []
        for _ in range(chance.randint(2, 5)):
            one, two = chance.sample(_THINGS, 2)
            sentences.append(
                f"The {chance.choice(_KINDS)} {one} {chance.choice(_DEEDS)} the {chance.choice(_KINDS)} {two} "
                f"{chance.choice(_WAYS)}."
            )
        paragraphs.append(" ".join(sentences))
        length += len(paragraphs[-1]) + 2
    return "\n\n".join(paragraphs).encode()


async def run_load(target: Target, texts: Sequence[bytes], on_done: Callable[[], None]) -> Outcome:
    """Send the texts to a collection of their own and wait until none is on its way.

    `on_done` is called then, before the collection is deleted.
    """
    session = aiohttp.ClientSession(
        target.url.rstrip("/"),
        connector=aiohttp.TCPConnector(limit=target.connections),
        headers={"Authorization": f"Bearer {target.key}"},
        timeout=aiohttp.ClientTimeout(total=STALL_SECONDS),
    )
    async with session:
        try:
            made = await _ask(session, "POST", "/api/v1/collections", json={"name": "Benchmark"})
            collection = _decode_row(made).id
            try:
                started = time.perf_counter()
                last = await _send(session, collection, texts, target.connections)
                accepted = time.perf_counter() - started
                statuses = await _wait(session, collection, last)
                done = time.perf_counter() - started
                on_done()
            finally:
                await _ask(session, "DELETE", f"/api/v1/collections/{collection}")
        except (aiohttp.ClientError, OSError, TimeoutError, msgspec.MsgspecError) as error:
            raise LoadError(f"{target.url}: {error or type(error).__name__}") from error
    return Outcome(statuses.count("ready"), statuses.count("failed"), accepted, done)


async def _send(
    session: aiohttp.ClientSession, collection: str, texts: Sequence[bytes], connections: int
) -> str:
    """All of them, so many at once; the id of one of the last."""
    waiting = iter(enumerate(texts))
    last = ""

    async def send() -> None:
        nonlocal last
        for number, text in waiting:
            form = aiohttp.FormData()
            form.add_field("file", text, filename=f"letter-{number}.txt", content_type="text/plain")
            form.add_field("collection", collection)
            last = _decode_row(await _ask(session, "POST", "/api/v1/documents", data=form)).id

    await asyncio.gather(*(send() for _ in range(connections)))
    return last


async def _wait(session: aiohttp.ClientSession, collection: str, last: str) -> list[str]:
    """Everyone's status, once none is on its way. One is asked about at a time, as asking costs, too."""
    watched, moved_at = last, time.perf_counter()
    while True:
        row = _decode_row(await _ask(session, "GET", f"/api/v1/documents/{watched}"))
        if row.status in _FINAL:
            rows = await _list(session, collection)
            unfinished = [row.id for row in rows if row.status not in _FINAL]
            if not unfinished:
                return [row.status for row in rows]
            watched, moved_at = unfinished[0], time.perf_counter()
        elif time.perf_counter() - moved_at > STALL_SECONDS:
            raise LoadError("Nothing moves any more. Is a worker running?")
        await asyncio.sleep(POLL_SECONDS)


async def _list(session: aiohttp.ClientSession, collection: str) -> list[_Row]:
    rows: list[_Row] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"collection": collection, "limit": "200"} | ({"cursor": cursor} if cursor else {})
        page = _decode_page(await _ask(session, "GET", "/api/v1/documents", params=query))
        rows += page.items
        cursor = page.next
    return rows


async def _ask(session: aiohttp.ClientSession, method: str, path: str, **body: Any) -> bytes:
    async with session.request(method, path, **body) as response:
        data = await response.read()
        if not 200 <= response.status < 300:
            text = data[:200].decode(errors="replace")
            raise LoadError(f"{method} {path} answers {response.status}: {text}")
        return data
