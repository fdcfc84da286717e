"""Makes passages of chunks: joins what touches on a page, and widens what is short to whole sentences.

A chunk is what is compared; a passage is what is read. Pure but for the page texts, which the caller reads.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from documents.retrieval.places import Place

# What a reader takes in at a glance, and four or five of which fit the 4,000 characters a small model can use. Words
# found on ARAGOG with 800, 900, 1,000 and joined up to 1,400: .637, .642, .639; up to 2,000: .641, .646, .644.
PASSAGE_CHARACTERS = 900
# Chunks that touch are joined up to this: where three neighbours are found, the answer runs through them.
JOINED_CHARACTERS_MAX = 2000
# A little more than the aim is better than half a sentence.
TOLERANCE = 1.15

_SENTENCE_END = re.compile(r"[.!?][\"')\]’”]*\s+|\n+")
_LOOK_BACK = 600

PageKey = tuple[UUID, int]


@dataclass(frozen=True, slots=True)
class Passage:
    """A span of a page to be read: `text` is the page's `[start:end]`."""

    document_id: UUID
    page: int
    start: int
    end: int
    score: float
    chunk_ids: tuple[int, ...]
    text: str = ""


def compose_passages(
    ranked: Sequence[tuple[Place, float]],
    *,
    k: int,
    read_pages: Callable[[Collection[PageKey]], Mapping[PageKey, str]],
    is_one_each: bool = False,
) -> list[Passage]:
    """The first `k` passages, in the order of their best chunks; a page that is gone by now gives none.

    With `is_one_each` no document has a second passage before every other one has its first.
    """
    passages = _join_neighbours(ranked, k, is_one_each=is_one_each)
    texts = read_pages({(passage.document_id, passage.page) for passage in passages})
    for index, passage in enumerate(passages):
        text = texts.get((passage.document_id, passage.page), "")
        floor, ceiling = _room(passage, passages, len(text))
        passages[index] = _widen(passage, text, floor, ceiling)
    return [passage for passage in passages if passage.text]


def _room(passage: Passage, passages: Sequence[Passage], length: int) -> tuple[int, int]:
    """How far the passage may grow on its page without saying what another one says."""
    others = [
        other
        for other in passages
        if (other.document_id, other.page) == (passage.document_id, passage.page) and other is not passage
    ]
    floor = max((other.end for other in others if other.end <= passage.start), default=0)
    ceiling = min((other.start for other in others if other.start >= passage.end), default=length)
    return floor, ceiling


def _join_neighbours(ranked: Sequence[tuple[Place, float]], k: int, *, is_one_each: bool) -> list[Passage]:
    """Chunks best first, one that touches a better one of its page made part of it."""
    passages: list[Passage] = []
    further: list[tuple[Place, float]] = []
    for place, score in ranked:
        if _join_one(place, passages):
            continue
        if is_one_each and any(passage.document_id == place.document_id for passage in passages):
            further.append((place, score))
            continue
        if len(passages) == k:
            break
        passages.append(_begin(place, score))
    for place, score in further:
        if len(passages) < k and not _join_one(place, passages):
            # One scale, however they are ordered: none has more than the one before it.
            passages.append(_begin(place, min(score, passages[-1].score)))
    return passages


def _join_one(place: Place, passages: list[Passage]) -> bool:
    """Make the chunk part of the first passage that it touches; whether there is one."""
    for index, passage in enumerate(passages):
        if _is_joined(place, passage):
            passages[index] = _join(place, passage)
            return True
    return False


def _begin(place: Place, score: float) -> Passage:
    return Passage(place.document_id, place.page, place.start, place.end, score, (place.chunk_id,))


def _is_joined(place: Place, passage: Passage) -> bool:
    """Whether the chunk touches the passage, and both together are no more than a reader takes in."""
    if (passage.document_id, passage.page) != (place.document_id, place.page):
        return False
    # Neighbours share some text or are one blank apart.
    if place.start > passage.end + 2 or place.end < passage.start - 2:
        return False
    return max(place.end, passage.end) - min(place.start, passage.start) <= JOINED_CHARACTERS_MAX


def _join(place: Place, passage: Passage) -> Passage:
    return replace(
        passage,
        start=min(place.start, passage.start),
        end=max(place.end, passage.end),
        chunk_ids=(*passage.chunk_ids, place.chunk_id),
    )


def _widen(passage: Passage, text: str, floor: int, ceiling: int) -> Passage:
    """The passage with its text, and up to PASSAGE_CHARACTERS with following and then preceding sentences."""
    start, end = passage.start, min(passage.end, len(text))
    limit = PASSAGE_CHARACTERS * TOLERANCE
    while end - start < PASSAGE_CHARACTERS:
        after, before = _next_end(text, end), _previous_start(text, start)
        if end < after <= min(ceiling, start + limit):
            end = after
        elif max(floor, end - limit) <= before < start:
            start = before
        else:
            break
    return replace(passage, start=start, end=end, text=text[start:end])


def _next_end(text: str, position: int) -> int:
    """Where the sentence after `position` ends, its blanks left out."""
    while position < len(text) and text[position].isspace():
        position += 1
    match = _SENTENCE_END.search(text, position)
    stop = match.end() if match else len(text)
    return position + len(text[position:stop].rstrip())


def _previous_start(text: str, position: int) -> int:
    """Where the sentence before `position` starts."""
    floor = max(0, position - _LOOK_BACK)
    before = text[floor:position].rstrip()
    ends = [match.end() for match in _SENTENCE_END.finditer(before)]
    return floor + ends[-1] if ends else (0 if floor == 0 else position)
