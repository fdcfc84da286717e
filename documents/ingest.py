"""The way of a document from its blob to `ready`: claim, read, cut, embed, store.

    claimed ── read_pages ── cut_into_chunks ── (one transaction: pages and chunks)
            ── embed_passages ── (one transaction a batch: vectors) … ── `ready`

Safe to run twice and to be killed anywhere: pages and chunks stand whole or not at all, a batch of vectors
likewise, and the next run embeds only what has no vector yet. Nothing here raises: a run ends with the document
`ready`, `failed` with a reason, or given back to be taken up again.
"""

import logging
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from django.core.files.storage import default_storage
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from documents import claims, lexical
from documents.chunking import Span, cut_into_chunks, find_title
from documents.claims import Claim, ClaimLost, claimed
from documents.errors import DocumentError, EmbeddingsUnusable, FileDamaged, ReadingInterrupted, TextMissing
from documents.extraction.pages import ExtractedPage
from documents.extraction.parent import read_pages
from documents.languages import detect_language
from documents.models import Chunk, Document, DocumentStatus, Embedding, Page, VectorSpace
from documents.progress import Progress
from documents.vectors import current_space, store_vectors
from inference.embeddings import embed_passages
from inference.errors import ContextTooLong, InferenceError, RequestRejected

logger = logging.getLogger(__name__)

# Its worker died every time: the file, not the worker, is the likely cause.
ATTEMPTS_MAX = 5
# Somebody restarts the embedding server, or the database; long enough not to be in the way.
RETRY_SECONDS = 15
# The step of the progress bar and of what a killed worker loses: a second on a laptop.
BATCH_CHUNKS = 32
HEADING_CHARACTERS_MAX = 300


def ingest_next() -> uuid.UUID | None:
    """Ingest the document whose turn it is; its id, or None if none waits."""
    claim = claims.claim_next()
    if claim is None:
        return None
    started = time.monotonic()
    with claims.heartbeat(claim) as is_lost:
        outcome = _run(claim, is_lost)
    logger.info(
        "document %s",
        outcome,
        extra={"document": str(claim.document_id), "seconds": round(time.monotonic() - started, 2)},
    )
    return claim.document_id


def _run(claim: Claim, is_lost: Event) -> str:
    try:
        document = Document.objects.select_related("collection").get(pk=claim.document_id)
        progress = Progress(claim, document, document.collection.owner_id)
        try:
            _ingest(claim, document, progress, is_lost)
        except DocumentError as error:
            _fail(claim, progress, error.code)
            return f"failed: {error.code}"
    except (ClaimLost, Document.DoesNotExist):
        return "gone or taken over"
    except (InferenceError, OperationalError, InterfaceError) as error:
        logger.warning("document waits: %s", type(error).__name__, extra={"document": str(claim.document_id)})
        # Not the document's fault: it waits, however often, and the attempt does not count.
        claims.release(
            claim, wait_seconds=RETRY_SECONDS, status=DocumentStatus.QUEUED, eta_seconds=None, attempts=0
        )
        return "given back"
    except Exception:
        # A bug of ours, or storage that is away: the attempt counts, and the reason is in the log.
        logger.exception("ingest broke off", extra={"document": str(claim.document_id)})
        claims.release(claim, wait_seconds=RETRY_SECONDS)
        return "given back"
    return "ready"


def _fail(claim: Claim, progress: Progress, code: str) -> None:
    with claimed(claim) as row:
        _remove_contents(claim.document_id)
        row.update(chunk_count=0, page_count=0)
    progress.enter(DocumentStatus.FAILED, error_code=code)
    claims.release(claim)


def _ingest(claim: Claim, document: Document, progress: Progress, is_lost: Event) -> None:
    if document.attempts > ATTEMPTS_MAX:
        raise ReadingInterrupted
    if not document.chunks.exists():
        _extract(claim, document, progress, is_lost)
    progress.enter(DocumentStatus.EMBEDDING)
    try:
        _embed(claim, document, current_space(), progress, is_lost)
    except (RequestRejected, ContextTooLong) as error:
        # The server is well and refuses this text: asking again would give the same.
        raise EmbeddingsUnusable from error
    progress.enter(DocumentStatus.READY, ready_at=timezone.now(), error_code="")
    claims.release(claim)
    lexical.update_statistics()


