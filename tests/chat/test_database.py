"""Calls that go to the database together."""

import asyncio
import time
from collections.abc import Sequence

from chat.database import BATCHES_AT_ONCE, Batcher


def double(numbers: Sequence[int]) -> list[int | Exception]:
    return [2 * number for number in numbers]


async def test_call_that_comes_as_the_last_batches_end_is_answered() -> None:
    batcher: Batcher[int, int] = Batcher(double, most=1)

    async def ask_twice() -> list[int]:
        return [await batcher.submit(1), await batcher.submit(2)]

    asking = asyncio.gather(ask_twice(), *(batcher.submit(3) for _ in range(BATCHES_AT_ONCE - 1)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    # The loop is busy meanwhile, so that all batches have ended when it looks again.
    time.sleep(0.3)  # noqa: ASYNC251
    async with asyncio.timeout(20):
        assert (await asking)[0] == [2, 4]


async def test_calls_that_come_while_a_batch_lingers_go_with_it() -> None:
    batches: list[int] = []

    def count(numbers: Sequence[int]) -> list[int | Exception]:
        batches.append(len(numbers))
        return list(numbers)

    batcher: Batcher[int, int] = Batcher(count, most=10, linger_seconds=0.2)
    asking = []
    for number in range(3):
        asking.append(asyncio.create_task(batcher.submit(number)))
        await asyncio.sleep(0.01)
    assert await asyncio.gather(*asking) == [0, 1, 2]
    assert batches == [3]
