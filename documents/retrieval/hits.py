"""What a search gives back."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage: `text` is `[start:end]` (code points) of that page's text; pages count from 1.

    `score` is comparable within one answer only, highest 1. `similarity` is the cosine of the question and the
    passage's best chunk, comparable among questions; None where it is too far off to have been measured.
    """

    document_id: UUID
    document_name: str
    page: int
    text: str
    start: int
    end: int
    score: float
    similarity: float | None = None