def _extract(claim: Claim, document: Document, progress: Progress, is_lost: Event) -> None:
    """Pages, chunks and what the row says of them, in one transaction: the next run goes by the chunks."""
    progress.enter(DocumentStatus.EXTRACTING)
    pages: list[ExtractedPage] = []
    with _local_copy(document.blob_name) as path:
        for page in read_pages(path, document.media_type, on_progress=progress.read):
            if is_lost.is_set():
                raise ClaimLost
            pages.append(page)
    spans = list(cut_into_chunks(pages))
    if not spans:
        raise TextMissing
    title = find_title(pages) or _title_from_name(document.name)
    language = detect_language("\n".join(page.text for page in pages))
    with claimed(claim) as row:
        _remove_contents(document.pk)
        _store_pages(document.pk, pages)
        _store_chunks(document.pk, pages, spans, title, language)
        row.update(title=title, language=language, page_count=len(pages), chunk_count=len(spans))
    document.title = title


@contextmanager
def _local_copy(blob_name: str) -> Iterator[Path]:
    """The blob as a file that the reading child can open, gone at the end."""
    with tempfile.NamedTemporaryFile(prefix="parlour-document-") as local:
        try:
            with default_storage.open(blob_name, "rb") as blob:
                shutil.copyfileobj(blob, local, 1024 * 1024)
        except FileNotFoundError as error:
            raise FileDamaged from error
        local.flush()
        yield Path(local.name)


def _title_from_name(name: str) -> str:
    return Path(name).stem.replace("_", " ").replace("-", " ").strip()


def _remove_contents(document_id: uuid.UUID) -> None:
    Embedding.objects.filter(document_id=document_id).delete()
    Chunk.objects.filter(document_id=document_id).delete()
    Page.objects.filter(document_id=document_id).delete()


def _store_pages(document_id: uuid.UUID, pages: list[ExtractedPage]) -> None:
    statement = "COPY documents_page (document_id, number, label, text) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for number, page in enumerate(pages, start=1):
            copy.write_row((document_id, number, page.label, page.text))


def _store_chunks(
    document_id: uuid.UUID, pages: list[ExtractedPage], spans: list[Span], title: str, language: str
) -> None:
    """One statement for all: COPY cannot compute `search`, and a row each would cost a round trip each."""
    rows = [
        (
            ordinal,
            span.page,
            span.start,
            span.end,
            span.heading[:HEADING_CHARACTERS_MAX],
            span.is_reference,
            contextual_text(title, span.heading, pages[span.page - 1].text[span.start : span.end]),
        )
        for ordinal, span in enumerate(spans)
    ]
    columns = [list(column) for column in zip(*rows, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO documents_chunk"
            ' (document_id, ordinal, page, start, "end", heading, is_reference, language, search)'
            " SELECT %s, ordinal, page, start, stop, heading, is_reference, %s, to_tsvector(%s::regconfig, body)"
            " FROM unnest(%s::int[], %s::int[], %s::int[], %s::int[], %s::text[], %s::bool[], %s::text[])"
            " AS span (ordinal, page, start, stop, heading, is_reference, body)",
            [document_id, language, language, *columns],
        )


def contextual_text(title: str, heading: str, text: str) -> str:
    """What is embedded and indexed for a chunk: it starts with where it stands.

    On the ARAGOG papers the title lifts the right document first from .89 to .96. Headings change nothing there,
    but a manual's "Installation" or a policy's "Travel" is often only said in one.
    """
    context = " › ".join(part for part in (title, heading) if part)
    return f"{context}\n{text}" if context else text


def _embed(claim: Claim, document: Document, space: VectorSpace, progress: Progress, is_lost: Event) -> None:
    """Vectors for the chunks that have none in this space, a batch a transaction.

    Lists of references get none: they are a sixth of the ARAGOG papers' tokens and were never the answer; names
    in them are found by full text.
    """
    wanted = document.chunks.filter(is_reference=False)
    waiting = list(
        wanted.exclude(embeddings__space=space).values_list("id", "page", "start", "end", "heading")
    )
    texts = dict(document.pages.values_list("number", "text"))
    total = wanted.count()
    progress.embedded(total - len(waiting), total)
    for first in range(0, len(waiting), BATCH_CHUNKS):
        batch = waiting[first : first + BATCH_CHUNKS]
        vectors = embed_passages(
            [
                contextual_text(document.title, heading, texts[page][start:end])
                for _, page, start, end, heading in batch
            ]
        )
        if is_lost.is_set():
            raise ClaimLost
        with claimed(claim):
            store_vectors(space, document.pk, [row[0] for row in batch], vectors)
        progress.embedded(total - len(waiting) + first + len(batch), total)
