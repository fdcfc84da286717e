"""What a benchmark found: samples added up to figures, kept as JSON, and held against an earlier run. No network."""

import math
from collections.abc import Sequence
from pathlib import Path

import msgspec

FORMAT = 1


class Sample(msgspec.Struct, frozen=True):
    """One answer. Times in seconds; `error` is a code, empty for a whole answer."""

    first_token_seconds: float | None
    duration_seconds: float
    tokens: int
    error: str = ""

    @property
    def tokens_per_second(self) -> float | None:
        """Between the first token and the last; None where there is nothing in between."""
        if self.error or self.first_token_seconds is None or self.tokens < 2:
            return None
        speaking = self.duration_seconds - self.first_token_seconds
        return (self.tokens - 1) / speaking if speaking > 0 else None


class Percentiles(msgspec.Struct, frozen=True):
    """Half, 95 and 99 of a hundred stay within these; None where nothing was measured."""

    p50: float | None = None
    p95: float | None = None
    p99: float | None = None


class Scenario(msgspec.Struct, frozen=True):
    """One model asked by so many at once through one door, and how it did. Speeds in tokens per second."""

    model: str
    door: str
    users: int
    answers: int
    failed: int
    seconds: float
    tokens: int
    first_token: Percentiles
    duration: Percentiles
    # Of one answer: half, and what all but 5 and 1 of a hundred exceed.
    speed: Percentiles
    errors: dict[str, int] = {}

    @property
    def key(self) -> tuple[str, str, int]:
        return self.model, self.door, self.users

    @property
    def total_speed(self) -> float:
        """Of all answers together."""
        return self.tokens / self.seconds if self.seconds else 0.0


class Run(msgspec.Struct, frozen=True):
    """One benchmark: when, where, what was asked of each answer, and its scenarios in order."""

    started_at: str
    url: str
    label: str
    max_tokens: int
    scenarios: tuple[Scenario, ...]
    format: int = FORMAT


class Change(msgspec.Struct, frozen=True):
    """One measure of one scenario, before and now; `share` is how much more it is now, 0.1 for a tenth."""

    scenario: Scenario
    measure: str
    before: float
    now: float
    is_less_better: bool

    @property
    def share(self) -> float:
        return self.now / self.before - 1 if self.before else 0.0

    @property
    def verdict(self) -> str:
        """better, worse, or same within `NOISE`."""
        if abs(self.share) <= NOISE:
            return "same"
        return "better" if (self.share < 0) == self.is_less_better else "worse"


# Two runs of one build on one quiet machine differ by as much.
NOISE = 0.05


class RunUnreadable(Exception):
    """A file that is no saved run; its text says which."""


def add_up(*, model: str, door: str, users: int, seconds: float, samples: Sequence[Sample]) -> Scenario:
    """The figures of one scenario."""
    whole = [sample for sample in samples if not sample.error]
    errors: dict[str, int] = {}
    for sample in samples:
        if sample.error:
            errors[sample.error] = errors.get(sample.error, 0) + 1
    speeds = [speed for sample in whole if (speed := sample.tokens_per_second) is not None]
    return Scenario(
        model=model,
        door=door,
        users=users,
        answers=len(samples),
        failed=len(samples) - len(whole),
        seconds=seconds,
        tokens=sum(sample.tokens for sample in samples),
        first_token=percentiles([s.first_token_seconds for s in whole if s.first_token_seconds is not None]),
        duration=percentiles([sample.duration_seconds for sample in whole]),
        speed=percentiles(speeds, is_more_better=True),
        errors=errors,
    )


def percentiles(values: Sequence[float], *, is_more_better: bool = False) -> Percentiles:
    """By the nearest rank: each is a value that was measured."""
    if not values:
        return Percentiles()
    ranked = sorted(values, reverse=is_more_better)
    return Percentiles(*(ranked[max(0, math.ceil(share * len(ranked)) - 1)] for share in (0.5, 0.95, 0.99)))


def compare(before: Run, now: Run) -> list[Change]:
    """What changed in the scenarios that both runs have, in the order of `now`."""
    earlier = {scenario.key: scenario for scenario in before.scenarios}
    changes = []
    for scenario in now.scenarios:
        then = earlier.get(scenario.key)
        if then is None:
            continue
        for measure, old, new, is_less_better in (
            ("first token p50", then.first_token.p50, scenario.first_token.p50, True),
            ("first token p99", then.first_token.p99, scenario.first_token.p99, True),
            ("whole answer p50", then.duration.p50, scenario.duration.p50, True),
            ("tokens per second, one answer", then.speed.p50, scenario.speed.p50, False),
            ("tokens per second, all together", then.total_speed, scenario.total_speed, False),
        ):
            if old is not None and new is not None:
                changes.append(Change(scenario, measure, old, new, is_less_better))
    return changes


def save(run: Run, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(run), indent=1))


def load(path: Path) -> Run:
    """A saved run; raises `RunUnreadable`."""
    try:
        run = msgspec.json.decode(path.read_bytes(), type=Run)
    except (OSError, msgspec.MsgspecError) as error:
        raise RunUnreadable(f"{path} is no saved run of this command: {error}") from error
    if run.format != FORMAT:
        raise RunUnreadable(f"{path} was saved by another version of this command.")
    return run
