"""Who computes next in the model server, with an encoder that only takes notes."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator

import numpy as np
import pytest

from inference.model_server.files import DIMENSIONS
from inference.model_server.scheduler import SLICE_TOKENS, URGENT_IN_A_ROW, Scheduler

# One slice each, by the note-taker's count of one token a character.
PAGE = SLICE_TOKENS


class NoteTaker:
    """An encoder: a text is as many tokens as it has characters, and its vector is its first character."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    def tokenize(self, texts):
        return [[ord(character) for character in text] for text in texts]

    def embed(self, rows, *, is_urgent=False):
        time.sleep(0.002)
        self.ran.extend(chr(row[0]) for row in rows)
        if any(row[0] == ord("!") for row in rows):
            raise RuntimeError("cannot")
        return np.array([[row[0]] * DIMENSIONS for row in rows], dtype=np.float32)


@pytest.fixture
async def bench() -> AsyncIterator[tuple[Scheduler, NoteTaker]]:
    encoder = NoteTaker()
    scheduler = Scheduler(encoder, cores=1)
    running = asyncio.create_task(scheduler.run())
    yield scheduler, encoder
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def document(mark: str, pages: int) -> list[str]:
    return [mark * PAGE] * pages


async def test_vectors_come_back_in_the_order_of_the_texts(bench) -> None:
    scheduler, _ = bench
    vectors, tokens = await scheduler.embed(["c" * 200, "a", "b" * 90])
    assert [chr(int(vector[0])) for vector in vectors] == ["c", "a", "b"]
    assert tokens == 291


async def test_question_goes_before_the_rest_of_a_document(bench) -> None:
    scheduler, encoder = bench
    pages = asyncio.create_task(scheduler.embed(document("d", 20)))
    while not encoder.ran:
        await asyncio.sleep(0)
    await scheduler.embed(["q"])
    assert len(encoder.ran) < 10
    await pages
    assert encoder.ran.count("d") == 20


async def test_documents_take_turns(bench) -> None:
    scheduler, encoder = bench
    await asyncio.gather(scheduler.embed(document("a", 6)), scheduler.embed(document("b", 6)))
    assert "".join(encoder.ran) == "ab" * 6


async def test_document_is_not_held_up_for_ever_by_questions(bench) -> None:
    scheduler, encoder = bench
    questions = [scheduler.embed(["q"]) for _ in range(3 * URGENT_IN_A_ROW)]
    await asyncio.gather(*questions, scheduler.embed(document("d", 2)))
    assert encoder.ran.index("d") <= URGENT_IN_A_ROW


async def test_abandoned_document_is_dropped(bench) -> None:
    scheduler, encoder = bench
    abandoned = asyncio.create_task(scheduler.embed(document("d", 50)))
    while not encoder.ran:
        await asyncio.sleep(0)
    abandoned.cancel()
    await scheduler.embed(document("e", 2))
    assert encoder.ran.count("d") < 5


async def test_failure_belongs_to_its_request_alone(bench) -> None:
    scheduler, _ = bench
    failing, whole = await asyncio.gather(
        scheduler.embed(["!"]), scheduler.embed(["a"]), return_exceptions=True
    )
    assert isinstance(failing, RuntimeError)
    assert whole[0][0][0] == ord("a")


class Pair(NoteTaker):
    """An encoder that computes a slice only while another one is computed."""

    def __init__(self) -> None:
        super().__init__()
        self._both = threading.Barrier(2, timeout=10)

    def embed(self, rows, *, is_urgent=False):
        self._both.wait()
        return super().embed(rows)


async def test_one_document_has_a_slice_on_every_core() -> None:
    scheduler = Scheduler(Pair(), cores=2)
    running = asyncio.create_task(scheduler.run())
    vectors, _ = await scheduler.embed([*document("a", 3), *document("b", 3)])
    assert "".join(chr(int(vector[0])) for vector in vectors) == "aaabbb"
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
