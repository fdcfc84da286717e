"""The chunks nearest to a vector among what may be searched: exactly where they are few, by the index where many.

A filter never empties the result: few permitted chunks are compared one by one, and with many the HNSW index is
scanned on until enough permitted ones are found (pgvector's iterative scans).

The statements are put together from our own words and numbers and Django's compiled filter; whatever a person
wrote is a parameter. That is what each `noqa: S608` stands for.
"""

from django.db import connection, transaction

from documents.models import VectorSpace
from documents.retrieval.places import COLUMNS, DEPTH, RankedPlace, read_places
from documents.retrieval.scope import Scope
from documents.vectors import INDEXED_DIMENSIONS_MAX, vector_literal
from inference.embeddings import Vectors

# Up to this many permitted chunks are compared one by one: exact, 0.8 ms a thousand at 384 dimensions.
EXACT_CHUNKS_MAX = 50_000
# Above it the index is faster, but not where a filter keeps little: it then walks through what may not be seen. Of
# 1,000,000 chunks 100,000 permitted ones take 79 ms of the database's time exactly; through the index 96 ms with
# ef_search 400 and 196 with 100, at recall@10 .89.
EXACT_FILTERED_MAX = 150_000
FILTERED_SHARE = 0.25
# recall@10 1.000 on 200,000 clustered vectors with 100. Among a million the graph is deeper: .845 with 100, .942 with
# 400.
HNSW_EF_SEARCH = 100
HNSW_EF_SEARCH_LARGE = 400
LARGE_CHUNKS = 300_000


def rank_by_vector(space: VectorSpace, vector: Vectors, scope: Scope) -> list[RankedPlace]:
    """Permitted chunks by cosine distance to the vector, nearest first."""
    stored = 0 if scope.chunks <= EXACT_CHUNKS_MAX else _stored_chunks()
    if _is_exact(scope, stored) or space.dimensions > INDEXED_DIMENSIONS_MAX:
        # All vectors have length one, so the inner product (negative, in pgvector) is the cosine at half its cost;
        # and no index has it, so that the planner filters first.
        nearest = (
            "SELECT e.chunk_id, 1 + (e.vector <#> %s::halfvec) AS distance"  # noqa: S608
            f" FROM documents_embedding e WHERE e.space_id = {space.pk} AND e.document_id {scope.operand}"
            f" ORDER BY distance LIMIT {DEPTH}"
        )
        return read_places(_with_places(nearest), [vector_literal(vector), *scope.parameters])
    # As in the index's expression, for the planner to see that it fits. Both numbers are ours.
    distance = f"e.vector::halfvec({space.dimensions}) <=> %s::halfvec({space.dimensions})"
    nearest = (
        f"SELECT e.chunk_id, {distance} AS distance FROM documents_embedding e"  # noqa: S608
        f" WHERE e.space_id = {space.pk} AND e.document_id {scope.operand} ORDER BY distance LIMIT {DEPTH}"
    )
    with transaction.atomic(), connection.cursor() as cursor:
        breadth = HNSW_EF_SEARCH_LARGE if stored > LARGE_CHUNKS else HNSW_EF_SEARCH
        cursor.execute(f"SET LOCAL hnsw.ef_search = {breadth}; SET LOCAL hnsw.iterative_scan = relaxed_order")
        return read_places(_with_places(nearest), [vector_literal(vector), *scope.parameters])


def _is_exact(scope: Scope, stored: int) -> bool:
    if scope.chunks <= EXACT_CHUNKS_MAX:
        return True
    return scope.chunks <= EXACT_FILTERED_MAX and scope.chunks < FILTERED_SHARE * stored


def _stored_chunks() -> int:
    """How many chunks there are in all, as PostgreSQL last counted them; negative if it never has."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = 'documents_chunk'::regclass")
        (count,) = cursor.fetchone()
    return int(count)


def _with_places(nearest: str) -> str:
    """The statement's (chunk_id, distance) with where the chunks stand: looked up for those that are nearest."""
    return (
        f"SELECT {COLUMNS}, nearest.distance FROM ({nearest}) AS nearest"  # noqa: S608
        " JOIN documents_chunk c ON c.id = nearest.chunk_id"
    )
