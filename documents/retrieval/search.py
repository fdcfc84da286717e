"""Finds the passages that answer a question: one entry point, `search`.

    what the user may see ──┬─ nearest vectors (`nearest`) ─┬─ one ranking of both (`fusion`) ── passages
       (`scope`)            └─ full text (`lexical`) ───────┘                           (`merging`)

Vectors find what is meant, full text finds names and numbers, and a code leads (`codes`). All look only at what the
user may see. While the model server computes the question's vector, the database ranks by words.
"""

import logging
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from django.db import connection

from accounts.models import User
from documents.metrics import RETRIEVAL_LATENCY, RETRIEVAL_PASSAGES
from documents.models import VectorSpace
from documents.retrieval.codes import find_named, put_first
from documents.retrieval.fusion import (
    OPENING_WEIGHT,
    OPENING_WEIGHT_WHOLE,
    favour_openings,
    fuse,
    order_by_shares,
    spread_documents,
    weigh_words,
)
from documents.retrieval.hits import Hit
from documents.retrieval.lexical import rank_by_words
from documents.retrieval.merging import compose_passages
from documents.retrieval.nearest import rank_by_vector
from documents.retrieval.reranking import best_first
from documents.retrieval.scope import Scope, scope_for
from documents.vectors import active_space
from inference.embeddings import Vectors, query_embedder
from inference.errors import InferenceError
from inference.subject import Subject, subject_of

__all__ = ["Hit", "Meaning", "find_passages", "search"]

logger = logging.getLogger(__name__)

QUERY_CHARACTERS_MAX = 4000


@dataclass(frozen=True, slots=True)
class Meaning:
    """A question as a vector in the space that is searched."""

    space: VectorSpace
    vector: Vectors


@RETRIEVAL_LATENCY.time()
def search(
    *,
    user: User,
    query: str,
    k: int = 5,
    collections: Sequence[UUID] | None = None,
    documents: Sequence[UUID] | None = None,
) -> list[Hit]:
    """The `k` best passages for the question among what the user may see, best first.

    With `collections` or `documents` only those are searched, joined if both are given; ids that are not
    visible to the user add nothing. A connected reranker has the last word on the order.
    """
    query = query.replace("\x00", "").strip()[:QUERY_CHARACTERS_MAX]
    if not query:
        return []
    with ThreadPoolExecutor(1) as beside:
        # What takes longest is begun first: a vector for nothing is rare, since few people have no document.
        understand = _begin_understanding(query, beside)
        scope = scope_for(user, collections=collections, documents=documents)
        if scope is None:
            return []
        hits = best_first(query, lambda count: find_passages(query, understand, scope, k=count), k)
    RETRIEVAL_PASSAGES.observe(len(hits))
    return hits


class _LastSpace:
    """The space that was searched last, by which a question is understood before the database has been asked."""

    space: VectorSpace | None = None


def _begin_understanding(query: str, beside: ThreadPoolExecutor) -> Callable[[], Meaning | None]:
    """Have the model server compute the question's vector; what is returned waits for it.

    None without an embedding server, which is no reason to find nothing at all. The thread beside needs no database.
    """
    guess = _LastSpace.space
    begun = _begin_in(guess, query, beside) if guess else None
    space = active_space()
    if begun is None or space != guess:
        begun = _begin_in(space, query, beside) if space else lambda: None
    _LastSpace.space = space
    return begun


def _begin_in(space: VectorSpace, query: str, beside: ThreadPoolExecutor) -> Callable[[], Meaning | None]:
    try:
        embed = query_embedder(space.name)
    except InferenceError as error:
        logger.warning("searching without vectors: %s", type(error).__name__)
        return lambda: None
    return partial(_understood, space, beside.submit(embed, [query]))


def _understood(space: VectorSpace, vectors: Future[Vectors]) -> Meaning | None:
    try:
        vector = vectors.result()[0]
    except InferenceError as error:
        logger.warning("searching without vectors: %s", type(error).__name__)
        return None
    if len(vector) != space.dimensions:
        logger.warning("searching without vectors: the embedding model changed under its name")
        return None
    return Meaning(space, vector)


def find_passages(query: str, understand: Callable[[], Meaning | None], scope: Scope, *, k: int) -> list[Hit]:
    """The `k` best passages in the scope by the question's words and, where it is known, its meaning.

    `understand` is asked for the meaning when the words are done.
    """
    by_words = rank_by_words(query, scope)
    named = find_named(query, scope)
    meaning = understand()
    by_meaning = rank_by_vector(meaning.space, meaning.vector, scope) if meaning else []
    similarities = {ranked.place.chunk_id: 1 - ranked.distance for ranked in by_meaning}
    is_about_all = subject_of(query) in (Subject.WHOLE, Subject.FRONT)
    if is_about_all and meaning:
        # Its words are everywhere, and in an abstract least.
        by_words = []
    fused = fuse([(weigh_words(by_words), by_words), *([(1.0, by_meaning)] if meaning else [])])
    if scope.is_short:
        ranked = order_by_shares(fused, by_words, by_meaning)
    else:
        ranked = favour_openings(fused, OPENING_WEIGHT_WHOLE if is_about_all else OPENING_WEIGHT)
    ranked = put_first(spread_documents(ranked), named)
    names: dict[UUID, str] = {}
    # Of short texts the next one says more than another part of the same.
    passages = compose_passages(
        ranked, k=k, read_pages=partial(_read_pages, names), is_one_each=scope.is_short
    )
    return [
        Hit(
            document_id=passage.document_id,
            document_name=names[passage.document_id],
            page=passage.page,
            text=passage.text,
            start=passage.start,
            end=passage.end,
            score=round(passage.score, 6),
            similarity=max(
                (similarities[chunk_id] for chunk_id in passage.chunk_ids if chunk_id in similarities),
                default=None,
            ),
        )
        for passage in passages
    ]


def _read_pages(names: dict[UUID, str], keys: Collection[tuple[UUID, int]]) -> dict[tuple[UUID, int], str]:
    """The texts of these pages, by document and number; the documents' names go into `names`."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT d.id, d.name, p.number, p.text FROM documents_page p"
            " JOIN documents_document d ON d.id = p.document_id"
            " JOIN unnest(%s::uuid[], %s::int[]) AS wanted (document_id, number)"
            " ON p.document_id = wanted.document_id AND p.number = wanted.number",
            [[document_id for document_id, _ in keys], [number for _, number in keys]],
        )
        rows = cursor.fetchall()
    names.update((document_id, name) for document_id, name, _, _ in rows)
    return {(document_id, number): text for document_id, _, number, text in rows}
