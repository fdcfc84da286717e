"""What people see of a document while it is read and embedded: status, pages done, share done, seconds left.

Written to the row for whoever asks, and sent as an event to the open pages of whoever uploaded it and of whoever
owns its collection. Sending is best effort: a page that misses an event reads the row.
"""

import logging
import time
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from redis.exceptions import RedisError

from accounts.events import publish_all
from documents.errors import failure_message
from documents.ingest.claims import Claim, claimed
from documents.models import Document, DocumentQuerySet, DocumentStatus

logger = logging.getLogger(__name__)

# Reading is 0.1 s a page and embedding a page 0.3 s or more, of a laptop's two cores.
EXTRACTION_SHARE = 0.15
# Often enough for a bar that moves, seldom enough for thousands of pages.
EVENT_SECONDS = 0.5
# A rate measured for less than this promises anything.
RATE_SECONDS = 2.0


def announce(document: Document) -> None:
    """Send the document's state, as its row has it, to the pages that show it."""
    announce_all([document])


def announce_all(documents: Sequence[Document]) -> None:
    """The same for several: what a connection costs, it costs once."""
    events = [
        (person, event)
        for document in documents
        for event in [_event(document)]
        for person in {document.collection.owner_id, document.uploaded_by_id}
        if person is not None
    ]
    try:
        publish_all(events)
    except (RedisError, OSError):
        logger.warning("document events not sent", extra={"documents": len(documents)})


def _event(document: Document) -> dict[str, object]:
    return {
        "type": "document",
        "document": str(document.pk),
        "name": document.name,
        "status": document.status,
        "progress": round(document.progress, 3),
        "eta_seconds": document.eta_seconds,
        "pages_done": document.pages_done,
        "pages": document.page_count,
        "error": failure_message(document.error_code),
    }


def ready_values() -> dict[str, object]:
    """What a row has that is ready, besides its status."""
    return {
        "eta_seconds": None,
        "ready_at": timezone.now(),
        "error_code": "",
        "claim": None,
        "claim_expires_at": None,
    }


class Progress:
    """The progress of one run of an ingest: one step after the other, told at a bearable rate.

    Of a lot, which is done in a second, only the end is told, and by whoever runs it.
    """

    def __init__(self, claim: Claim, document: Document, *, is_told: bool = True) -> None:
        self._is_told = is_told
        self._claim = claim
        self._document = document
        self._told_at = 0.0
        self._since = 0.0
        self._done_before = 0

    def enter(self, status: DocumentStatus, **values: object) -> None:
        """The document is now at `status`; `values` go to the row with it."""
        with claimed(self._claim) as row:
            self.write(row, status, **values)

    def write(self, row: DocumentQuerySet, status: DocumentStatus, **values: object) -> None:
        """The same in a transaction that stands already; told when it commits."""
        share = {DocumentStatus.EXTRACTING: 0.0, DocumentStatus.EMBEDDING: EXTRACTION_SHARE}.get(status, 1.0)
        values |= {"status": status, "progress": share, "eta_seconds": None}
        row.update(**values)
        for name, value in values.items():
            setattr(self._document, name, value)
        self._since = 0.0
        transaction.on_commit(self._tell)

    def finish(self, row: DocumentQuerySet) -> None:
        """The document is ready, and nobody's any more."""
        self.write(row, DocumentStatus.READY, **ready_values())

    def finished(self) -> None:
        """The same, where the row was written with others."""
        for name, value in {"status": DocumentStatus.READY, "progress": 1.0, **ready_values()}.items():
            setattr(self._document, name, value)

    def read(self, done: int, total: int) -> None:
        """So many pages of so many are read."""
        share = EXTRACTION_SHARE * done / max(total, 1)
        self._move(share, self._seconds_left(done, total), pages_done=done, page_count=total)

    def embedded(self, done: int, total: int) -> None:
        """That many chunks have their vectors; the first call is the start of the clock."""
        share = EXTRACTION_SHARE + (1 - EXTRACTION_SHARE) * done / max(total, 1)
        self._move(share, self._seconds_left(done, total))

    def _seconds_left(self, done: int, total: int) -> int | None:
        now = time.monotonic()
        if not self._since:
            self._since, self._done_before = now, done
        elapsed = now - self._since
        rate = (done - self._done_before) / elapsed if elapsed > RATE_SECONDS else 0
        return round((total - done) / rate) if rate else None

    def _move(self, progress: float, eta_seconds: int | None, **counts: int) -> None:
        if not self._is_told or time.monotonic() - self._told_at < EVENT_SECONDS:
            return
        values: dict[str, object] = {"progress": progress, "eta_seconds": eta_seconds, **counts}
        with claimed(self._claim) as row:
            row.update(**values)
        for name, value in values.items():
            setattr(self._document, name, value)
        self._tell()

    def _tell(self) -> None:
        self._told_at = time.monotonic()
        if self._is_told:
            announce(self._document)
