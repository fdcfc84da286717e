"""Documents for an answer: what is searched, and how a passage becomes a source that can be cited as `[n]`."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from accounts.models import User
from characters.models import Character
from chat.events import Source
from documents.retrieval.search import Hit, search
from inference.types import ModelTarget, Passage

PASSAGES = 6
# Of 98 questions about 15 papers all had a passage nearer than this, of 50 about other things 22 %.
SIMILARITY_MIN = 0.3
# So few words are a name or a number to be looked up, which need not be near in meaning.
KEYWORDS_MAX = 3


@dataclass(frozen=True, slots=True)
class Scope:
    """Where to search: these collections and documents, or all that the person may see when both are empty."""

    collections: tuple[uuid.UUID, ...] = ()
    documents: tuple[uuid.UUID, ...] = ()
    has_floor: bool = False
    """Whether passages that are all far from the question count as none."""


def scope_of(
    character: Character | None,
    target: ModelTarget,
    *,
    collections: tuple[uuid.UUID, ...],
    documents: tuple[uuid.UUID, ...],
) -> Scope | None:
    """Where an answer's passages come from; None when it has nothing to do with documents.

    What is attached is searched. Without that, a character that answers from documents, and a model that can do
    nothing else, search all documents the person may see; where nothing there is near, nothing is cited. (What is
    attached is spoken of anyway, "summarise this" is near to nothing, and the built-in quotes judge by themselves.)
    """
    is_grounded = character is not None and character.is_grounded
    if collections or documents or is_grounded or target.needs_passages:
        is_attached = bool(collections or documents)
        return Scope(collections, documents, has_floor=not is_attached and not target.needs_passages)
    return None


def find_sources(user: User, question: str, scope: Scope) -> tuple[Source, ...]:
    """The best passages for a question, numbered from 1."""
    is_attached = bool(scope.collections or scope.documents)
    hits = search(
        user=user,
        query=question,
        k=PASSAGES,
        collections=scope.collections if is_attached else None,
        documents=scope.documents if is_attached else None,
    )
    if scope.has_floor and not speak_to(question, hits):
        return ()
    return tuple(_source(n, hit) for n, hit in enumerate(hits, start=1))


def speak_to(question: str, hits: Sequence[Hit]) -> bool:
    """Whether any of the passages is near enough to the question to be cited for it."""
    known = [hit.similarity for hit in hits if hit.similarity is not None]
    is_keywords = len(question.split()) <= KEYWORDS_MAX
    # Without any vectors there is nothing to judge by.
    return is_keywords or not known or max(known) >= SIMILARITY_MIN


def passages_of(sources: Sequence[Source]) -> tuple[Passage, ...]:
    """The sources as a model reads them."""
    return tuple(
        Passage(
            n=source.n,
            text=source.text,
            title=f"{source.name}, p. {source.page}",
            score=source.score,
            similarity=source.similarity,
            document=source.name,
            page=source.page,
        )
        for source in sources
    )


def _source(n: int, hit: Hit) -> Source:
    return Source(
        n=n,
        document=str(hit.document_id),
        name=hit.document_name,
        page=hit.page,
        text=hit.text,
        start=hit.start,
        end=hit.end,
        score=round(hit.score, 4),
        similarity=None if hit.similarity is None else round(hit.similarity, 4),
    )
