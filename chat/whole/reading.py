"""From whole documents to the prompt of an answer about them: at once where they fit the model, else by notes.

    documents → passages, numbered → fits? ────────────────────────────────→ the last prompt
                                   → parts → notes on each, some at a time ↗
                                             notes on notes, until they fit

It tells the draft how far it is. The last prompt is streamed by the reply like every other (`chat.replies`).
"""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.errors import NotFound
from chat.contexts import ReplyContext
from chat.database import in_search
from chat.errors import NothingToRead
from chat.events import Source, Stage
from chat.models import Task
from chat.prompt import Piece, Prompt
from chat.prompting.citations import NumberingFilter, cited_in, renumber
from chat.prompting.tokens import calibration, estimate_tokens
from chat.running.draft import Draft
from chat.whole import words
from chat.whole.notes import note_on
from chat.whole.plan import (
    PART_TOKENS_MOST,
    Numbered,
    Part,
    cost_of,
    in_groups,
    last_pages,
    number_passages,
    split,
    within_reach,
)
from documents.retrieval.whole import WholeDocument, read_whole
from inference.types import ChatRequest, ModelTarget, Passage, Purpose, Turn

# Kept free for the answer where nobody said how long it may be: a page and a half.
ANSWER_TOKENS = 1024
# Beside the material: the rules, the instruction, the template.
RULES_TOKENS = 520
# A model that reads less than this beside all that is asked too much; it says so itself.
ROOM_TOKENS_MIN = 300
# As long as the notes on a part may be; shorter where many of them have to fit together.
NOTE_TOKENS_MIN, NOTE_TOKENS_MAX = 140, 600
TOKENS_A_NOTE = 35
# At once for one reply: others wait for the same servers, and the queue is fair by person, not by request.
AT_ONCE = 3
# Notes on notes on notes: forty parts need one such round with a small model.
ROUNDS_MOST = 4
STEADY = 0.2
_PURPOSES: dict[Task, Purpose] = {
    Task.SUMMARISE: "summarise",
    Task.COMPARE: "compare",
    Task.KEY_FACTS: "key_facts",
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """The last prompt; `lead` is what the house itself says before the answer."""

    prompt: Prompt
    citations: NumberingFilter
    lead: str


@dataclass(frozen=True, slots=True)
class _Note:
    at: int
    text: str


class WholeReader:
    """One reply's way through its documents. `scale` makes everything smaller after a server found it too long."""

    def __init__(self, context: ReplyContext, target: ModelTarget, draft: Draft, scale: float = 1.0) -> None:
        self._context, self._target, self._draft = context, target, draft
        self._task, self._request = Task(context.task), context.question
        self._caller = context.caller
        self._tokens = int(calibration.room(target) * scale)

    async def prepare(self) -> Prepared:
        """Read everything; the answer's prompt. Raises NothingToRead, NotFound and what the model's servers raise."""
        documents = await in_search(_read, self._context)
        passages = number_passages(documents)
        room = self._room(self._answer_tokens)
        if cost_of(passages) <= room:
            self._draft.say_progress("reading", 1, 1)
            # Of a book that is megabytes, and others are being written meanwhile.
            material = await asyncio.to_thread(words.passages_block, documents, passages)
            return self._prepared(documents, passages, passages, material, lead="")
        every = split(passages, min(self._room(NOTE_TOKENS_MAX), PART_TOKENS_MOST))
        parts = within_reach(every)
        lead = _lead(documents, last_pages(every, parts))
        notes = await self._note_parts(documents, parts, room)
        notes = await self._merge(documents, notes, room)
        self._draft.say_progress("writing", 1, 1)
        material = words.notes_block([(documents[note.at].name, note.text) for note in notes])
        cited = set().union(*(cited_in(note.text) for note in notes))
        seen = [passage for passage in passages if passage.n in cited]
        return self._prepared(documents, passages, seen, material, lead)

    @property
    def _answer_tokens(self) -> int:
        return self._max_tokens or ANSWER_TOKENS

    @property
    def _max_tokens(self) -> int | None:
        """As the person asked. A character's own bound is for talk."""
        return self._context.reply.max_tokens

    def _room(self, answer_tokens: int) -> int:
        """For material, beside the rest and the answer."""
        rest = RULES_TOKENS + estimate_tokens(self._request) + answer_tokens
        return max(self._tokens - rest, ROOM_TOKENS_MIN)

    # --- notes ------------------------------------------------------------------------------------------------

    async def _note_parts(
        self, documents: Sequence[WholeDocument], parts: Sequence[Part], room: int
    ) -> list[_Note]:
        tokens = min(max(room // len(parts), NOTE_TOKENS_MIN), NOTE_TOKENS_MAX)
        requests = []
        for place, part in enumerate(parts, start=1):
            name, most = documents[part.at].name, tokens // TOKENS_A_NOTE
            instruction = words.note_instruction(
                self._task, part, place, len(parts), name, most, self._request
            )
            material = words.passages_block(documents, part.passages)
            requests.append(self._note_request(material, instruction, tokens))
        texts = await self._note_all(requests, "reading")
        return [
            _Note(part.at, _only({passage.n for passage in part.passages}, text))
            for part, text in zip(parts, texts, strict=True)
        ]

    async def _merge(self, documents: Sequence[WholeDocument], notes: list[_Note], room: int) -> list[_Note]:
        """Notes that fit together: merged by neighbours, over and over; at last the end of each is cut."""
        for _round in range(ROUNDS_MOST):
            total = sum(estimate_tokens(note.text) for note in notes)
            if total <= room or len(notes) == len(documents):
                break
            groups = [
                [_Note(at, text) for text in group]
                for at in range(len(documents))
                for group in in_groups(
                    [note.text for note in notes if note.at == at], self._room(NOTE_TOKENS_MAX)
                )
            ]
            tokens = min(max(room // len(groups), NOTE_TOKENS_MIN), NOTE_TOKENS_MAX)
            requests = [self._merge_request(documents, group, tokens) for group in groups]
            texts = await self._note_all(requests, "merging")
            notes = [
                _Note(group[0].at, _only(set().union(*(cited_in(one.text) for one in group)), text))
                for group, text in zip(groups, texts, strict=True)
            ]
        total = sum(estimate_tokens(note.text) for note in notes)
        share = min(1.0, room / max(total, 1))
        return [_Note(note.at, _cut(note.text, share)) for note in notes]

    def _merge_request(
        self, documents: Sequence[WholeDocument], group: Sequence[_Note], tokens: int
    ) -> ChatRequest:
        document = documents[group[0].at]
        instruction = words.merge_instruction(self._task, [document], tokens // TOKENS_A_NOTE, self._request)
        material = words.notes_block([(document.name, note.text) for note in group])
        return self._note_request(material, instruction, tokens)

    def _note_request(self, material: str, instruction: str, tokens: int) -> ChatRequest:
        turns = (Turn("system", words.RULES), Turn("user", f"{material}\n\n{instruction}"))
        return ChatRequest(turns=turns, max_tokens=tokens, temperature=STEADY)

    async def _note_all(self, requests: Sequence[ChatRequest], stage: Stage) -> list[str]:
        """The notes asked for, in order, some at a time; says how many are there."""
        places, done = asyncio.Semaphore(AT_ONCE), 0
        self._draft.say_progress(stage, 1, len(requests))

        async def note(request: ChatRequest) -> str:
            nonlocal done
            async with places:
                text = await note_on(self._target, request, self._caller)
            done += 1
            self._draft.say_progress(stage, min(done + 1, len(requests)), len(requests))
            return text

        try:
            async with asyncio.TaskGroup() as group:
                notes = [group.create_task(note(request)) for request in requests]
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        return [one.result() for one in notes]

    # --- the last step ----------------------------------------------------------------------------------------

    def _prepared(
        self,
        documents: Sequence[WholeDocument],
        passages: Sequence[Numbered],
        seen: Sequence[Numbered],
        material: str,
        lead: str,
    ) -> Prepared:
        """The prompt from what the model sees, `seen` being the passages it may cite."""
        by_number = {passage.n: passage for passage in seen}
        places = {_place(documents, passage): passage.n for passage in passages}
        shown = {
            n: source.n
            for source in self._draft.sources
            if (n := places.get((source.document, source.page, source.start))) is not None
        }
        instruction = words.final_instruction(self._task, documents, self._request)
        turns = [Turn("system", words.RULES), Turn("user", f"{material}\n\n{instruction}")]
        said = renumber(self._draft.answer.removeprefix(lead), {mine: n for n, mine in shown.items()})
        if said and not self._target.can_continue:
            turns += [Turn("assistant", said), Turn("user", words.CARRY_ON)]
        request = ChatRequest(
            turns=tuple(turns),
            max_tokens=self._max_tokens,
            temperature=self._context.temperature,
            passages=tuple(_passage(documents, passage) for passage in seen),
            question=self._request,
            purpose=_PURPOSES[self._task],
            continue_from=said if self._target.can_continue else "",
        )
        pieces = (
            Piece("request", "system", words.RULES),
            Piece("sources", "user", material),
            Piece("request", "user", instruction),
        )
        citations = NumberingFilter(
            by_number,
            known=shown,
            on_new=lambda n, number: self._draft.cite_also(_source(documents, by_number[n], number)),
        )
        return Prepared(Prompt(request, pieces), citations, lead)


def _read(context: ReplyContext) -> list[WholeDocument]:
    try:
        documents = read_whole(user=context.user, documents=context.subjects)
    except NotFound:
        raise NotFound(_("One of the documents does not exist, or is not yours to see.")) from None
    for document in documents:
        if not document.spans:
            raise NothingToRead(document.name, document.problem or _("There is no text in it."))
    return documents


def _lead(documents: Sequence[WholeDocument], last_page: dict[int, int]) -> str:
    """What the person has to know of an answer that does not rest on everything."""
    sentences = [
        _(
            "Only the first %(read)s of %(pages)s pages of “%(name)s” were read: the rest is too much for this model."
        )
        % {"read": page, "pages": documents[at].pages, "name": documents[at].name}
        for at, page in last_page.items()
    ]
    return f"*{' '.join(sentences)}*\n\n" if sentences else ""


def _cut(note: str, share: float) -> str:
    """The first lines of a note, up to this share of it."""
    return note if share >= 1 else note[: int(len(note) * share)].rsplit("\n", 1)[0]


def _only(allowed: set[int], note: str) -> str:
    """The note without citations of what its writer has not seen."""
    return renumber(note, {n: n for n in allowed})


def _place(documents: Sequence[WholeDocument], passage: Numbered) -> tuple[str, int, int]:
    return (str(documents[passage.at].id), passage.span.page, passage.span.start)


def _passage(documents: Sequence[WholeDocument], passage: Numbered) -> Passage:
    name = documents[passage.at].name
    return Passage(
        n=passage.n,
        text=passage.span.text,
        title=f"{name}, p. {passage.span.page}",
        document=name,
        page=passage.span.page,
    )


def _source(documents: Sequence[WholeDocument], passage: Numbered, number: int) -> Source:
    document: uuid.UUID = documents[passage.at].id
    span = passage.span
    return Source(
        n=number,
        document=str(document),
        name=documents[passage.at].name,
        page=span.page,
        text=span.text,
        start=span.start,
        end=span.end,
        score=1.0,
    )
