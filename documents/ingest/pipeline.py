"""The way of documents from their blobs to `ready`: claim a lot, read each, embed all together, store.

    claimed ── obtain (fetch what comes from elsewhere; a digest) ── copy a twin's contents, or
            ── read_pages ── cut_into_chunks ── (one transaction: pages and chunks; one for all small texts of a lot)
            ── embed_passages ── (one transaction a batch and document: vectors) … ── `ready`

Safe to run twice and to be killed anywhere: pages and chunks stand whole or not at all, a batch of vectors
likewise, and the next run embeds only what has no vector yet. Nothing here raises: each document of a lot ends
`ready`, `failed` with a reason, or given back to be taken up again, whatever becomes of the others.
"""

import logging
import time
import uuid
from collections.abc import Callable, Sequence

from django.db import DatabaseError, InterfaceError, OperationalError

from documents.errors import DocumentError, ReadingInterrupted, ReadingTooCostly
from documents.ingest import claims, embedding, reading, twins
from documents.ingest.claims import Claim, ClaimLost, Pulse, claimed
from documents.ingest.contents import remove_contents
from documents.ingest.progress import Progress, announce_all
from documents.ingest.run import Run
from documents.models import Document, DocumentStatus
from documents.retrieval import lexical
from inference.errors import InferenceError

logger = logging.getLogger(__name__)

# Its worker died every time: the file, not the worker, is the likely cause.
ATTEMPTS_MAX = 5
# Somebody restarts the embedding server, or the database; long enough not to be in the way.
RETRY_SECONDS = 15
# The same bytes are read for another document just now: they are copied as soon as that is done.
TWIN_SECONDS = 1


def ingest_next() -> uuid.UUID | None:
    """Ingest the documents whose turn it is; the first one's id, or None if none waits."""
    lot = claims.claim_lot()
    if not lot:
        return None
    started = time.monotonic()
    with claims.heartbeat(lot) as pulse:
        runs = run_lot(lot, pulse)
    seconds = round(time.monotonic() - started, 2)
    for run in runs:
        values = {"document": str(run.claim.document_id), "seconds": seconds, "lot": len(lot)}
        logger.info("document %s", run.outcome, extra=values)
    return lot[0].document_id


def run_lot(lot: Sequence[Claim], pulse: Pulse) -> list[Run]:
    """Take each document as far as it goes; the runs, each with its outcome."""
    rows = Document.objects.select_related("collection").in_bulk([claim.document_id for claim in lot])
    shared = twins.shared_digests(list(rows.values()))
    runs = [
        Run(
            claim,
            document,
            Progress(claim, document, is_told=len(lot) == 1),
            pulse,
            is_alone=len(lot) == 1,
            # What has no digest yet gets one on the way.
            may_have_twin=not document.sha256 or document.sha256 in shared,
        )
        for claim in lot
        if (document := rows.get(claim.document_id))
    ]
    if len(lot) > 1:
        claims.held(lot).update(status=DocumentStatus.EXTRACTING)
    for run in runs:
        attempt(run, _read)
    _store_read([run for run in runs if run.contents and not run.outcome])
    embedding.embed_together([run for run in runs if not run.outcome], attempt=attempt)
    for run in runs:
        if not run.outcome:
            _give_back(run, "left over", wait_seconds=RETRY_SECONDS)
    if any(run.outcome == "ready" for run in runs):
        lexical.update_statistics()
    if len(lot) > 1:
        announce_all([run.document for run in runs])
    return runs


def attempt(run: Run, step: Callable[[Run], None]) -> None:
    """Take one step for one document; an error ends its run and no other."""
    if run.outcome:
        return
    try:
        try:
            run.check()
            step(run)
        except DocumentError as error:
            _fail(run, error.code)
    except ClaimLost:
        run.outcome = "gone or taken over"
    except (InferenceError, OperationalError, InterfaceError) as error:
        # Not the document's fault: it waits, however often, and the attempt does not count.
        _give_back(run, type(error).__name__, wait_seconds=RETRY_SECONDS, attempts=0)
    except Exception:
        # A bug of ours, or storage that is away: the attempt counts, and the reason is in the log.
        logger.exception("ingest broke off", extra={"document": str(run.claim.document_id)})
        _give_back(run, "broke off", wait_seconds=RETRY_SECONDS)


def _read(run: Run) -> None:
    """Pages and chunks are there: from an earlier run, from a twin, or read now."""
    if run.document.attempts > ATTEMPTS_MAX:
        raise ReadingInterrupted
    reading.obtain(run)
    if run.document.chunk_count:
        run.progress.enter(DocumentStatus.EMBEDDING)
        return
    twin, is_on_its_way = twins.find_twins(run.document) if run.may_have_twin else (None, False)
    if is_on_its_way:
        _give_back(run, "waits for its twin", wait_seconds=TWIN_SECONDS, attempts=0)
        return
    if twin is not None and twins.copy_contents(run.claim, run.document, twin):
        return
    try:
        reading.extract(run)
    except ReadingTooCostly:
        if run.is_alone:
            raise
        # Claimed once already, it is claimed alone the next time.
        _give_back(run, "too slow for a lot", wait_seconds=0)


def _store_read(runs: Sequence[Run]) -> None:
    """Store what was read and waits for it, together; each for itself if that fails, to tell at which it does."""
    if not runs:
        return
    try:
        reading.store_together(runs)
    except DatabaseError:
        for run in runs:
            attempt(run, reading.store)


def _fail(run: Run, code: str) -> None:
    with claimed(run.claim) as row:
        remove_contents(run.claim.document_id)
        row.update(chunk_count=0, page_count=0, pages_done=0)
    run.progress.enter(DocumentStatus.FAILED, error_code=code)
    claims.release(run.claim)
    run.outcome = f"failed: {code}"


def _give_back(run: Run, why: str, *, wait_seconds: float, **values: object) -> None:
    run.outcome = f"given back: {why}"
    try:
        claims.release(
            run.claim, wait_seconds=wait_seconds, status=DocumentStatus.QUEUED, eta_seconds=None, **values
        )
    except (OperationalError, InterfaceError):
        # The database is away, and the lease ends by itself.
        logger.warning("document not given back", extra={"document": str(run.claim.document_id)})
