"""Vector spaces in PostgreSQL: one per embedding model, each with its own HNSW index, and bulk writes into them."""

from collections.abc import Sequence
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db import connection, transaction

from documents.errors import EmbeddingsUnusable
from documents.models import VectorSpace
from inference.embeddings import Vectors, current_embedding_model
from inference.errors import EmbeddingsUnavailable
from inference.types import EmbeddingModel

# pgvector's limit for an HNSW index on halfvec; longer vectors are stored and searched exactly.
INDEXED_DIMENSIONS_MAX = 4000
# halfvec holds 16,000 numbers at most.
DIMENSIONS_MAX = 16_000
# pgvector's defaults, and what was measured with them: recall@10 .985 at ef_search 100, 1.9 ms among 100,000.
HNSW_M = 16
HNSW_EF_CONSTRUCTION = 64
# What one build may take; 1,000,000 vectors of 384 numbers need 1.7 GB.
BUILD_MEGABYTES_MAX = 8192

_COPY_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_COPY_TRAILER = b"\xff\xff"


def current_space() -> VectorSpace:
    """The space that is searched and that new documents are embedded in.

    After another model was chosen that stays the earlier one's until `documents.ingest.reembedding` has caught up, as
    long as a server has that model; without one, new documents go to the chosen model's at once. Made, with its
    index, when it is first asked for.
    """
    space = active_space()
    try:
        model = current_embedding_model(space.name if space else None)
    except EmbeddingsUnavailable:
        if space is None or space.name == settings.EMBEDDING_MODEL:
            raise
        space = activate(chosen_space(), is_complete=False)
        build_index(space)
        return space
    if space is None:
        space = _first_space(model)
    if space.dimensions != model.dimensions:
        # Two models under one name: their vectors cannot be compared.
        raise EmbeddingsUnusable
    return space


def active_space() -> VectorSpace | None:
    """The space that is searched; None before the first document."""
    return VectorSpace.objects.filter(is_active=True).first()


def chosen_space() -> VectorSpace:
    """The space of the chosen model, searched or on its way there; made, without an index, if there is none."""
    model = current_embedding_model()
    if not 0 < model.dimensions <= DIMENSIONS_MAX:
        raise EmbeddingsUnusable
    space, _ = VectorSpace.objects.get_or_create(name=model.name, defaults={"dimensions": model.dimensions})
    if space.dimensions != model.dimensions:
        raise EmbeddingsUnusable
    return space


def activate(space: VectorSpace, *, is_complete: bool) -> VectorSpace:
    """From now on this space is searched, and no other."""
    with transaction.atomic():
        # One at a time: the constraint knows one active space.
        list(VectorSpace.objects.select_for_update().order_by("pk").values_list("pk"))
        VectorSpace.objects.exclude(pk=space.pk).update(is_active=False)
        VectorSpace.objects.filter(pk=space.pk).update(is_active=True, is_complete=is_complete)
    space.refresh_from_db()
    return space


def _first_space(model: EmbeddingModel) -> VectorSpace:
    """Index and row together: a worker that dies between leaves neither. Building it over no rows takes 1 ms."""
    with transaction.atomic():
        space = activate(chosen_space(), is_complete=True)
        if space.dimensions == model.dimensions:
            build_index(space)
    return space


