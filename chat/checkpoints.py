"""What a running reply saves to its rows: text now and then, the ending once.

Every write names the epoch of the process that makes it; one that lost its reply changes nothing. The end is a
guarded update: a reply becomes final exactly once, whoever tries.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from chat.events import Source
from chat.models import Reply, ReplyStatus
from chat.queries import ReplyContext, load_reply_context
from inference.services import record_usage

# A new reply enters its process's lease within milliseconds of its row.
OVERDUE_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The text of a running reply at one moment."""

    reply_id: uuid.UUID
    message_id: uuid.UUID
    epoch: int
    text: str
    thinking: str
    sources: tuple[Source, ...]
    last_cursor: str


@dataclass(frozen=True, slots=True)
class Ending:
    """How a reply ended."""

    status: ReplyStatus
    error_code: str = ""
    error_message: str = ""


@dataclass(frozen=True, slots=True)
class Measures:
    """What a reply took. Times are moments; None where it never came to that."""

    started_at: datetime
    first_token_at: datetime | None
    thinking_seconds: float | None
    prompt_tokens: int | None
    completion_tokens: int | None
    is_cached: bool = False

    @property
    def first_token_seconds(self) -> float | None:
        return (self.first_token_at - self.started_at).total_seconds() if self.first_token_at else None

    @property
    def duration_seconds(self) -> float:
        """From the start to now."""
        return (timezone.now() - self.started_at).total_seconds()


_SAVE_TEXTS = """
WITH saved AS (
    SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::int[], %s::text[], %s::text[], %s::jsonb[], %s::text[])
        AS s(reply_id, message_id, epoch, text, thinking, sources, cursor)
), mine AS (
    UPDATE chat_reply r SET status = 'running', last_cursor = s.cursor,
        started_at = COALESCE(r.started_at, now())
    FROM saved s
    WHERE r.id = s.reply_id AND r.epoch = s.epoch AND r.status IN ('queued', 'running')
    RETURNING r.id
)
UPDATE chat_message m SET text = s.text, thinking = s.thinking, sources = s.sources
FROM saved s JOIN mine ON mine.id = s.reply_id
WHERE m.id = s.message_id
"""


# One statement for three rows: under a hundred replies that end together, what the ORM adds is half a second.
# A reply that failed before it said anything leaves the text that an earlier run saved.
_FINISH = """
WITH ended AS (
    UPDATE chat_reply SET status = %(status)s, error_code = %(error_code)s, error_message = %(error_message)s,
        last_cursor = %(cursor)s, started_at = %(started_at)s, first_token_at = %(first_token_at)s,
        finished_at = now(), thinking_seconds = %(thinking_seconds)s, prompt_tokens = %(prompt_tokens)s,
        completion_tokens = %(completion_tokens)s
    WHERE id = %(reply)s AND epoch = %(epoch)s AND status IN ('queued', 'running')
    RETURNING id
), told AS (
    UPDATE chat_message SET text = %(text)s, thinking = %(thinking)s, sources = %(sources)s::jsonb
    WHERE id = %(message)s AND EXISTS (SELECT FROM ended) AND %(text)s::text || %(thinking)s::text <> ''
)
UPDATE chat_conversation SET updated_at = now() WHERE id = %(conversation)s AND EXISTS (SELECT FROM ended)
"""


def save_checkpoints(checkpoints: Sequence[Checkpoint]) -> None:
    """Save the texts of several running replies in one statement."""
    columns: list[list[Any]] = [
        [checkpoint.reply_id for checkpoint in checkpoints],
        [checkpoint.message_id for checkpoint in checkpoints],
        [checkpoint.epoch for checkpoint in checkpoints],
        [checkpoint.text for checkpoint in checkpoints],
        [checkpoint.thinking for checkpoint in checkpoints],
        [sources_json(checkpoint.sources) for checkpoint in checkpoints],
        [checkpoint.last_cursor for checkpoint in checkpoints],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_SAVE_TEXTS, columns)


def finish_reply(context: ReplyContext, checkpoint: Checkpoint, ending: Ending, measures: Measures) -> bool:
    """End the reply with this text. False when it is not this process's to end: over already, taken, or deleted."""
    values: dict[str, Any] = {
        "reply": checkpoint.reply_id,
        "epoch": checkpoint.epoch,
        "status": ending.status,
        "error_code": ending.error_code,
        "error_message": ending.error_message[:500],
        "cursor": checkpoint.last_cursor,
        "started_at": measures.started_at,
        "first_token_at": measures.first_token_at,
        "thinking_seconds": measures.thinking_seconds,
        "prompt_tokens": measures.prompt_tokens,
        "completion_tokens": measures.completion_tokens,
        "message": checkpoint.message_id,
        "text": checkpoint.text,
        "thinking": checkpoint.thinking,
        "sources": sources_json(checkpoint.sources),
        "conversation": context.conversation.pk,
    }
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_FINISH, values)
            if cursor.rowcount == 0:
                return False
        record_usage(
            user_id=context.user.pk,
            model_name=context.reply.model_name,
            prompt_tokens=measures.prompt_tokens or 0,
            completion_tokens=measures.completion_tokens or 0,
            first_token_seconds=measures.first_token_seconds,
            duration_seconds=measures.duration_seconds,
            error_code=ending.error_code,
            is_stopped=ending.status == ReplyStatus.STOPPED,
            is_cached=measures.is_cached,
            trial_id=context.reply.trial_id,
            arm=context.reply.arm,
        )
    return True


def claim_reply(reply_id: uuid.UUID) -> ReplyContext | None:
    """Begin a new epoch of an unfinished reply, and its context; None when the reply is over or gone."""
    with transaction.atomic():
        if not Reply.objects.unfinished().filter(pk=reply_id).update(epoch=F("epoch") + 1):
            return None
        return load_reply_context(reply_id)


def list_overdue_replies() -> list[uuid.UUID]:
    """Unfinished replies old enough that somebody should hold them by now."""
    before = timezone.now() - timedelta(seconds=OVERDUE_SECONDS)
    return list(Reply.objects.unfinished().filter(created_at__lt=before).values_list("pk", flat=True)[:500])


def sources_json(sources: Sequence[Source]) -> str:
    return msgspec.json.encode(sources).decode()
