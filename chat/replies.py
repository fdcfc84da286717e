"""The life of one reply, from its row to its end: context, passages, prompt, stream, log, row.

A `ReplyRun` belongs to the process, never to a socket. It speaks through its `Draft` and ends in exactly one of
four ways: complete, stopped, failed, or left to another process (this one goes away, or has lost the reply).
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import aclosing

from django.db import Error as DatabaseError
from django.utils.translation import gettext as _

from accounts.errors import ParlourError
from chat.contexts import ReplyContext
from chat.database import in_database, in_search
from chat.models import ReplyStatus
from chat.prompt import Prompt, PromptParts, build_prompt
from chat.prompting.casting import Casting, cast, cast_plain, needs_database
from chat.prompting.citations import CitationFilter
from chat.prompting.grounding import find_sources, passages_of, scope_of
from chat.prompting.questions import stand_alone
from chat.prompting.record import records
from chat.prompting.speaking import NameTrimmer
from chat.prompting.tokens import calibration
from chat.running.checkpoints import Checkpoint, Ending, Finished
from chat.running.draft import Draft, replay
from chat.running.log import LogWriter, parse_cursor
from chat.whole.reading import WholeReader
from documents.queries import pending_documents
from inference.client import stream_chat
from inference.errors import ContextTooLong
from inference.queries import resolve_model
from inference.routing.limits import admit
from inference.tracing import reply_span
from inference.types import (
    Admitted,
    AnswerDelta,
    ModelTarget,
    Passage,
    Queued,
    StartOver,
    ThinkingDelta,
    UsageReport,
)

logger = logging.getLogger(__name__)

# A file attached a moment ago is waited for, so that its first question finds it.
DOCUMENT_POLL_SECONDS = 0.5
DOCUMENT_WAIT_SECONDS = 900
# The end of a reply is tried until the database takes it.
FINISH_RETRY_SECONDS = 3.0
# What a prompt may take of the context as it is known; less where the server says that it is too long.
SCALES = (1.0, 0.6, 0.35)


class ReplyRun:
    """One reply being written in this process."""

    def __init__(
        self,
        context: ReplyContext,
        *,
        log: LogWriter,
        is_takeover: bool,
        finish_row: Callable[[Finished], Awaitable[bool]],
    ) -> None:
        self.context = context
        self.reply_id = context.reply.pk
        self.is_lost = False
        self._is_stopping = False
        self._is_takeover = is_takeover
        self._log = log
        # Ends the reply's row; tells whether it was this process's to end.
        self._finish_row = finish_row
        self._trimmer: NameTrimmer | None = None
        self._saved_length = 0
        self._task: asyncio.Task[Ending | None] | None = None
        self.draft = Draft(log.open(self.reply_id, context.reply.epoch, self.lose))

    def start(self) -> asyncio.Task[Ending | None]:
        """Begin; the task's result is how this process ended the reply, or None if it was not its to end."""
        self._task = asyncio.create_task(self._run(), name=f"reply {self.reply_id}")
        return self._task

    def stop(self) -> None:
        """End the reply as stopped, with what it has."""
        if self._task is not None and not self._is_stopping:
            self._is_stopping = True
            self._task.cancel()

    def lose(self) -> None:
        """Another process runs this reply now; nothing more is written here."""
        self.is_lost = True
        self.leave()

    def leave(self) -> None:
        """Let go of the reply without ending it."""
        if self._task is not None:
            self._task.cancel()

    def new_checkpoint(self) -> Checkpoint | None:
        """What is to be saved now, or None when nothing is new since the last call."""
        if self.is_lost or self.draft.length == self._saved_length:
            return None
        self._saved_length = self.draft.length
        return self.draft.checkpoint(self.reply_id, self.context.message.pk)

    async def _run(self) -> Ending | None:
        with reply_span(self.reply_id, gen__ai_request_model=self.context.reply.model_name) as span:
            ending = await self._write_to_its_end()
            if ending is not None and ending.error_code:
                span.fail(ending.error_code)
        return ending

    async def _write_to_its_end(self) -> Ending | None:
        try:
            ending = await self._write()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not self._is_stopping or self.is_lost or task is None:
                raise
            task.uncancel()
            ending = Ending(ReplyStatus.STOPPED)
        except ParlourError as error:
            logger.info("Reply %s failed: %s", self.reply_id, error.code)
            ending = Ending(ReplyStatus.FAILED, error.code, str(error.user_message))
        except Exception:
            logger.exception("Reply %s failed unexpectedly", self.reply_id)
            sentence = _("Parlour could not finish this reply. Try again; the log says more.")
            ending = Ending(ReplyStatus.FAILED, "internal", sentence)
        return await self._finish(ending)

    async def _write(self) -> Ending:
        context = self.context
        await self._restore(context)
        if context.reply.is_stop_requested:
            return Ending(ReplyStatus.STOPPED)
        target = context.target
        if target is None:
            target = await in_database(resolve_model, context.reply.model_name)
        if target.limits and not self._is_takeover:
            await admit(target.limits, context.caller)
        continue_from = self._text_to_continue(context, target)
        write = self._write_task if context.task else self._write_answer
        for scale in SCALES:
            length = self.draft.length
            try:
                await write(target, continue_from, scale)
                break
            except ContextTooLong:
                # The server counts other tokens than were estimated, or reads less than it said.
                if scale == SCALES[-1] or self.draft.length > length:
                    raise
        return Ending(ReplyStatus.COMPLETE)

    async def _write_answer(self, target: ModelTarget, continue_from: str, scale: float) -> None:
        context = self.context
        passages = await self._find_passages(context, target)
        self.draft.say_status(ReplyStatus.RUNNING)
        casting = await self._cast(target)
        prompt = build_prompt(
            PromptParts(
                system_prompt="",
                history=casting.history,
                passages=passages,
                context_tokens=int(calibration.room(target) * scale),
                max_tokens=context.max_tokens,
                temperature=context.temperature,
                continue_from=continue_from,
                can_continue=target.can_continue,
                voice=casting.voice,
            )
        )
        if casting.voice.others and not continue_from:
            self._trimmer = NameTrimmer(casting.voice.names.char, casting.voice.name)
        # A citation that leads nowhere is never shown.
        citations = CitationFilter(len(self.draft.sources)) if self.draft.sources else None
        await self._stream(target, prompt, citations)

    async def _write_task(self, target: ModelTarget, continue_from: str, scale: float) -> None:
        context, draft = self.context, self.draft
        await self._wait_for_documents(context.subjects)
        if not continue_from:
            draft.forget_sources()
        prepared = await WholeReader(context, target, draft, scale).prepare()
        if prepared.lead and not draft.answer:
            draft.add_answer(prepared.lead)
        try:
            await self._stream(target, prepared.prompt, prepared.citations)
        except ContextTooLong:
            if draft.answer == prepared.lead != "":
                draft.start_over()
            raise

    async def _cast(self, target: ModelTarget) -> Casting:
        """Who speaks. A chat without persona and lorebook knows all of it already."""
        context = self.context
        conversation, character = context.conversation, context.character
        if not needs_database(conversation, character):
            return cast_plain(conversation, character, context.user, context.history, context.group)
        return await in_database(
            cast,
            conversation=conversation,
            character=character,
            user=context.user,
            history=context.history,
            group=context.group,
            parent_id=context.message.parent_id,
            context_tokens=target.context_tokens,
        )

    async def _stream(self, target: ModelTarget, prompt: Prompt, citations: CitationFilter | None) -> None:
        draft, trimmer = self.draft, self._trimmer
        records.keep(self.reply_id, prompt)
        caller = self.context.caller
        async with aclosing(stream_chat(target, prompt.request, caller=caller)) as stream:
            async for event in stream:
                match event:
                    case AnswerDelta(text=text):
                        said = text if trimmer is None else trimmer.feed(text)
                        if citations is not None:
                            said = citations.feed(said)
                        if said:
                            draft.add_answer(said)
                    case ThinkingDelta(text=text):
                        draft.add_thinking(text)
                    case UsageReport():
                        draft.usage = event
                        if not event.is_cached:
                            calibration.learn(target.name, prompt.request, event.prompt_tokens)
                    case Queued(position=position):
                        draft.say_status(ReplyStatus.QUEUED, waiting_for="slot", queue_position=position)
                    case Admitted():
                        draft.say_status(ReplyStatus.RUNNING)
                    case StartOver():
                        draft.repeat(draft.answer, "", draft.sources)
        rest = "" if trimmer is None else trimmer.flush()
        if citations is not None:
            rest = citations.feed(rest) + citations.flush()
        if rest:
            draft.add_answer(rest)
        draft.end_thinking()

    async def _restore(self, context: ReplyContext) -> None:
        """Bring back what was said before this run.

        A takeover first writes into the log: from then on the epoch shuts earlier processes out, and what the log
        holds is all there is.
        """
        if not self._is_takeover:
            # The log of a continuation begins with the text it continues: every log adds up to a whole message.
            if context.reply.is_continuation:
                # Its citations go on leading where they do.
                self.draft.cite(context.sources)
                self.draft.add_answer(context.message.text)
            return
        self.draft.say_status(ReplyStatus.RUNNING)
        await self._log.flush(self.draft.writer)
        frames = await self._log.read(self.reply_id)
        if parse_cursor(frames[0].cursor)[0] < self.draft.writer.epoch:
            self.draft.restore(*replay(frames))
        else:
            self.draft.repeat(context.message.text, context.message.thinking, context.sources)

    def _text_to_continue(self, context: ReplyContext, target: ModelTarget) -> str:
        """The text to carry on from. An interrupted answer that its server cannot continue starts over."""
        if self.draft.answer and (target.can_continue or context.reply.is_continuation):
            return self.draft.answer
        if self.draft.length:
            self.draft.start_over()
        return ""

    async def _find_passages(self, context: ReplyContext, target: ModelTarget) -> tuple[Passage, ...] | None:
        """The passages to answer from; None when this conversation has nothing to do with documents."""
        scope = scope_of(
            context.character, target, collections=context.collections, documents=context.documents
        )
        if scope is None:
            return None
        if not self.draft.sources:
            await self._wait_for_documents(context.documents)
            question = await stand_alone(context.question, context.history, target, context.caller)
            self.draft.cite(await in_search(find_sources, context.user, question, scope))
        return passages_of(self.draft.sources)

    async def _wait_for_documents(self, documents: tuple[uuid.UUID, ...]) -> None:
        deadline = time.monotonic() + DOCUMENT_WAIT_SECONDS
        is_said = False
        while documents and time.monotonic() < deadline:
            if not await in_database(pending_documents, documents):
                return
            if not is_said:
                self.draft.say_status(ReplyStatus.QUEUED, waiting_for="documents")
                is_said = True
            await asyncio.sleep(DOCUMENT_POLL_SECONDS)

    async def _finish(self, ending: Ending) -> Ending | None:
        last = self.draft.last_checkpoint(self.reply_id, self.context.message.pk)
        finished = Finished(self.context, last, ending, self.draft.measures())
        while True:
            try:
                is_mine = await self._finish_row(finished)
                break
            except DatabaseError as error:
                logger.warning(
                    "The end of reply %s is not saved yet: %s", self.reply_id, type(error).__name__
                )
                await asyncio.sleep(FINISH_RETRY_SECONDS)
        if not is_mine:
            return None
        self.draft.say_end(ending)
        return ending
