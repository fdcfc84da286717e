"""From a document's blob to its pages and chunks, in one transaction: the next run goes by the chunks. The small texts
of a lot share theirs.
"""

import tempfile
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import connection

from accounts.ids import uuid7
from documents import blobs
from documents.errors import PicturesUnreadable, TextMissing, error_for
from documents.extraction.formats import MediaType, Unreadable
from documents.extraction.pages import ExtractedPage
from documents.extraction.parent import WALL_SECONDS, read_pages
from documents.extraction.plain import read_plain
from documents.ingest.chunking import cut_into_chunks, find_title
from documents.ingest.claims import claimed, claimed_together, lease_end
from documents.ingest.contents import Contents, store_chunks, store_pages, title_from_name
from documents.ingest.languages import detect_language
from documents.ingest.progress import EXTRACTION_SHARE
from documents.ingest.recognition import listen_to, look_at
from documents.ingest.run import Run
from documents.intake.checks import check_file
from documents.intake.fetching import fetch
from documents.models import DocumentStatus

# For one of a lot: what needs more is read alone, so that the others need not wait for it.
LOT_CPU_SECONDS, LOT_WALL_SECONDS = 3, 15.0

# Of a lot, what is at most 16 KB of these is only decoded and split: no parser, nothing to attack, and no fork, which
# would be an eighth of all that a small file costs.
_PLAIN = {MediaType.TEXT, MediaType.MARKDOWN}
_NOTE = """
UPDATE documents_document d
SET status = %s, progress = %s, title = t.title, language = t.language, page_count = t.pages, pages_done = t.pages,
    chunk_count = t.chunks
FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::int[], %s::int[]) AS t (id, title, language, pages, chunks)
WHERE d.id = t.id
"""


def obtain(run: Run) -> None:
    """The document's bytes are in storage and known by their digest, once for all documents that have them."""
    document = run.document
    if not document.blob_name:
        _fetch(run)
    if document.sha256:
        return
    with blobs.local_copy(document.blob_name) as path:
        _name_bytes(run, path, document.blob_name, document.media_type)


def _fetch(run: Run) -> None:
    """What the document's source names, stored; its type is told from its bytes as an upload's is."""
    document = run.document
    run.progress.enter(DocumentStatus.EXTRACTING)
    with tempfile.NamedTemporaryFile(prefix="parlour-fetched-") as local:
        document.size_bytes = fetch(document.source, local.file)
        local.flush()
        run.check()
        media_type = check_file(File(local), document.name)
        blob_name = default_storage.save(f"{blobs.FOLDER}/{uuid7().hex}", File(local))
        try:
            _name_bytes(run, Path(local.name), blob_name, media_type)
        finally:
            if document.blob_name != blob_name:
                default_storage.delete(blob_name)


def _name_bytes(run: Run, path: Path, blob_name: str, media_type: str) -> None:
    document = run.document
    digest = blobs.digest_file(path)
    with claimed(run.claim) as row:
        same = blobs.find_same_bytes(sha256=digest, size_bytes=document.size_bytes, but=document.pk)
        changes = {
            "sha256": digest,
            "blob_name": same or blob_name,
            "media_type": media_type,
            "size_bytes": document.size_bytes,
        }
        row.update(**changes)
    for name, value in changes.items():
        setattr(document, name, value)


def extract(run: Run) -> None:
    """Read and cut; there must be nothing from before. A small text waits for `store_together`, all else is stored."""
    document = run.document
    if run.is_alone:
        run.progress.enter(DocumentStatus.EXTRACTING)
    with blobs.local_copy(document.blob_name) as path:
        pages = list(_read(run, path))
    spans = list(cut_into_chunks(pages))
    if not spans:
        raise TextMissing
    title = find_title(pages) or title_from_name(document.name)
    language = detect_language("\n".join(page.text for page in pages))
    run.contents = Contents(document.pk, pages, spans, title, language)
    if not _is_read_here(run):
        store(run)


def store(run: Run) -> None:
    """Write what was read of one document, and what its row says of it, in one transaction."""
    contents = run.contents
    if contents is None:
        return
    with claimed(run.claim) as row:
        store_pages([contents])
        run.fresh = store_chunks([contents])[contents.document_id]
        run.progress.write(
            row,
            DocumentStatus.EMBEDDING,
            title=contents.title,
            language=contents.language,
            page_count=len(contents.pages),
            pages_done=len(contents.pages),
            chunk_count=len(contents.spans),
            # The heartbeat has waited for this row: a book of 60,000 chunks is stored longer than a lease lasts.
            claim_expires_at=lease_end(),
        )
    run.contents = None


def store_together(runs: Sequence[Run]) -> None:
    """The same for several small ones at once: a transaction of four statements costs as much for one as for thirty."""
    with claimed_together([run.claim for run in runs]) as held:
        standing = {
            run.document.pk: run.contents
            for run in runs
            if run.contents is not None and run.document.pk in held
        }
        fresh: dict[uuid.UUID, list[tuple[int, str]]] = {}
        if documents := list(standing.values()):
            store_pages(documents)
            fresh = store_chunks(documents)
            _note_together(documents)
    for run in runs:
        contents = standing.get(run.document.pk)
        if contents is None:
            run.outcome = "gone or taken over"
            continue
        run.document.page_count = run.document.pages_done = len(contents.pages)
        run.fresh, run.contents = fresh[run.document.pk], None


def _note_together(documents: Sequence[Contents]) -> None:
    """Write on the documents' rows what was read of them; what is left is their vectors."""
    rows = (
        (each.document_id, each.title, each.language, len(each.pages), len(each.spans)) for each in documents
    )
    columns = [list(column) for column in zip(*rows, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [DocumentStatus.EMBEDDING, EXTRACTION_SHARE, *columns])


def _read(run: Run, path: Path) -> Iterator[ExtractedPage]:
    document = run.document
    if MediaType(document.media_type).is_recording:
        yield from listen_to(path, document.name, document.media_type)
        return
    if _is_read_here(run):
        yield from _read_here(path, MediaType(document.media_type))
        return
    try:
        for page in read_pages(
            path,
            document.media_type,
            on_progress=run.progress.read,
            cpu_seconds=None if run.is_alone else LOT_CPU_SECONDS,
            wall_seconds=WALL_SECONDS if run.is_alone else LOT_WALL_SECONDS,
        ):
            run.check()
            yield page
    except PicturesUnreadable:
        if not MediaType(document.media_type).is_picture:
            raise
        yield from look_at(path, document.media_type)


def _is_read_here(run: Run) -> bool:
    return not run.is_alone and run.document.media_type in _PLAIN


def _read_here(path: Path, media_type: MediaType) -> Iterator[ExtractedPage]:
    try:
        yield from read_plain(path, media_type)[1]
    except Unreadable as error:
        raise error_for(error.code) from error
