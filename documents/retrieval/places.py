"""Where chunks stand, as the ways of searching rank them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

# How deep each way of searching is read before fusing.
DEPTH = 100


@dataclass(frozen=True, slots=True)
class Place:
    """Where a chunk stands."""

    chunk_id: int
    document_id: UUID
    page: int
    start: int
    end: int
    is_reference: bool


@dataclass(frozen=True, slots=True)
class RankedPlace:
    """A place, and how far it is from the question by the measure that ranked it."""

    place: Place
    distance: float


def read_places(ranked: str, values: Sequence[Any]) -> list[RankedPlace]:
    """Where the chunks stand that the statement `ranked` gives as (chunk_id, distance), nearest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT c.id, c.document_id, c.page, c.start, c."end", c.is_reference, ranked.distance'  # noqa: S608
            f" FROM ({ranked}) AS ranked JOIN documents_chunk c ON c.id = ranked.chunk_id"
            f" ORDER BY ranked.distance, c.id LIMIT {DEPTH}",
            values,
        )
        return [RankedPlace(Place(*row[:-1]), row[-1]) for row in cursor.fetchall()]
