"""What a document's owner sees while it is read and embedded: status, share done, seconds left.

Written to the row for whoever asks, and sent as an event to the owner's open pages. Sending is best effort: a
page that misses an event reads the row.
"""

import logging
import time
import uuid

from redis.exceptions import RedisError

from accounts.events import publish_to_user
from documents.claims import Claim, claimed
from documents.errors import failure_message
from documents.models import Document, DocumentStatus

logger = logging.getLogger(__name__)

# Reading is 0.1 s a page and embedding a page 0.3 s or more, of a laptop's two cores.
EXTRACTION_SHARE = 0.15
# Often enough for a bar that moves, seldom enough for thousands of pages.
EVENT_SECONDS = 0.5


def announce(document: Document, owner_id: uuid.UUID) -> None:
    """Send the document's state, as its row has it, to the owner's open pages."""
    event = {
        "type": "document",
        "document": str(document.pk),
        "name": document.name,
        "status": document.status,
        "progress": round(document.progress, 3),
        "eta_seconds": document.eta_seconds,
        "error": failure_message(document.error_code),
    }
    try:
        publish_to_user(owner_id, event)
    except (RedisError, OSError):
        logger.warning("document event not sent", extra={"document": str(document.pk)})


class Progress:
    """The progress of one run of an ingest: one step after the other, told at a bearable rate."""

    def __init__(self, claim: Claim, document: Document, owner_id: uuid.UUID) -> None:
        self._claim = claim
        self._document = document
        self._owner_id = owner_id
        self._told_at = 0.0
        self._embedding_since = 0.0
        self._embedded_before = 0

    def enter(self, status: DocumentStatus, **values: object) -> None:
        """The document is now at `status`; always told. `values` go to the row with it."""
        share = {DocumentStatus.EXTRACTING: 0.0, DocumentStatus.EMBEDDING: EXTRACTION_SHARE}.get(status, 1.0)
        values |= {"status": status, "progress": share, "eta_seconds": None}
        with claimed(self._claim) as row:
            row.update(**values)
        for name, value in values.items():
            setattr(self._document, name, value)
        self._tell()

    def read(self, share: float) -> None:
        """That share of the pages is read."""
        self._move(EXTRACTION_SHARE * share, None)

    def embedded(self, done: int, total: int) -> None:
        """That many chunks have their vectors; the first call is the start of the clock."""
        now = time.monotonic()
        if not self._embedding_since:
            self._embedding_since, self._embedded_before = now, done
        rate = (done - self._embedded_before) / max(now - self._embedding_since, 0.001)
        eta_seconds = round((total - done) / rate) if rate else None
        self._move(EXTRACTION_SHARE + (1 - EXTRACTION_SHARE) * done / max(total, 1), eta_seconds)

    def _move(self, progress: float, eta_seconds: int | None) -> None:
        if time.monotonic() - self._told_at < EVENT_SECONDS:
            return
        with claimed(self._claim) as row:
            row.update(progress=progress, eta_seconds=eta_seconds)
        self._document.progress, self._document.eta_seconds = progress, eta_seconds
        self._tell()

    def _tell(self) -> None:
        self._told_at = time.monotonic()
        announce(self._document, self._owner_id)
