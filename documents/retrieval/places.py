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


# A place's columns in their order, of `documents_chunk c`.
COLUMNS = 'c.id, c.document_id, c.page, c.start, c."end", c.is_reference'


def read_places(ranked: str, values: Sequence[Any]) -> list[RankedPlace]:
    """The DEPTH nearest of the places that the statement gives as COLUMNS and `distance`, nearest first."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM ({ranked}) AS ranked ORDER BY distance, id LIMIT {DEPTH}", values)  # noqa: S608
        return [RankedPlace(Place(*row[:-1]), row[-1]) for row in cursor.fetchall()]
