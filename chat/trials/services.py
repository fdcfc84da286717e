"""Trials of two models: who gets which, and what people thought of it.

The choice is a hash of the trial and the conversation (or the person), so it stays the same for them without a
row, and in every process. Which trials run is read at most every few seconds.
"""

import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from django.db import connection, transaction

from accounts.audit import record
from accounts.errors import NotAllowed
from accounts.models import User
from chat.models import Arm, Sticky, Trial
from inference.errors import InferenceError
from inference.queries import resolve_model
from inference.types import ModelTarget

# As an administrator's change to the estate (`inference.queries`).
TRIALS_SECONDS = 5.0
_STEPS = 10_000


@dataclass(frozen=True, slots=True)
class Part:
    """A call's part in a trial."""

    trial_id: uuid.UUID
    arm: Arm


@dataclass(frozen=True, slots=True)
class _Running:
    id: uuid.UUID
    character_id: uuid.UUID | None
    model_id: uuid.UUID | None
    other_name: str
    share_percent: int
    is_sticky_by_user: bool


_running: tuple[float, tuple[_Running, ...]] | None = None
_lock = threading.Lock()


def take_part(
    target: ModelTarget,
    *,
    user: User,
    character_id: uuid.UUID | None = None,
    conversation_id: uuid.UUID | None = None,
) -> tuple[ModelTarget, Part | None]:
    """The model that answers, and the part this call has in a trial, if any.

    `character_id` where the model is the character's own choice and nobody else's: only then its trial applies. A
    trial of the character goes before one of the model. Where the other model is not available the usual one
    answers, outside of the trial.
    """
    trial = _find(character_id, target.id)
    if trial is None:
        return target, None
    subject = user.pk if trial.is_sticky_by_user or conversation_id is None else conversation_id
    if not _is_other(trial, subject):
        return target, Part(trial.id, Arm.USUAL)
    try:
        return resolve_model(trial.other_name), Part(trial.id, Arm.OTHER)
    except InferenceError:
        return target, None


def save_trial(*, actor: User, trial: Trial) -> Trial:
    """Write a new or changed trial; it counts at once here, and within seconds in other processes."""
    if not actor.has_perm("chat.add_trial" if trial._state.adding else "chat.change_trial"):
        raise NotAllowed
    with transaction.atomic():
        trial.save()
        record(actor=actor, verb="save_trial", target=trial)
        transaction.on_commit(forget_trials)
    return trial


def delete_trials(*, actor: User, trial_ids: Sequence[uuid.UUID]) -> None:
    """Forget trials and which answers were part of them; the answers stay."""
    if not actor.has_perm("chat.delete_trial"):
        raise NotAllowed
    with transaction.atomic():
        for trial in Trial.objects.filter(pk__in=trial_ids):
            record(actor=actor, verb="delete_trial", target=trial)
            trial.delete()
        transaction.on_commit(forget_trials)


def forget_trials() -> None:
    """Read the rows anew at the next question."""
    global _running
    _running = None


def _find(character_id: uuid.UUID | None, model_id: uuid.UUID) -> _Running | None:
    of_model = None
    for trial in _read_running():
        if character_id is not None and trial.character_id == character_id:
            return trial
        if trial.model_id == model_id:
            of_model = trial
    return of_model


def _is_other(trial: _Running, subject: uuid.UUID) -> bool:
    digest = sha256(trial.id.bytes + subject.bytes).digest()
    return int.from_bytes(digest[:4]) % _STEPS < trial.share_percent * _STEPS // 100


def _read_running() -> tuple[_Running, ...]:
    global _running
    known = _running
    if known is not None and time.monotonic() - known[0] < TRIALS_SECONDS:
        return known[1]
    with _lock:
        known = _running
        if known is None or time.monotonic() - known[0] >= TRIALS_SECONDS:
            rows = Trial.objects.filter(is_running=True).select_related("other_model")
            known = _running = (time.monotonic(), tuple(_plain(row) for row in rows))
        return known[1]


def _plain(row: Trial) -> _Running:
    return _Running(
        id=row.pk,
        character_id=row.character_id,
        model_id=row.model_id,
        other_name=row.other_model.name,
        share_percent=row.share_percent,
        is_sticky_by_user=row.sticky_by == Sticky.USER,
    )


@dataclass(frozen=True, slots=True)
class ArmFigures:
    """What came of one side of a trial. Seconds and tokens are medians, None before there is any answer."""

    arm: str
    answers: int
    failed: int
    stopped: int
    up: int
    down: int
    first_token_seconds: float | None
    tokens: float | None
    api_calls: int
    api_failed: int

    @property
    def liked_percent(self) -> int | None:
        """The share of good verdicts among all verdicts."""
        return round(100 * self.up / (self.up + self.down)) if self.up + self.down else None


# A message that was answered again, or continued, has several replies; what people think is about the message.
_FIGURES = """
SELECT r.arm, count(*), count(*) FILTER (WHERE r.status = 'failed'), count(*) FILTER (WHERE r.status = 'stopped'),
    count(DISTINCT f.id) FILTER (WHERE f.verdict = 'up'), count(DISTINCT f.id) FILTER (WHERE f.verdict = 'down'),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM r.first_token_at - r.started_at)),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY r.completion_tokens)
FROM chat_reply r LEFT JOIN chat_feedback f ON f.message_id = r.message_id
WHERE r.trial_id = %s AND r.arm <> '' GROUP BY r.arm
"""
_API_FIGURES = """
SELECT arm, count(*), count(*) FILTER (WHERE error_code <> '') FROM inference_usage
WHERE trial_id = %s AND api_key_id IS NOT NULL GROUP BY arm
"""


def read_figures(trial_id: uuid.UUID) -> list[ArmFigures]:
    """Both sides of a trial, the usual model first."""
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, [trial_id])
        of_chat = {row[0]: row[1:] for row in cursor.fetchall()}
        cursor.execute(_API_FIGURES, [trial_id])
        of_api = {row[0]: row[1:] for row in cursor.fetchall()}
    nothing = (0, 0, 0, 0, 0, None, None)
    return [
        ArmFigures(arm.value, *of_chat.get(arm.value, nothing), *of_api.get(arm.value, (0, 0)))
        for arm in (Arm.USUAL, Arm.OTHER)
    ]
