"""Who computes next: requests are cut into slices, so that a query never waits behind a whole document.

As many slices run at once as there are cores, each on one: two threads within one slice wait for each other, which
cost a tenth more processor and a fifth of the rate on a busy machine of two cores. A query has all cores (`Encoder`).
Between slices the short requests go first. Measured there: 200-token texts go through at the same rate one, two or
eight to a slice, so short slices cost nothing, and 256 tokens take 80 ms.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from inference.model_server.encoder import Encoder, Vectors
from inference.model_server.files import DIMENSIONS

SLICE_TOKENS = 256
# A question of a person, or a handful; a page of a document is longer.
URGENT_TOKENS = 160
# A stream of questions must not hold up documents for ever.
URGENT_IN_A_ROW = 20
# Tokenised on the spot: 0.2 ms, less than the way to another thread and back.
SHORT_CHARACTERS = 2000


def plan_slices(lengths: Sequence[int], budget: int = SLICE_TOKENS) -> list[list[int]]:
    """Positions grouped so that rows of similar length share a slice of at most `budget` padded tokens.

    Every position occurs once, shortest rows first; a row longer than the budget gets a slice of its own.
    """
    slices: list[list[int]] = []
    for position in sorted(range(len(lengths)), key=lengths.__getitem__):
        if not slices or (len(slices[-1]) + 1) * lengths[position] > budget:
            slices.append([])
        slices[-1].append(position)
    return slices


@dataclass(slots=True)
class _Job:
    """A request in progress: its rows, the slices still to run, how many run now, and the vectors so far."""

    rows: list[list[int]]
    slices: deque[list[int]]
    vectors: Vectors
    done: asyncio.Future[None]
    is_urgent: bool
    running: int = 0


class Scheduler:
    """Runs slices, `cores` at a time. Lives in one event loop: `run` is its task, `embed` its door."""

    def __init__(self, encoder: Encoder, *, cores: int) -> None:
        self._encoder = encoder
        self._urgent: deque[_Job] = deque()
        self._bulk: deque[_Job] = deque()
        self._has_work = asyncio.Event()
        self._cores = cores
        self._compute = ThreadPoolExecutor(cores, thread_name_prefix="encoder")
        self._urgent_in_a_row = 0

    async def embed(self, texts: Sequence[str]) -> tuple[Vectors, int]:
        """Vectors of the texts in their order, and their tokens in all. Cancelling drops what is left."""

        if sum(map(len, texts)) <= SHORT_CHARACTERS:
            rows = self._encoder.tokenize(texts)
        else:
            rows = await asyncio.to_thread(self._encoder.tokenize, texts)
        tokens = sum(map(len, rows))
        job = _Job(
            rows=rows,
            slices=deque(plan_slices([len(row) for row in rows])),
            vectors=np.empty((len(rows), DIMENSIONS), dtype=np.float32),
            done=asyncio.get_running_loop().create_future(),
            is_urgent=tokens <= URGENT_TOKENS,
        )
        (self._urgent if job.is_urgent else self._bulk).append(job)
        self._has_work.set()
        await job.done
        return job.vectors, tokens

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._cores):
                    group.create_task(self._run_slices())
        finally:
            self._compute.shutdown(wait=False)

    async def _run_slices(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            job = self._next_job()
            if job is None:
                self._has_work.clear()
                await self._has_work.wait()
                continue
            positions = job.slices.popleft()
            job.running += 1
            if job.slices:
                # The next core may have the next one; other requests come first.
                self._bulk.append(job)
            rows = [job.rows[position] for position in positions]
            try:
                compute = partial(self._encoder.embed, rows, is_urgent=job.is_urgent)
                job.vectors[positions] = await loop.run_in_executor(self._compute, compute)
            except Exception as error:  # noqa: BLE001 - whatever onnxruntime raises belongs to this request alone
                if not job.done.done():
                    job.done.set_exception(error)
                continue
            job.running -= 1
            if not (job.slices or job.running or job.done.done()):
                job.done.set_result(None)

    def _next_job(self) -> _Job | None:
        """The job whose slice is next: short ones first, long ones in turns; abandoned ones are dropped."""
        for queue in (self._urgent, self._bulk):
            while queue and queue[0].done.done():
                queue.popleft()
        if self._urgent and (not self._bulk or self._urgent_in_a_row < URGENT_IN_A_ROW):
            self._urgent_in_a_row += 1
            return self._urgent.popleft()
        self._urgent_in_a_row = 0
        return self._bulk.popleft() if self._bulk else None
