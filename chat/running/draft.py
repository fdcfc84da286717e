"""What a reply has said so far, here and in its log: the two always move together."""

import time
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import msgspec
from django.utils import timezone
from msgspec import UNSET

from chat import events
from chat.events import Kind, Source
from chat.models import Message, Reply, ReplyStatus
from chat.running.checkpoints import Checkpoint, Ending, Measures
from chat.running.log import ReplyWriter
from inference.types import UsageReport


class Draft:
    """The text, sources and measures of one running reply. Everything said here also enters the reply log."""

    def __init__(self, writer: ReplyWriter) -> None:
        self.writer = writer
        self.sources: tuple[Source, ...] = ()
        self.usage: UsageReport | None = None
        self._answer: list[str] = []
        self._thinking: list[str] = []
        self._started_at = timezone.now()
        self._first_token_at: datetime | None = None
        self._thinking_since: float | None = None
        self._thinking_seconds: float | None = None

    @property
    def length(self) -> int:
        """Grows with every piece of text; tells whether there is something new to save."""
        return len(self._answer) + len(self._thinking)

    @property
    def answer(self) -> str:
        return "".join(self._answer)

    def add_answer(self, text: str) -> None:
        """New text of the answer, as the model writes it."""
        if self._thinking_since is not None:
            self.end_thinking()
        self._add(text, self._answer, "answer")

    def add_thinking(self, text: str) -> None:
        """New text of the model's reasoning."""
        if self._thinking_since is None:
            self._thinking_since = time.monotonic()
        self._add(text, self._thinking, "thinking")

    def end_thinking(self) -> None:
        """The model begins to answer; followers learn how long it thought."""
        if self._thinking_since is not None:
            seconds = time.monotonic() - self._thinking_since + (self._thinking_seconds or 0)
            self._thinking_seconds, self._thinking_since = round(seconds, 1), None
            self.say_status(ReplyStatus.RUNNING)

    def cite(self, sources: tuple[Source, ...]) -> None:
        """The passages this reply may cite."""
        self.sources = sources
        if sources:
            self.writer.put(lambda reply, cursor: events.Sources(reply, cursor, sources))

    def cite_also(self, source: Source) -> None:
        """One more passage, which text to come cites."""
        self.sources = (*self.sources, source)
        self.writer.put(lambda reply, cursor: events.Sources(reply, cursor, (source,), is_more=True))

    def forget_sources(self) -> None:
        """The answer begins anew, and what it will cite with it."""
        if self.sources:
            self.sources = ()
            self.writer.put(lambda reply, cursor: events.Sources(reply, cursor, ()))

    def start_over(self) -> None:
        """Forget the text so far."""
        self._answer, self._thinking = [], []
        self.writer.put(events.Reset)

    def restore(self, answer: str, thinking: str, sources: Sequence[Source]) -> None:
        """Take up what an earlier process said; its log says it already."""
        self._answer, self._thinking = [answer] if answer else [], [thinking] if thinking else []
        self.sources = tuple(sources)

    def repeat(self, answer: str, thinking: str, sources: Sequence[Source]) -> None:
        """Say again what the row remembers, in a log that has lost it."""
        self.start_over()
        self.cite(tuple(sources))
        self._add(thinking, self._thinking, "thinking")
        self._add(answer, self._answer, "answer")

    def say_status(
        self, status: ReplyStatus, *, waiting_for: str | None = None, queue_position: int | None = None
    ) -> None:
        """Where the reply stands, short of its end."""
        self.writer.put(
            lambda reply, cursor: events.Status(
                reply,
                cursor,
                status,
                waiting_for=waiting_for or UNSET,
                queue_position=queue_position or UNSET,
                thinking_seconds=UNSET if self._thinking_seconds is None else self._thinking_seconds,
            )
        )

    def say_progress(self, stage: events.Stage, step: int, steps: int) -> None:
        """How far a task about whole documents is."""
        self.writer.put(
            lambda reply, cursor: events.Status(
                reply, cursor, ReplyStatus.RUNNING, stage=stage, step=step, steps=steps
            )
        )

    def say_end(self, ending: Ending) -> None:
        """The last word of the log."""
        usage, failure = self.usage, events.Failure(ending.error_code, ending.error_message)
        self.writer.put(
            lambda reply, cursor: events.Status(
                reply,
                cursor,
                ending.status,
                usage=events.Usage(usage.prompt_tokens, usage.completion_tokens) if usage else UNSET,
                error=failure if ending.error_code else UNSET,
            ),
            is_last=True,
        )

    def checkpoint(self, reply_id: uuid.UUID, message_id: uuid.UUID) -> Checkpoint:
        """The text so far and the cursor that stands exactly at its end."""
        self.writer.close_delta()
        return Checkpoint(
            reply_id=reply_id,
            message_id=message_id,
            epoch=self.writer.epoch,
            text=self.answer,
            thinking="".join(self._thinking),
            sources=self.sources,
            last_cursor=self.writer.last_cursor,
        )

    def last_checkpoint(self, reply_id: uuid.UUID, message_id: uuid.UUID) -> Checkpoint:
        """The whole text, and the cursor that the end of the reply will have."""
        return replace(self.checkpoint(reply_id, message_id), last_cursor=self.writer.next_cursor)

    def measures(self) -> Measures:
        return Measures(
            started_at=self._started_at,
            first_token_at=self._first_token_at,
            thinking_seconds=self._thinking_seconds,
            prompt_tokens=self.usage.prompt_tokens if self.usage else None,
            completion_tokens=self.usage.completion_tokens if self.usage else None,
            is_cached=self.usage is not None and self.usage.is_cached,
        )

    def _add(self, text: str, parts: list[str], kind: Kind) -> None:
        if "\x00" in text:
            # No text to anybody, and PostgreSQL cannot keep one.
            text = text.replace("\x00", "")
        if not text:
            return
        if self._first_token_at is None:
            self._first_token_at = timezone.now()
        parts.append(text)
        self.writer.append(text, kind)


def replay(frames: Sequence[events.ReplyFrame]) -> tuple[str, str, tuple[Source, ...]]:
    """The answer, the thinking and the sources that these frames of a log add up to."""
    answer: list[str] = []
    thinking: list[str] = []
    sources: tuple[Source, ...] = ()
    for frame in frames:
        match frame:
            case events.Delta(text=text, kind=kind):
                (answer if kind == "answer" else thinking).append(text)
            case events.Sources():
                sources = (*sources, *frame.sources) if frame.is_more else frame.sources
            case events.Reset():
                answer, thinking = [], []
            case events.Status():
                pass
    return "".join(answer), "".join(thinking), sources


def frames_of_row(reply: Reply, message: Message) -> list[events.ReplyFrame]:
    """A finished reply as its log would tell it, for those who come when the log is gone."""
    name, cursor = str(reply.pk), reply.last_cursor
    frames: list[events.ReplyFrame] = [events.Reset(name, cursor)]
    if message.sources:
        frames.append(events.Sources(name, cursor, msgspec.convert(message.sources, tuple[Source, ...])))
    if message.thinking:
        frames.append(events.Delta(name, cursor, message.thinking, "thinking"))
    if message.text:
        frames.append(events.Delta(name, cursor, message.text))
    failure = events.Failure(reply.error_code, reply.error_message)
    frames.append(events.Status(name, cursor, reply.status, error=failure if reply.error_code else UNSET))
    return frames
