"""Who works on which documents: a claim is a token on the row and a lease that its heartbeat keeps alive.

A worker killed in mid-ingest stops beating; after LEASE_SECONDS its documents can be claimed again, and the next
run goes on where it stopped. What a run writes, it writes in a transaction that first locks the row with its
claim on it, so two runs never write the same document, and a deleted document stays deleted.

Small files are claimed a lot at a time, because a claim, a batch of vectors and an event cost the same for one as
for thirty; whatever is large, or was claimed in vain before, is a lot of its own.
"""

import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, close_old_connections, connection, transaction
from django.db.models import Min, Q
from django.utils import timezone

from documents.models import UNFINISHED_STATUSES, Document, DocumentQuerySet

# A killed worker's documents wait this long at most, and the sweep's interval besides: under 30 s together.
LEASE_SECONDS = 15
HEARTBEAT_SECONDS = 4
# A lot is done in about a second, so that nobody waits for somebody else's.
LOT_DOCUMENTS = 32
LOT_BYTES = 128 * 1024
# A file of this size is some ten chunks of plain text. What is smaller and no text is read as quickly.
LIGHT_BYTES = 16 * 1024
# Another worker may take the chosen ones first; then there are others.
_TRIES = 3

# Everybody's first document comes before anybody's second; among the first, whoever was served longest ago.
# Among one's own, files of a chat go first, because somebody waits for an answer about them.
_IN_TURN = """
WITH waiting AS (
    SELECT d.id, coalesce(d.uploaded_by_id, c.owner_id) AS person, c.kind IN ('chat', 'inbox') AS is_awaited,
        d.size_bytes, d.attempts = 0 AND d.source = '' AND d.size_bytes <= %(light)s AS is_light
    FROM documents_document d JOIN documents_collection c ON c.id = d.collection_id
    WHERE d.status = ANY (%(unfinished)s) AND (d.claim_expires_at IS NULL OR d.claim_expires_at < %(now)s)
), numbered AS (
    SELECT *, row_number() OVER (PARTITION BY person ORDER BY is_awaited DESC, id) AS turn FROM waiting
)
SELECT n.id, n.size_bytes, n.is_light FROM numbered n LEFT JOIN documents_turn t ON t.user_id = n.person
ORDER BY n.turn, t.served_at NULLS FIRST, n.id LIMIT %(limit)s
"""
_TAKE = """
UPDATE documents_document d SET claim = %(token)s, claim_expires_at = %(until)s, attempts = d.attempts + 1
FROM documents_collection c
WHERE c.id = d.collection_id AND d.id IN (
    SELECT id FROM documents_document WHERE id = ANY (%(ids)s) AND status = ANY (%(unfinished)s)
        AND (claim_expires_at IS NULL OR claim_expires_at < %(now)s)
    FOR UPDATE SKIP LOCKED
)
RETURNING d.id, coalesce(d.uploaded_by_id, c.owner_id)
"""
_SERVED = """
INSERT INTO documents_turn (user_id, served_at) SELECT person, %s FROM unnest(%s::uuid[]) AS person
ORDER BY person ON CONFLICT (user_id) DO UPDATE SET served_at = excluded.served_at
"""


class ClaimLost(Exception):
    """The document was deleted or stopped, or another run took it up: stop, and write nothing more."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to ingest one document, as long as it is kept alive; `person` is whose turn it uses."""

    document_id: uuid.UUID
    token: uuid.UUID
    person: uuid.UUID


class Pulse:
    """Which of a lot's claims were found lost by its heartbeat."""

    def __init__(self) -> None:
        self.lost: set[uuid.UUID] = set()

    def check(self, claim: Claim) -> None:
        """Raise ClaimLost if this claim no longer stands, as far as is known."""
        if claim.document_id in self.lost:
            raise ClaimLost


def claimable() -> DocumentQuerySet:
    """Unfinished documents that nobody works on, and that need not wait longer."""
    is_free = Q(claim_expires_at=None) | Q(claim_expires_at__lt=timezone.now())
    return Document.objects.unfinished().filter(is_free)


def claim_lot() -> list[Claim]:
    """Claim the documents whose turn it is: one large one, or some small ones; none if none waits."""
    for _ in range(_TRIES):
        chosen = _choose()
        if not chosen:
            return []
        lot = _take(chosen)
        if lot:
            return lot
    return []


