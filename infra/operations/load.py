"""Streams against a Parlour, and what they measure. One thread a stream: waiting is all that they do."""

import statistics
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from operations.console import Problem
from operations.product import Product

PROMPT = "Explain in about two hundred words how a lighthouse lens works."


@dataclass
class Measurements:
    """What the streams of one run saw; seconds, and pieces of text as the server sent them."""

    first_piece_seconds: list[float] = field(default_factory=list)
    pieces: int = 0
    answers: int = 0
    errors: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def lines(self) -> list[str]:
        """The run in words: rates are of all streams together."""
        rate = self.pieces / self.seconds if self.seconds else 0.0
        lines = [
            f"answers          {self.answers}, of which failed {len(self.errors)}",
            f"pieces           {self.pieces} in {self.seconds:.1f} s, {rate:.1f} a second",
        ]
        if self.first_piece_seconds:
            lines.append(
                f"first piece      {percentile(self.first_piece_seconds, 50):.2f} s median, "
                f"{percentile(self.first_piece_seconds, 95):.2f} s for 95 of 100"
            )
        lines += [f"error            {text}" for text in sorted(set(self.errors))[:5]]
        return lines


def percentile(values: Iterable[float], percent: int) -> float:
    """The value that `percent` of the values do not exceed, interpolated."""
    ordered = sorted(values)
    if len(ordered) == 1:
        return ordered[0]
    return statistics.quantiles(ordered, n=100, method="inclusive")[percent - 1]


class Load:
    """`streams` threads that ask again and again until `stop`, or `answers` times in all."""

    def __init__(self, product: Product, model: str, streams: int, answers: int = 0) -> None:
        self._product = product
        self._model = model
        self._left = answers or None
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._started = time.monotonic()
        self.measurements = Measurements()
        self._threads = [threading.Thread(target=self._ask_on, daemon=True) for _ in range(streams)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> Measurements:
        self._stopped.set()
        return self.wait()

    def wait(self) -> Measurements:
        for thread in self._threads:
            thread.join()
        self.measurements.seconds = time.monotonic() - self._started
        return self.measurements

    def _take(self) -> bool:
        with self._lock:
            if self._stopped.is_set() or self._left == 0:
                return False
            if self._left is not None:
                self._left -= 1
            return True

    def _ask_on(self) -> None:
        while self._take():
            started = time.monotonic()
            first = None
            pieces = 0
            error = ""
            try:
                for _ in self._product.stream_chat(self._model, PROMPT):
                    first = first or time.monotonic() - started
                    pieces += 1
                    if self._stopped.is_set():
                        break
            except Problem as problem:
                error = problem.what
                time.sleep(0.2)  # a server that refuses is not asked as fast as a loop can
            with self._lock:
                self.measurements.answers += 1
                self.measurements.pieces += pieces
                if first is not None:
                    self.measurements.first_piece_seconds.append(first)
                if error:
                    self.measurements.errors.append(error)
