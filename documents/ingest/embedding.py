"""Vectors for the chunks of a lot of documents, a batch at a time, whoever they belong to.

Chunks of many small documents share a request to the embedding server; what is stored is a document's own, in a
transaction of its own. A large document gives way at the end of its slice if somebody else waits.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from documents.errors import EmbeddingsUnusable
from documents.ingest import claims
from documents.ingest.claims import claimed, claimed_together
from documents.ingest.contents import contextual_text
from documents.ingest.progress import ready_values
from documents.ingest.run import Run
from documents.models import Document, DocumentStatus, VectorSpace
from documents.vectors import copy_vectors, current_space, store_vectors
from inference.embeddings import Vectors, embed_passages
from inference.errors import ContextTooLong, InferenceError, RequestRejected

# The step of the progress bar and of what a killed worker loses: a second on a laptop.
BATCH_CHUNKS = 32
# How long one document is embedded while other people wait. Reading is never cut short: it would begin anew.
SLICE_SECONDS = 10.0

Attempt = Callable[[Run, Callable[[Run], None]], None]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A chunk that waits for its vector."""

    work: "_Work"
    chunk_id: int
    text: str


@dataclass(slots=True)
class _Work:
    """What is left to embed of one document."""

    run: Run
    space: VectorSpace
    total: int = 0
    pieces: list[_Piece] = field(default_factory=list)
    done: int = 0


def embed_together(runs: Sequence[Run], *, attempt: Attempt) -> None:
    """Give every chunk its vector and bring the documents to `ready`; `attempt` guards each one's steps."""
    works: list[_Work] = []
    spaces: list[VectorSpace] = []

    def prepare(run: Run) -> None:
        if not spaces:
            spaces.append(current_space())
        works.append(_prepare(run, spaces[0]))

    for run in runs:
        attempt(run, prepare)
    pieces = [piece for work in works for piece in work.pieces]
    started = time.monotonic()
    for batch in _batches(pieces):
        if len(works) == 1 and time.monotonic() - started > SLICE_SECONDS:
            attempt(works[0].run, _give_way)
        live = [piece for piece in batch if not piece.work.run.outcome]
        if live:
            _embed_batch(live, attempt=attempt)


def _prepare(run: Run, space: VectorSpace) -> _Work:
    """The chunks without a vector; a document with none of them is ready.

    Lists of references get none: they are a sixth of the ARAGOG papers' tokens and were never the answer; names
    in them are found by full text.
    """
    if run.fresh:
        work = _Work(run, space, total=len(run.fresh))
        work.pieces = [_Piece(work, chunk_id, text) for chunk_id, text in run.fresh]
        run.progress.embedded(0, work.total)
        return work
    document = run.document
    work = _Work(run, space)
    wanted = document.chunks.filter(is_reference=False)
    work.total = wanted.count()
    waiting = wanted.exclude(embeddings__space=work.space)
    rows = list(waiting.values_list("id", "page", "start", "end", "heading"))
    texts = dict(document.pages.values_list("number", "text")) if rows else {}
    work.pieces = [
        _Piece(work, chunk_id, contextual_text(document.title, heading, texts[page][start:end]))
        for chunk_id, page, start, end, heading in rows
    ]
    work.done = work.total - len(work.pieces)
    if work.pieces:
        run.progress.embedded(work.done, work.total)
    else:
        with claimed(run.claim) as row:
            run.progress.finish(row)
        run.outcome = "ready"
    return work


def _batches(pieces: Sequence[_Piece]) -> Iterator[Sequence[_Piece]]:
    for first in range(0, len(pieces), BATCH_CHUNKS):
        yield pieces[first : first + BATCH_CHUNKS]


def _give_way(run: Run) -> None:
    if claims.others_wait(run.claim):
        claims.release(run.claim, attempts=0)
        run.outcome = "gave way"


def _embed_batch(batch: Sequence[_Piece], *, attempt: Attempt) -> None:
    parts = [(work, list(pieces)) for work, pieces in groupby(batch, key=lambda piece: piece.work)]
    try:
        vectors = embed_passages([piece.text for piece in batch], model=batch[0].work.space.name)
    except InferenceError as error:
        if isinstance(error, RequestRejected | ContextTooLong) and len(parts) > 1:
            # One of them is at fault: each for itself tells which.
            for _, pieces in parts:
                _embed_batch(pieces, attempt=attempt)
            return
        for work, _ in parts:
            attempt(work.run, _raiser(error))
        return
    if len(parts) == 1:
        work, pieces = parts[0]
        attempt(work.run, _storer(work, pieces, vectors))
    else:
        _store_together(parts, vectors, attempt=attempt)


def _store_together(
    parts: Sequence[tuple[_Work, list[_Piece]]], vectors: Vectors, *, attempt: Attempt
) -> None:
    """The vectors of several documents in one transaction; those that are ready with it are so together."""
    done: list[_Work] = []

    def store(_: Run) -> None:
        with claimed_together([work.run.claim for work, _ in parts]) as held:
            rows = [(work, piece) for work, pieces in parts for piece in pieces]
            kept = [at for at, (work, _) in enumerate(rows) if work.run.document.pk in held]
            copy_vectors(
                parts[0][0].space,
                [rows[at][0].run.document.pk for at in kept],
                [rows[at][1].chunk_id for at in kept],
                vectors[kept],
            )
            for work, pieces in parts:
                if work.run.document.pk not in held:
                    work.run.outcome = "gone or taken over"
                    continue
                work.done += len(pieces)
                if work.done == work.total:
                    done.append(work)
            ready = Document.objects.filter(pk__in=[work.run.document.pk for work in done])
            ready.update(status=DocumentStatus.READY, progress=1.0, **ready_values())
        for work in done:
            work.run.progress.finished()
            work.run.outcome = "ready"

    # What goes wrong here is the database's doing: the others are given back at the end of the lot.
    attempt(parts[0][0].run, store)


def _raiser(error: InferenceError) -> Callable[[Run], None]:
    def fail(run: Run) -> None:
        if isinstance(error, RequestRejected | ContextTooLong):
            # The server is well and refuses this text: asking again would give the same.
            raise EmbeddingsUnusable from error
        raise error

    return fail


def _storer(work: _Work, pieces: Sequence[_Piece], vectors: Vectors) -> Callable[[Run], None]:
    def store(run: Run) -> None:
        work.done += len(pieces)
        with claimed(run.claim) as row:
            store_vectors(work.space, run.document.pk, [piece.chunk_id for piece in pieces], vectors)
            if work.done == work.total:
                run.progress.finish(row)
        if work.done < work.total:
            run.progress.embedded(work.done, work.total)
        else:
            run.outcome = "ready"

    return store