def build_index(space: VectorSpace, *, is_concurrent: bool = False) -> None:
    """The space's HNSW index, over what is in it, in a session that may take the memory it needs.

    A graph that outgrows `maintenance_work_mem` is finished on disk, several times slower. It blocks writers of
    vectors; a concurrent one does not, takes longer, and needs a session that is in no transaction. Vectors that are
    too long for an index are searched exactly.
    """
    if space.dimensions > INDEXED_DIMENSIONS_MAX:
        return
    name = f"documents_embedding_space_{space.pk}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM documents_embedding WHERE space_id = %s", [space.pk])
        (rows,) = cursor.fetchone()
        megabytes = int(rows * graph_bytes(space.dimensions) / 2**20) + 64
        cursor.execute("SELECT pg_size_bytes(current_setting('maintenance_work_mem')) / 1048576")
        (usual,) = cursor.fetchone()
        wanted = max(usual, min(megabytes, BUILD_MEGABYTES_MAX))
        cursor.execute("SELECT set_config('maintenance_work_mem', %s, false)", [f"{wanted}MB"])
        try:
            if is_concurrent:
                # What an interrupted one left behind is invalid.
                cursor.execute(f"DROP INDEX IF EXISTS {name}")
            concurrently = "CONCURRENTLY " if is_concurrent else ""
            # Both numbers are ours, checked when the space was made; an index has no place for parameters.
            cursor.execute(
                f"CREATE INDEX {concurrently}IF NOT EXISTS {name} ON documents_embedding"
                f" USING hnsw ((vector::halfvec({space.dimensions})) halfvec_cosine_ops)"
                f" WITH (m = {HNSW_M}, ef_construction = {HNSW_EF_CONSTRUCTION}) WHERE space_id = {space.pk}"
            )
        finally:
            cursor.execute("RESET maintenance_work_mem")


def graph_bytes(dimensions: int) -> int:
    """Memory of one vector in a graph under construction: itself, 2m + m/(m-1) links of 16 bytes, its node."""
    return 2 * dimensions + 16 * (2 * HNSW_M + HNSW_M) + 200


def store_vectors(space: VectorSpace, document_id: UUID, chunk_ids: Sequence[int], vectors: Vectors) -> None:
    """Copy the vectors of these chunks, in their order, into the space; call it in a transaction."""
    copy_vectors(space, [document_id] * len(chunk_ids), chunk_ids, vectors)


def copy_vectors(
    space: VectorSpace, document_ids: Sequence[UUID], chunk_ids: Sequence[int], vectors: Vectors
) -> None:
    """The same for chunks of several documents.

    In PostgreSQL's binary format, row after row in one array: 4 µs a vector of 384 numbers, as text it is 90.
    """
    if vectors.shape != (len(chunk_ids), space.dimensions) or len(document_ids) != len(chunk_ids):
        raise EmbeddingsUnusable
    rows = np.zeros(len(chunk_ids), dtype=_row_format(space.dimensions))
    rows["fields"] = 4
    for name, value in (("space", space.pk), ("chunk", chunk_ids)):
        rows[name] = value
        rows[f"{name}_bytes"] = rows.dtype[name].itemsize
    rows["document"] = np.frombuffer(b"".join(key.bytes for key in document_ids), dtype="V16")
    rows["document_bytes"] = 16
    rows["numbers"] = vectors
    rows["dimensions"] = space.dimensions
    rows["vector_bytes"] = 4 + 2 * space.dimensions
    statement = (
        "COPY documents_embedding (space_id, chunk_id, document_id, vector) FROM STDIN (FORMAT binary)"
    )
    # Django knows no COPY, and would let psycopg's own errors through.
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(statement) as copy:
        copy.write(_COPY_HEADER)
        copy.write(rows.tobytes())
        copy.write(_COPY_TRAILER)


def _row_format(dimensions: int) -> np.dtype[np.void]:
    """A row as COPY reads it: the number of fields, then each one's length and bytes, big-endian.

    https://www.postgresql.org/docs/current/sql-copy.html; a halfvec is its dimensions, two bytes unused, its numbers.
    """
    return np.dtype(
        [
            ("fields", ">i2"),
            ("space_bytes", ">i4"),
            ("space", ">i2"),
            ("chunk_bytes", ">i4"),
            ("chunk", ">i8"),
            ("document_bytes", ">i4"),
            ("document", "V16"),
            ("vector_bytes", ">i4"),
            ("dimensions", ">i2"),
            ("unused", ">i2"),
            ("numbers", ">f2", (dimensions,)),
        ]
    )


def vector_literal(vector: Vectors) -> str:
    """One vector as pgvector reads it; seven digits are more than half precision keeps."""
    return "[" + ",".join(f"{number:.7g}" for number in vector.tolist()) + "]"
