"""What the documents page shows at its side: the shelves a person can look at, and what stands on the chosen one.

A shelf is one collection, or all of them, or everything that came in through chats. Only reads; no HTTP.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Q, Sum

from accounts.errors import NotFound
from accounts.models import User
from documents.models import CHAT_KINDS, Collection, Document, DocumentQuerySet
from documents.queries import find_collection

FROM_CHATS = "chats"


@dataclass(frozen=True)
class Shelf:
    """One entry of the side list; `key` is what the address says, empty for everything."""

    key: str
    name: str
    kind: str
    count: int
    is_current: bool


@dataclass(frozen=True)
class Totals:
    """What stands on a shelf, at a glance."""

    documents: int
    pages: int
    size_bytes: int


def find_documents(*, user: User, key: str) -> DocumentQuerySet:
    """The documents on the shelf `key`, newest first; NotFound for a shelf that the user does not have."""
    documents = Document.objects.visible_to(user).select_related("collection").order_by("-created_at")
    if key == FROM_CHATS:
        return documents.filter(collection__kind__in=CHAT_KINDS)
    if not key:
        return documents.exclude(collection__kind__in=CHAT_KINDS)
    return documents.filter(collection=find_shelf_collection(user=user, key=key))


def find_shelf_collection(*, user: User, key: str) -> Collection | None:
    """The collection that `key` names, None for the shelves that are no collection; else NotFound."""
    if key in {"", FROM_CHATS}:
        return None
    try:
        return find_collection(actor=user, collection_id=uuid.UUID(key))
    except ValueError:
        raise NotFound from None


def list_shelves(*, user: User, key: str) -> Sequence[Shelf]:
    """The collections that are not a chat's own, the library first, with how many documents each holds."""
    collections = (
        Collection.objects.visible_to(user)
        .exclude(kind__in=CHAT_KINDS)
        .order_by("kind", "name")
        .values_list("pk", "name", "kind", Count("documents"))
    )
    return [Shelf(str(pk), name, kind, count, str(pk) == key) for pk, name, kind, count in collections]


def count_from_chats(*, user: User) -> int:
    """How many documents came in through chats."""
    return Document.objects.visible_to(user).filter(collection__kind__in=CHAT_KINDS).count()


def add_up(documents: DocumentQuerySet) -> Totals:
    """Documents, the pages of those that are ready, and bytes."""
    sums = documents.aggregate(
        documents=Count("pk"), pages=Sum("page_count", filter=Q(status="ready")), size_bytes=Sum("size_bytes")
    )
    return Totals(sums["documents"], sums["pages"] or 0, sums["size_bytes"] or 0)
