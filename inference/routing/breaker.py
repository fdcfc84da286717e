"""Servers that fail are left alone for a while, by every process.

A circuit breaker per deployment: closed, open (no requests while there is another server), ailing (one request at a
time, then with each answer twice as many at once, until it is closed). A process counts failures for itself and tells
Redis when it opens one; the script that gives places looks there, marks the requests that are trials, and every
process may bring in their results. Where every server of a model is open the least bad one is asked all the same.
"""

import time
from dataclasses import dataclass

from inference.errors import (
    AnswerGarbled,
    FirstTokenTimeout,
    KeyRefused,
    ModelGone,
    RateLimited,
    ServerError,
    ServerFailed,
    ServerUnreachable,
    StreamCut,
    StreamStalled,
)
from inference.routing.desk import Desk, Place, key_prefix

# A restarted server of a small model is back in seconds; a large one loads for minutes.
FIRST_PAUSE_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 60.0
# Nobody listens there, or nobody may: one such answer says enough.
CERTAIN = (ServerUnreachable, KeyRefused, ModelGone)
# May be the fault of one request; as many in a row are not.
DOUBTFUL = (ServerFailed, FirstTokenTimeout, StreamStalled, StreamCut, AnswerGarbled)
DOUBTFUL_MOST = 3
# A server that has come back is trusted with 1, 2, 4, 8 at once, then with any number: four first tokens later.
TRUSTED_MOST = 8
# Errors of one server that another may not have.
WORTH_ANOTHER_SERVER = (*CERTAIN, *DOUBTFUL, RateLimited)


@dataclass(slots=True)
class _Health:
    failures: int = 0
    pause_seconds: float = 0.0
    open_until: float = 0.0


_ailing: dict[str, _Health] = {}


def note_failure(desk: Desk, place: Place, deployment: str, error: ServerError) -> None:
    """One request failed there; a trial that fails opens the breaker again at once."""
    health = _ailing.setdefault(deployment, _Health())
    if isinstance(error, RateLimited):
        pause = error.retry_after_seconds or FIRST_PAUSE_SECONDS
        _open(desk, deployment, health, min(max(pause, 1.0), LONGEST_PAUSE_SECONDS))
        return
    health.failures += 1
    if isinstance(error, CERTAIN) or place.is_trial or health.failures >= DOUBTFUL_MOST:
        # Fifty requests that fail together are one failure.
        if time.monotonic() >= health.open_until:
            health.pause_seconds = min(
                max(health.pause_seconds * 2, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS
            )
        _open(desk, deployment, health, health.pause_seconds)


def note_success(desk: Desk, place: Place, deployment: str) -> None:
    """One request was answered there."""
    has_failed = bool(_ailing) and _ailing.pop(deployment, None) is not None
    if place.deployment and (has_failed or place.is_trial):
        desk.vouch(place, TRUSTED_MOST)


def _open(desk: Desk, deployment: str, health: _Health, seconds: float) -> None:
    health.open_until = time.monotonic() + seconds
    milliseconds = int(seconds * 1000)
    desk.mark("SET", f"{key_prefix()}:open:{deployment}", 1, "PX", milliseconds)
    # Longer than the pause, so that the trial after it is one request; not for ever, should this process die.
    ailing_ms = milliseconds + int(LONGEST_PAUSE_SECONDS * 1000)
    desk.mark("SET", f"{key_prefix()}:ailing:{deployment}", 1, "PX", ailing_ms)
