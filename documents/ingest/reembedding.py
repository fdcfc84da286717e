"""Another embedding model was chosen: every document gets its vectors in the new space, then search moves there.

    chosen space (no index yet) ── documents in order, a batch at a time ── nothing missing ── index ── searched
                                                                   └── a last look ── the earlier space is removed

Until the new space is searched the earlier one is, by its own model, and new documents go there too; they are seen
to when their turn comes. It works in slices, so that documents people wait for are read in between; killed anywhere,
the next slice goes on. If no server has the earlier model any more, search moves at once and finds by words what has
no vector yet (`documents.vectors.current_space`).
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, QuerySet

from documents.ingest.contents import contextual_text
from documents.models import Chunk, Document, DocumentStatus, Embedding, VectorSpace
from documents.vectors import activate, active_space, build_index, chosen_space, store_vectors
from inference.embeddings import embed_passages
from inference.errors import InferenceError

logger = logging.getLogger(__name__)

# Beat calls again every ten seconds; in between the worker reads what somebody has just uploaded.
SLICE_SECONDS = 8.0
BATCH_CHUNKS = 32
# What removing an old space locks at once.
REMOVED_VECTORS = 20_000
# Any number that no other advisory lock of ours has.
_LOCK = 7_302_551


def continue_reembedding(*, seconds: float = SLICE_SECONDS) -> None:
    """Work on it for a while, if there is anything to do and nobody else is at it. Never raises for a server away."""
    active = active_space()
    is_settled = active is None or (active.name == settings.EMBEDDING_MODEL and active.is_complete)
    if is_settled and VectorSpace.objects.count() <= 1:
        return
    with _alone() as is_alone:
        if not is_alone:
            return
        try:
            _work(chosen_space(), time.monotonic() + seconds)
        except InferenceError as error:
            logger.warning("embedding anew waits: %s", type(error).__name__)


@contextmanager
def _alone() -> Iterator[bool]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        (is_alone,) = cursor.fetchone()
        try:
            yield is_alone
        finally:
            if is_alone:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def _work(space: VectorSpace, deadline: float) -> None:
    if not space.chunks_total or space.done_up_to is None:
        space.chunks_total = _wanted().filter(document__status=DocumentStatus.READY).count()
        space.chunks_done = Embedding.objects.filter(space=space).count()
        space.save(update_fields=["chunks_total", "chunks_done"])
    ready = Document.objects.filter(status=DocumentStatus.READY).order_by("pk")
    following = ready if space.done_up_to is None else ready.filter(pk__gt=space.done_up_to)
    for document in following.iterator(chunk_size=100):
        if not _embed(document, space, deadline):
            return
        space.done_up_to = document.pk
        space.save(update_fields=["done_up_to"])
    # What became ready behind our back: an early upload that was late to be read.
    for document in _lacking(ready, space):
        if not _embed(document, space, deadline):
            return
    if space.is_active:
        VectorSpace.objects.filter(pk=space.pk).update(is_complete=True)
        # Also what a choice that was taken back has left.
        _remove_others(space)
        logger.info("search is wholly in the new vector space", extra={"space": space.pk})
    else:
        build_index(space, is_concurrent=True)
        activate(space, is_complete=False)


def _wanted() -> QuerySet[Chunk]:
    return Chunk.objects.filter(is_reference=False)


def _lacking(documents: QuerySet[Document], space: VectorSpace) -> QuerySet[Document]:
    has_vector = Embedding.objects.filter(chunk=OuterRef("pk"), space=space)
    without = _wanted().filter(document=OuterRef("pk")).filter(~Exists(has_vector))
    return documents.filter(Exists(without))


def _embed(document: Document, space: VectorSpace, deadline: float) -> bool:
    """Give the document's chunks their vectors in the space; False if time ran out before the last."""
    rows = list(
        _wanted()
        .filter(document=document)
        .exclude(embeddings__space=space)
        .values_list("id", "page", "start", "end", "heading")
    )
    texts = dict(document.pages.values_list("number", "text")) if rows else {}
    for first in range(0, len(rows), BATCH_CHUNKS):
        if time.monotonic() > deadline:
            return False
        batch = rows[first : first + BATCH_CHUNKS]
        passages = [
            contextual_text(document.title, heading, texts[page][start:end])
            for _, page, start, end, heading in batch
        ]
        vectors = embed_passages(passages, model=space.name)
        with transaction.atomic():
            # A document deleted meanwhile stays so; one that stands cannot be deleted until its vectors are in.
            if not Document.objects.select_for_update(no_key=True).filter(pk=document.pk).exists():
                return True
            store_vectors(space, document.pk, [row[0] for row in batch], vectors)
            VectorSpace.objects.filter(pk=space.pk).update(chunks_done=F("chunks_done") + len(batch))
    return time.monotonic() <= deadline


def _remove_others(space: VectorSpace) -> None:
    for other in VectorSpace.objects.exclude(pk=space.pk):
        with connection.cursor() as cursor:
            cursor.execute(f"DROP INDEX IF EXISTS documents_embedding_space_{other.pk}")
            removed = 1
            while removed:
                cursor.execute(
                    "DELETE FROM documents_embedding WHERE id IN"
                    " (SELECT id FROM documents_embedding WHERE space_id = %s LIMIT %s)",
                    [other.pk, REMOVED_VECTORS],
                )
                removed = cursor.rowcount
        other.delete()
