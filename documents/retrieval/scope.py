"""What one search may look at: the documents somebody may see, as SQL that the ways of searching put into theirs.

Who may see what is asked once. Up to LISTED_DOCUMENTS_MAX documents are named one by one: PostgreSQL then knows how
few they are and goes by their index, where behind a subquery it guesses half of all and reads the whole table
(1,370 ms instead of 12 among a million chunks, for somebody who may see 10,000).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, Sum

from accounts.models import User
from documents.models import Collection, CollectionQuerySet, Document, DocumentQuerySet, DocumentStatus

LISTED_DOCUMENTS_MAX = 3000
# Documents of so many chunks on average are short texts: abstracts, letters, answers of half a page.
SHORT_CHUNKS = 3.0


@dataclass(frozen=True, slots=True)
class Scope:
    """The permitted documents as an operand (`= ANY (…)` or `IN (…)`) with its parameters, and what they hold."""

    operand: str
    parameters: tuple[Any, ...]
    documents: int
    chunks: int
    languages: tuple[str, ...]

    @property
    def is_short(self) -> bool:
        """Whether it is short texts that are searched."""
        return self.chunks <= SHORT_CHUNKS * self.documents


def scope_for(
    user: User, *, collections: Sequence[UUID] | None = None, documents: Sequence[UUID] | None = None
) -> Scope | None:
    """The ready documents the user may see, or of those the named ones; None if there is nothing in them."""
    permitted = _permitted_documents(user, collections, documents)
    rows = list(permitted.values_list("id", "chunk_count", "language")[: LISTED_DOCUMENTS_MAX + 1])
    if len(rows) <= LISTED_DOCUMENTS_MAX:
        chunks = sum(count for _, count, _ in rows)
        languages = tuple(sorted({language for _, _, language in rows}))
        # As text, once: psycopg takes 2 µs a key to write them, and both ways of searching need them.
        keys = "{" + ",".join(str(key) for key, _, _ in rows) + "}"
        return Scope("= ANY (%s::uuid[])", (keys,), len(rows), chunks, languages) if chunks else None
    summary = permitted.aggregate(
        documents=Count("pk"), chunks=Sum("chunk_count"), languages=ArrayAgg("language", distinct=True)
    )
    sql, parameters = permitted.values("id").query.sql_with_params()
    return Scope(
        f"IN ({sql})",
        tuple(parameters),
        summary["documents"],
        summary["chunks"],
        tuple(summary["languages"]),
    )


def _permitted_documents(
    user: User, collections: Sequence[UUID] | None, documents: Sequence[UUID] | None
) -> DocumentQuerySet:
    ready = Document.objects.filter(status=DocumentStatus.READY).order_by()
    if collections is None and documents is None:
        visible = Collection.objects.visible_to(user)
        return ready.filter(collection__in=list(visible.values_list("pk", flat=True)))
    wanted = set(collections or ())
    if documents:
        wanted.update(Document.objects.filter(pk__in=documents).values_list("collection_id", flat=True))
    permitted = ready.filter(collection__in=_readable(user, wanted))
    return permitted.in_any(collections=collections or (), documents=documents or ())


def _readable(user: User, wanted: set[UUID]) -> set[UUID]:
    """Those of the collections that the user may read.

    What is named may also be a character's, which lends it to whoever may talk to it. That is a long question (Django
    takes 5 ms to put it, 2 for what is shared, 0.5 for what is one's own), so it is asked for the rest alone.
    """
    found: set[UUID] = set()
    for permitted in _ever_wider(user):
        rest = wanted - found
        found.update(permitted.filter(pk__in=rest).order_by().values_list("pk", flat=True))
        if found == wanted:
            break
    return found


def _ever_wider(user: User) -> Iterator[CollectionQuerySet]:
    yield Collection.objects.filter(owner=user)
    yield Collection.objects.visible_to(user)
    yield Collection.objects.readable_by(user)
