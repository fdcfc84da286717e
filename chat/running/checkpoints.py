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

from chat.contexts import ReplyContext, load_reply_context
from chat.events import Source
from chat.models import Reply, ReplyStatus
from inference.services import record_usage
from inference.types import Call

# A new reply enters its process's lease within milliseconds of its row.
OVERDUE_SECONDS = 10
# A group that has been silent for longer than this is not woken.
OWED_MOST_SECONDS = 3600


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


# One statement for the three rows of each reply: under a hundred that end together, what the ORM adds is half a
# second. A reply that failed before it said anything leaves the text that an earlier run saved.
_FINISH = """
WITH over AS (
    SELECT * FROM unnest(%s::uuid[], %s::int[], %s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[],
        %s::timestamptz[], %s::float8[], %s::int[], %s::int[], %s::uuid[], %s::text[], %s::text[], %s::jsonb[],
        %s::uuid[])
        AS o(reply_id, epoch, status, error_code, error_message, cursor, started_at, first_token_at,
            thinking_seconds, prompt_tokens, completion_tokens, message_id, text, thinking, sources,
            conversation_id)
), ended AS (
    UPDATE chat_reply r SET status = o.status, error_code = o.error_code, error_message = o.error_message,
        last_cursor = o.cursor, started_at = o.started_at, first_token_at = o.first_token_at,
        finished_at = now(), thinking_seconds = o.thinking_seconds, prompt_tokens = o.prompt_tokens,
        completion_tokens = o.completion_tokens
    FROM over o
    WHERE r.id = o.reply_id AND r.epoch = o.epoch AND r.status IN ('queued', 'running')
    RETURNING r.id
), told AS (
    UPDATE chat_message m SET text = o.text, thinking = o.thinking, sources = o.sources
    FROM over o JOIN ended ON ended.id = o.reply_id
    WHERE m.id = o.message_id AND o.text || o.thinking <> ''
), moved AS (
    UPDATE chat_conversation c SET updated_at = now()
    FROM over o JOIN ended ON ended.id = o.reply_id
    WHERE c.id = o.conversation_id
)
SELECT id FROM ended
"""


@dataclass(frozen=True, slots=True)
class Finished:
    """A reply that has said everything: its last text, how it ended and what it took."""

    context: ReplyContext
    checkpoint: Checkpoint
    ending: Ending
    measures: Measures

    def row(self) -> tuple[Any, ...]:
        """The columns of `_FINISH`."""
        checkpoint, ending, measures = self.checkpoint, self.ending, self.measures
        return (
            checkpoint.reply_id,
            checkpoint.epoch,
            str(ending.status),
            ending.error_code,
            ending.error_message[:500],
            checkpoint.last_cursor,
            measures.started_at,
            measures.first_token_at,
            measures.thinking_seconds,
            measures.prompt_tokens,
            measures.completion_tokens,
            checkpoint.message_id,
            checkpoint.text,
            checkpoint.thinking,
            sources_json(checkpoint.sources),
            self.context.conversation.pk,
        )

    def call(self) -> Call:
        """The call of the model, for the usage rows."""
        measures, reply = self.measures, self.context.reply
        return Call(
            user_id=self.context.user.pk,
            model_name=reply.model_name,
            prompt_tokens=measures.prompt_tokens or 0,
            completion_tokens=measures.completion_tokens or 0,
            first_token_seconds=measures.first_token_seconds,
            duration_seconds=measures.duration_seconds,
            error_code=self.ending.error_code,
            is_stopped=self.ending.status == ReplyStatus.STOPPED,
            is_cached=measures.is_cached,
            api_key_id=reply.api_key_id,
            # A trial counts replies by their rows, and what a key called by its usage: nothing twice.
            trial_id=None if reply.api_key_id else reply.trial_id,
            arm="" if reply.api_key_id else reply.arm,
        )


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


def finish_replies(finished: Sequence[Finished]) -> list[bool]:
    """End these replies with their texts, all in one transaction. False for each that is not this process's to
    end: over already, taken, or deleted."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                _FINISH, [list(column) for column in zip(*(one.row() for one in finished), strict=True)]
            )
            ended = {row[0] for row in cursor.fetchall()}
        is_mine = [one.checkpoint.reply_id in ended for one in finished]
        record_usage([one.call() for one, mine in zip(finished, is_mine, strict=True) if mine])
    return is_mine


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


def list_owed_turns() -> list[uuid.UUID]:
    """Whole answers in groups that nobody has gone on from, though somebody should have by now."""
    now = timezone.now()
    ended = (now - timedelta(seconds=OWED_MOST_SECONDS), now - timedelta(seconds=OVERDUE_SECONDS))
    owing = Reply.objects.owing_a_turn().filter(finished_at__range=ended)
    return list(owing.order_by("finished_at").values_list("pk", flat=True)[:500])


def sources_json(sources: Sequence[Source]) -> str:
    return msgspec.json.encode(sources).decode()
