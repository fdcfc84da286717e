"""The passages that hold what a question means to the letter (`inference.codes`).

To a vector one number is like the next, and a rank by words hardly says how far ahead the one right chunk is: of 29
questions such as "When was INV-2024-0068 paid?", asked of 200 invoices in one file, 8 had the right passage first
without this.
"""

from collections.abc import Collection, Sequence
from typing import Any

from django.db import connection

from documents.retrieval.places import Place
from documents.retrieval.scope import Scope
from inference.codes import codes_in

# A code that stands in more chunks than a few names a topic (GPT-3, COVID-19), and no place.
NAMED_CHUNKS_MAX = 5


def find_named(question: str, scope: Scope) -> set[int]:
    """The ids of the permitted chunks that a code of the question stands in, of codes that only a few have."""
    found: set[int] = set()
    for code in codes_in(question):
        selects, values = [], list[Any]()
        for language in scope.languages:
            selects.append(
                "(SELECT c.id FROM documents_chunk c WHERE c.language = %s"  # noqa: S608
                " AND c.search @@ phraseto_tsquery(%s::regconfig, %s)"
                f" AND c.document_id {scope.operand} LIMIT {NAMED_CHUNKS_MAX + 1})"
            )
            values += (language, language, code, *scope.parameters)
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(selects), values)
            named = {chunk_id for (chunk_id,) in cursor.fetchall()}
        if len(named) <= NAMED_CHUNKS_MAX:
            found |= named
    return found


def put_first(ranked: Sequence[tuple[Place, float]], named: Collection[int]) -> list[tuple[Place, float]]:
    """The ranking with the named chunks before all others. The places change, the scores stay: one scale."""
    if not named:
        return list(ranked)
    places = sorted((place for place, _ in ranked), key=lambda place: place.chunk_id not in named)
    return [(place, score) for place, (_, score) in zip(places, ranked, strict=True)]
