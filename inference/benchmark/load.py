"""Asking: so many users at once, each for one answer after another."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import aiohttp

from inference.benchmark.doors import DOORS, Question
from inference.benchmark.results import Sample, Scenario, add_up


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured: every model through every door with each number of users."""

    url: str
    keys: tuple[str, ...]
    models: tuple[str, ...]
    doors: tuple[str, ...]
    users: tuple[int, ...]
    answers_each: int
    text: str
    max_tokens: int
    group: tuple[str, ...] = ()

    @property
    def steps(self) -> list[tuple[str, str, int]]:
        return [(model, door, users) for model in self.models for door in self.doors for users in self.users]

    @property
    def answers(self) -> int:
        """Of the whole run."""
        return sum(users * self.answers_each for _model, _door, users in self.steps)


async def run_scenario(
    session: aiohttp.ClientSession,
    plan: Plan,
    step: tuple[str, str, int],
    on_answer: Callable[[Sample], None],
) -> Scenario:
    """One scenario; `on_answer` hears of each answer as it ends."""
    model, door, users = step
    question = Question(model, plan.text, plan.max_tokens, plan.group)
    ways = [DOORS[door](session, plan.url, plan.keys[at % len(plan.keys)]) for at in range(users)]
    samples: list[Sample] = []

    async def use(at: int) -> None:
        for _ in range(plan.answers_each):
            sample = await ways[at].ask(question)
            samples.append(sample)
            on_answer(sample)

    started_at = time.perf_counter()
    try:
        await asyncio.gather(*(use(at) for at in range(users)))
        seconds = time.perf_counter() - started_at
    finally:
        for way in ways:
            await way.close()
    return add_up(model=model, door=door, users=users, seconds=seconds, samples=samples)


async def warm_up(session: aiohttp.ClientSession, plan: Plan, models: Sequence[str]) -> dict[str, Sample]:
    """One short answer of each model, so that loading it is not measured; what came of it."""
    door = DOORS["http"](session, plan.url, plan.keys[0])
    return {model: await door.ask(Question(model, plan.text, 1)) for model in models}
