"""Documents for an answer: what is searched, and how a passage becomes a source that can be cited as `[n]`."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from accounts.models import User
from characters.models import Character
from chat.events import Source
from documents.retrieval import Hit, search
from inference.types import ModelTarget, Passage

PASSAGES = 6


@dataclass(frozen=True, slots=True)
class Scope:
    """Where to search: these collections and documents, or all that the person may see when both are empty."""

    collections: tuple[uuid.UUID, ...] = ()
    documents: tuple[uuid.UUID, ...] = ()


def scope_of(
    character: Character | None,
    target: ModelTarget,
    *,
    collections: tuple[uuid.UUID, ...],
    documents: tuple[uuid.UUID, ...],
) -> Scope | None:
    """Where an answer's passages come from; None when it has nothing to do with documents.

    What is attached is searched. Without that, a character that answers from documents, and a model that can do
    nothing else, search all documents the person may see.
    """
    is_grounded = character is not None and character.is_grounded
    if collections or documents or is_grounded or target.needs_passages:
        return Scope(collections, documents)
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
    return tuple(_source(n, hit) for n, hit in enumerate(hits, start=1))


def passages_of(sources: Sequence[Source]) -> tuple[Passage, ...]:
    """The sources as a model reads them."""
    return tuple(
        Passage(
            n=source.n,
            text=source.text,
            title=f"{source.name}, p. {source.page}",
            score=source.score,
            similarity=source.similarity,
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