def claim_next() -> Claim | None:
    """Claim the one document whose turn it is, None if none waits."""
    chosen = _choose()
    lot = _take(chosen[:1]) if chosen else []
    return lot[0] if lot else None


def others_wait(claim: Claim) -> bool:
    """Whether somebody else's document could be worked on instead."""
    others = ~Q(uploaded_by=claim.person) & ~Q(uploaded_by=None, collection__owner=claim.person)
    return claimable().filter(others).exists()


def next_wait_seconds() -> float | None:
    """How long until a document that nobody works on can be claimed, 0 for now; None if there is none."""
    free = Document.objects.unfinished().filter(claim=None)
    if free.filter(claim_expires_at=None).exists():
        return 0.0
    earliest = free.aggregate(at=Min("claim_expires_at"))["at"]
    return None if earliest is None else max(0.0, (earliest - timezone.now()).total_seconds())


def _choose() -> list[uuid.UUID]:
    values: dict[str, Any] = {
        "unfinished": list(UNFINISHED_STATUSES),
        "now": timezone.now(),
        "light": LIGHT_BYTES,
        "limit": 2 * LOT_DOCUMENTS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_IN_TURN, values)
        rows = cursor.fetchall()
    if not rows or not rows[0][2]:
        return [rows[0][0]] if rows else []
    chosen: list[uuid.UUID] = []
    size_bytes = 0
    for document_id, document_bytes, is_light in rows:
        if is_light and size_bytes + document_bytes <= LOT_BYTES and len(chosen) < LOT_DOCUMENTS:
            chosen.append(document_id)
            size_bytes += document_bytes
    return chosen


def _take(ids: Sequence[uuid.UUID]) -> list[Claim]:
    token, now = uuid.uuid4(), timezone.now()
    values: dict[str, Any] = {
        "token": token,
        "until": lease_end(),
        "ids": list(ids),
        "now": now,
        "unfinished": list(UNFINISHED_STATUSES),
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_TAKE, values)
        people = dict(cursor.fetchall())
        if people:
            cursor.execute(_SERVED, [now, list(set(people.values()))])
    return [Claim(each, token, people[each]) for each in ids if each in people]


def keep_alive(lot: Sequence[Claim]) -> set[uuid.UUID]:
    """Renew the leases; the ids of the documents whose claim no longer stands."""
    rows = held(lot)
    rows.update(claim_expires_at=lease_end())
    return {claim.document_id for claim in lot} - set(rows.values_list("pk", flat=True))


def held(lot: Sequence[Claim]) -> DocumentQuerySet:
    """Those of the documents whose claims stand."""
    ids, tokens = [claim.document_id for claim in lot], {claim.token for claim in lot}
    return Document.objects.filter(pk__in=ids, claim__in=tokens)


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


@contextmanager
def claimed_together(lot: Sequence[Claim]) -> Iterator[set[uuid.UUID]]:
    """The same for several at once: the ids of those whose claims stand."""
    with transaction.atomic():
        rows = held(lot).order_by("pk").select_for_update(no_key=True)
        yield set(rows.values_list("pk", flat=True))


def _held(claim: Claim) -> DocumentQuerySet:
    return Document.objects.filter(pk=claim.document_id, claim=claim.token)


def lease_end() -> datetime:
    """Until when a claim holds that is made or renewed now."""
    return timezone.now() + timedelta(seconds=LEASE_SECONDS)


@contextmanager
def heartbeat(lot: Sequence[Claim]) -> Iterator[Pulse]:
    """Keeps the claims alive from a thread of its own while the block runs, and notes which were lost.

    A thread, because a batch of embeddings or a hard page may take longer than the lease.
    """
    pulse = Pulse()
    is_over = threading.Event()

    def beat() -> None:
        while not is_over.wait(HEARTBEAT_SECONDS):
            try:
                close_old_connections()
                pulse.lost |= keep_alive(lot)
            except DatabaseError:
                # The database restarts: the leases may outlast it, and if not, another run goes on.
                continue
        connection.close()

    thread = threading.Thread(target=beat, name="claim-heartbeat", daemon=True)
    thread.start()
    try:
        yield pulse
    finally:
        is_over.set()
        thread.join()
