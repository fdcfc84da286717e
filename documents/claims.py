"""Who works on which document: a claim is a token on the row and a lease that its heartbeat keeps alive.

A worker killed in mid-ingest stops beating; after LEASE_SECONDS its document can be claimed again, and the next
run goes on where it stopped. What a run writes, it writes in a transaction that first locks the row with its
claim on it, so two runs never write the same document, and a deleted document stays deleted.
"""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError, close_old_connections, connection, transaction
from django.db.models import Case, F, IntegerField, OuterRef, Q, Subquery, Value, When
from django.utils import timezone

from documents.models import Collection, CollectionKind, Document, DocumentQuerySet

# A killed worker's documents wait this long at most, and the sweep's interval besides: under 30 s together.
LEASE_SECONDS = 15
HEARTBEAT_SECONDS = 4
# Who waits is looked at in this many, so that a queue of thousands costs a claim no more than a short one.
_CANDIDATES = 200


class ClaimLost(Exception):
    """The document was deleted, or another run took it up: stop, and write nothing more."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to ingest one document, as long as it is kept alive."""

    document_id: uuid.UUID
    token: uuid.UUID


def claimable() -> DocumentQuerySet:
    """Unfinished documents that nobody works on, and that need not wait longer."""
    is_free = Q(claim_expires_at=None) | Q(claim_expires_at__lt=timezone.now())
    return Document.objects.unfinished().filter(is_free)


def claim_next() -> Claim | None:
    """Claim the document whose turn it is, None if none waits.

    Whoever was served longest ago is next, so one person's thousand files do not hold up another's one; files
    of a conversation go first among one's own, because somebody waits for an answer about them.
    """
    served_at = Collection.objects.filter(owner=OuterRef("collection__owner"), served_at__isnull=False)
    candidates = (
        claimable()
        .annotate(
            owner_served_at=Subquery(served_at.order_by("-served_at").values("served_at")[:1]),
            in_library=Case(
                When(collection__kind=CollectionKind.CHAT, then=Value(0)),
                default=Value(1),
                output_field=IntegerField(),
            ),
        )
        .order_by(F("owner_served_at").asc(nulls_first=True), "in_library", "id")
        .values_list("id", "collection_id")
    )
    for document_id, collection_id in candidates[:_CANDIDATES]:
        claim = Claim(document_id, uuid.uuid4())
        with transaction.atomic():
            taken = (
                claimable()
                .filter(pk=document_id)
                .update(claim=claim.token, claim_expires_at=_lease_end(), attempts=F("attempts") + 1)
            )
            if taken:
                Collection.objects.filter(pk=collection_id).update(served_at=timezone.now())
                return claim
    return None


def keep_alive(claim: Claim) -> bool:
    """Renew the lease; False if the claim no longer stands."""
    kept = _held(claim).update(claim_expires_at=_lease_end())
    return bool(kept)


def release(claim: Claim, *, wait_seconds: float = 0, **values: object) -> None:
    """Give the document back, not to be taken up before `wait_seconds` have passed; `values` go to the row."""
    until = timezone.now() + timedelta(seconds=wait_seconds)
    _held(claim).update(claim=None, claim_expires_at=until, **values)


@contextmanager
def claimed(claim: Claim) -> Iterator[DocumentQuerySet]:
    """A transaction in which the claim stands, with the one document as a queryset to update.

    Raises `ClaimLost` if it does not stand. Deletion waits for the end of the transaction.
    """
    with transaction.atomic():
        if not _held(claim).select_for_update(no_key=True).values_list("pk").first():
            raise ClaimLost
        yield Document.objects.filter(pk=claim.document_id)


def _held(claim: Claim) -> DocumentQuerySet:
    return Document.objects.filter(pk=claim.document_id, claim=claim.token)


def _lease_end() -> datetime:
    return timezone.now() + timedelta(seconds=LEASE_SECONDS)


@contextmanager
def heartbeat(claim: Claim) -> Iterator[threading.Event]:
    """Keeps the claim alive from a thread of its own while the block runs; the event is set when it is lost.

    A thread, because a batch of embeddings or a hard page may take longer than the lease.
    """
    is_lost = threading.Event()
    is_over = threading.Event()

    def beat() -> None:
        while not is_over.wait(HEARTBEAT_SECONDS):
            try:
                close_old_connections()
                if not keep_alive(claim):
                    is_lost.set()
                    break
            except DatabaseError:
                # The database restarts: the lease may outlast it, and if not, another run goes on.
                continue
        connection.close()

    thread = threading.Thread(target=beat, name="claim-heartbeat", daemon=True)
    thread.start()
    try:
        yield is_lost
    finally:
        is_over.set()
        thread.join()
