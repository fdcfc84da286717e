"""One person asks for very much at once; how long do the others wait then, against a system without that person?"""

import asyncio
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp

from inference.benchmark.doors import BenchmarkError, HttpDoor, Question


@dataclass(frozen=True, slots=True)
class Burst:
    """What is measured: the first key is the noisy person's, every other somebody else's."""

    url: str
    keys: tuple[str, ...]
    question: Question
    noisy_requests: int
    # Between the noisy person's requests and those of the others.
    lead_seconds: float


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds to the first token of each of the others, by themselves and beside the noisy person."""

    alone: tuple[float, ...]
    beside: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """How many times longer the median wait has become."""
        return statistics.median(self.beside) / statistics.median(self.alone)


async def measure_fairness(session: aiohttp.ClientSession, burst: Burst) -> Waits:
    """The others ask once each, all at once: first alone, then beside the noisy person, whose requests are dropped
    when they have their answers. Raises `BenchmarkError` if one of them gets none."""
    noisy, *others = (HttpDoor(session, burst.url, key) for key in burst.keys)
    alone = await _ask_all(others, burst.question)
    asking = [asyncio.create_task(noisy.ask(burst.question)) for _ in range(burst.noisy_requests)]
    try:
        await asyncio.sleep(burst.lead_seconds)
        beside = await _ask_all(others, burst.question)
    finally:
        for request in asking:
            request.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
    return Waits(alone, beside)


async def _ask_all(doors: Sequence[HttpDoor], question: Question) -> tuple[float, ...]:
    samples = await asyncio.gather(*(door.ask(question) for door in doors))
    for sample in samples:
        if sample.error or sample.first_token_seconds is None:
            raise BenchmarkError(
                f"An answer failed ({sample.error}); nothing can be said of the others' waits."
            )
    return tuple(sample.first_token_seconds or 0.0 for sample in samples)
