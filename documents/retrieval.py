"""Finds the passages that answer a question: one entry point, `search`.

    what the user may see ──┬─ nearest vectors ────────┬─ reciprocal rank fusion ── passages
                            └─ full text (`lexical`) ──┘

Vectors find what is meant, full text finds names and numbers. Both look only at what the user may see, and
neither is emptied by that filter: few visible chunks are compared one by one, many go through the HNSW index
with iterative scans. Left out: reranking, rewriting the question.

The statements are put together from our own words and numbers and Django's compiled filter; whatever a person
wrote is a parameter. That is what each `noqa: S608` below stands for.
"""

import logging
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib.postgres.aggregates import ArrayAgg
from django.db import connection, transaction
from django.db.models import Sum

from accounts.models import User
from documents import lexical
from documents.merging import Place, compose_passages
from documents.metrics import RETRIEVAL_LATENCY, RETRIEVAL_PASSAGES
from documents.models import Document, DocumentQuerySet, DocumentStatus, VectorSpace
from documents.vectors import INDEXED_DIMENSIONS_MAX, vector_literal
from inference.embeddings import current_embedding_model, embed_queries
from inference.errors import InferenceError

logger = logging.getLogger(__name__)

# How deep each way of searching is read before fusing.
DEPTH = 100
# Reciprocal rank fusion's constant, from Cormack, Clarke and Büttcher (SIGIR 2009). On ARAGOG 30 to 100 are alike.
RRF_K = 60
# On ARAGOG, with 1, 1.5, 2, 3: right first .959, .959, .959, .949; words found .599, .607, .611, .615. Vectors
# alone .939 and .47, full text alone .837 and .61.
LEXICAL_WEIGHT = 1.5
# A list of references holds every word of the field and answers nothing: right first +.01 on ARAGOG.
# (It has no vectors either, see `documents.ingest`.)
REFERENCE_WEIGHT = 0.5
# A document's opening says what the rest is about: in the document that leads, page 1 counts this much more, page 2
# half of that, and so on. ARAGOG: words found .607 without, .631 with .2, .637 with .3, .636 with .4; right first
# .959, .949, .949, .949. Where every document is a page it changes no order.
OPENING_WEIGHT = 0.3
OPENING_FADE_PAGES = 1.5
# How many of the best chunks say which document leads.
LEADING_CHUNKS = 5
# Up to this many visible chunks are compared one by one: exact, 1.3 ms a thousand at 384 dimensions. Above it
# the index is faster, and a filter that keeps so many does not starve it.
EXACT_CHUNKS_MAX = 15_000
# recall@10 .985 on 100,000 clustered vectors.
HNSW_EF_SEARCH = 100
QUERY_CHARACTERS_MAX = 4000


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage: `text` is `[start:end]` (code points) of that page's text; pages count from 1."""

    document_id: UUID
    document_name: str
    page: int
    text: str
    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class _Scope:
    """What may be searched: the visible documents' ids as a subquery with its parameters, and their chunks."""

    ids: str
    parameters: tuple[Any, ...]
    chunks: int


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
    visible to the user add nothing. `score` is comparable within one answer only, highest 1.
    """
    query = query.replace("\x00", "").strip()[:QUERY_CHARACTERS_MAX]
    visible = _visible_documents(user, collections, documents)
    summary = visible.aggregate(chunks=Sum("chunk_count"), languages=ArrayAgg("language", distinct=True))
    if not query or not summary["chunks"]:
        return []
    scope = _Scope(*visible.values("id").query.sql_with_params(), chunks=summary["chunks"])
    rankings = [
        (1.0, _nearest(query, scope)),
        (LEXICAL_WEIGHT, _matching(query, scope, languages=summary["languages"])),
    ]
    names: dict[UUID, str] = {}
    passages = compose_passages(
        _favour_openings(_fuse(rankings)), k=k, read_pages=partial(_read_pages, names)
    )
    RETRIEVAL_PASSAGES.observe(len(passages))
    return [
        Hit(
            document_id=passage.document_id,
            document_name=names[passage.document_id],
            page=passage.page,
            text=passage.text,
            start=passage.start,
            end=passage.end,
            score=round(passage.score, 6),
        )
        for passage in passages
    ]


def _visible_documents(
    user: User, collections: Sequence[UUID] | None, documents: Sequence[UUID] | None
) -> DocumentQuerySet:
    ready = Document.objects.filter(status=DocumentStatus.READY).order_by()
    if collections is None and documents is None:
        return ready.visible_to(user)
    # What is named may also be a character's, which lends it to whoever may talk to it.
    return ready.readable_by(user).in_any(collections=collections or (), documents=documents or ())


def _nearest(query: str, scope: _Scope) -> list[Place]:
    """Chunks by cosine distance, nearest first. No embedding server is no reason to find nothing at all."""
    try:
        space = VectorSpace.objects.filter(name=current_embedding_model().name).first()
        if space is None:
            return []
        vector = embed_queries([query])[0]
    except InferenceError as error:
        logger.warning("searching without vectors: %s", type(error).__name__)
        return []
    if len(vector) != space.dimensions:
        logger.warning("searching without vectors: the embedding model changed under its name")
        return []
    # As in the index's expression, for the planner to see that it fits. Both numbers are ours.
    distance = f"e.vector::halfvec({space.dimensions}) <=> %s::halfvec({space.dimensions})"
    is_exact = scope.chunks <= EXACT_CHUNKS_MAX or space.dimensions > INDEXED_DIMENSIONS_MAX
    if is_exact:
        # The planner would take the index; MATERIALIZED makes it filter first.
        nearest = (
            f"WITH allowed AS MATERIALIZED ({scope.ids}), distances AS MATERIALIZED"  # noqa: S608
            f" (SELECT e.chunk_id, {distance} AS distance FROM documents_embedding e"
            f" JOIN allowed ON allowed.id = e.document_id WHERE e.space_id = {space.pk})"
            f" SELECT chunk_id, distance FROM distances ORDER BY distance LIMIT {DEPTH}"
        )
        values = [*scope.parameters, vector_literal(vector)]
    else:
        nearest = (
            f"SELECT e.chunk_id, {distance} AS distance FROM documents_embedding e"  # noqa: S608
            f" WHERE e.space_id = {space.pk} AND e.document_id IN ({scope.ids}) ORDER BY distance LIMIT {DEPTH}"
        )
        values = [vector_literal(vector), *scope.parameters]
    if is_exact:
        return _read_places(nearest, values)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL hnsw.ef_search = {HNSW_EF_SEARCH}")
        cursor.execute("SET LOCAL hnsw.iterative_scan = relaxed_order")
        return _read_places(nearest, values)


def _matching(query: str, scope: _Scope, *, languages: Sequence[str]) -> list[Place]:
    """Chunks with any of the question's words, those with the rarest and most of them first."""
    selects: list[str] = []
    values: list[Any] = []
    for language, terms in lexical.split_terms(query, languages).items():
        weights = lexical.weigh_terms(terms)
        # One word at a time, ts_rank says how often a chunk has it, up to 1 for many; D is what `search` is made of.
        rank = " + ".join(["%s * ts_rank('{1,1,1,1}', c.search, %s::tsquery)"] * len(weights))
        selects.append(
            f"(SELECT c.id AS chunk_id, -({rank}) AS distance FROM documents_chunk c"  # noqa: S608
            f" WHERE c.language = %s AND c.search @@ %s::tsquery AND c.document_id IN ({scope.ids})"
            f" ORDER BY distance LIMIT {DEPTH})"
        )
        for term, weight in weights.items():
            values += (weight, lexical.quote_term(term))
        candidates = lexical.choose_candidate_terms(terms, chunks=scope.chunks)
        values += (language, " | ".join(map(lexical.quote_term, candidates)), *scope.parameters)
    if not selects:
        return []
    return _read_places(" UNION ALL ".join(selects), values)


