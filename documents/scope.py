"""What one search may look at: the documents somebody may see, as SQL that the ways of searching put into theirs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Sum

from accounts.models import User
from documents.models import Document, DocumentQuerySet, DocumentStatus


@dataclass(frozen=True, slots=True)
class Scope:
    """The permitted documents' ids as a subquery with its parameters; how many chunks and which languages they have."""

    ids: str
    parameters: tuple[Any, ...]
    chunks: int
    languages: tuple[str, ...]


def scope_for(
    user: User, *, collections: Sequence[UUID] | None = None, documents: Sequence[UUID] | None = None
) -> Scope | None:
    """The ready documents the user may see, or of those the named ones; None if there is nothing in them."""
    permitted = _permitted_documents(user, collections, documents)
    summary = permitted.aggregate(chunks=Sum("chunk_count"), languages=ArrayAgg("language", distinct=True))
    if not summary["chunks"]:
        return None
    sql, parameters = permitted.values("id").query.sql_with_params()
    return Scope(sql, tuple(parameters), summary["chunks"], tuple(summary["languages"]))


def _permitted_documents(
    user: User, collections: Sequence[UUID] | None, documents: Sequence[UUID] | None
) -> DocumentQuerySet:
    ready = Document.objects.filter(status=DocumentStatus.READY).order_by()
    if collections is None and documents is None:
        return ready.visible_to(user)
    # What is named may also be a character's, which lends it to whoever may talk to it.
    return ready.readable_by(user).in_any(collections=collections or (), documents=documents or ())