def _read_places(ranked: str, values: Sequence[Any]) -> list[Place]:
    """Where the chunks stand that `ranked` gives as (chunk_id, distance), nearest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT c.id, c.document_id, c.page, c.start, c."end", c.is_reference'  # noqa: S608
            f" FROM ({ranked}) AS ranked JOIN documents_chunk c ON c.id = ranked.chunk_id"
            f" ORDER BY ranked.distance, c.id LIMIT {DEPTH}",
            values,
        )
        return [Place(*row) for row in cursor.fetchall()]


def _fuse(rankings: Sequence[tuple[float, Sequence[Place]]]) -> list[tuple[Place, float]]:
    """Places by weighted reciprocal rank, best first; 1 is the score of one that leads everywhere."""
    total = sum(weight for weight, _ in rankings)
    places: dict[int, Place] = {}
    scores: dict[int, float] = {}
    for weight, ranking in rankings:
        for rank, place in enumerate(ranking, start=1):
            places[place.chunk_id] = place
            share = weight / total * (RRF_K + 1) / (RRF_K + rank)
            kept = REFERENCE_WEIGHT if place.is_reference else 1.0
            scores[place.chunk_id] = scores.get(place.chunk_id, 0.0) + kept * share
    best = sorted(scores, key=lambda chunk_id: (-scores[chunk_id], chunk_id))
    return [(places[chunk_id], scores[chunk_id]) for chunk_id in best]


def _favour_openings(ranked: Sequence[tuple[Place, float]]) -> list[tuple[Place, float]]:
    """The ranking with the first pages of a document lifted by its share of the best chunks' scores; best is 1."""
    leading: dict[UUID, float] = {}
    for place, score in ranked[:LEADING_CHUNKS]:
        leading[place.document_id] = leading.get(place.document_id, 0.0) + score
    total = sum(leading.values())
    if not total:
        return list(ranked)

    def lift(place: Place) -> float:
        share = leading.get(place.document_id, 0.0) / total
        return 1 + OPENING_WEIGHT * share * math.exp((1 - place.page) / OPENING_FADE_PAGES)

    lifted = [(place, score * lift(place) / (1 + OPENING_WEIGHT)) for place, score in ranked]
    return sorted(lifted, key=lambda entry: (-entry[1], entry[0].chunk_id))


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
