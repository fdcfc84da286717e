"""A page's text as the viewer shows it: line by line, cut where a passage begins and ends.

Pure. Offsets are Unicode code points of the whole text; documents/frontend/page-text.ts does the same in the browser.
"""

from collections.abc import Sequence
from dataclasses import dataclass

# Text files are wrapped at 72 to 100 characters; a longer line is a paragraph that extraction has joined.
PARAGRAPH_CHARACTERS = 110


@dataclass(frozen=True)
class Line:
    """One line of text before, in and after the passage; `is_spaced` asks for room above it."""

    before: str
    marked: str
    after: str
    is_spaced: bool
    is_first_marked: bool


@dataclass(frozen=True)
class Passage:
    """The lines of a page, and the span that is marked in them; `start == end` where none is."""

    lines: Sequence[Line]
    start: int
    end: int


def cut_passage(text: str, start: int | None, end: int | None) -> Passage:
    """`text` in lines, marked from `start` to `end`; what is absent, reversed or outside marks nothing or less."""
    if start is None or end is None or not 0 <= start < end:
        start = end = 0
    end = min(end, len(text))
    start = min(start, end)
    lines: list[Line] = []
    position, previous, is_marked = 0, "", False
    for line in text.split("\n"):
        first, last = (min(max(offset - position, 0), len(line)) for offset in (start, end))
        if line.strip():
            marked = line[first:last]
            is_long = max(len(line), len(previous)) > PARAGRAPH_CHARACTERS
            lines.append(
                Line(
                    before=line[:first],
                    marked=marked,
                    after=line[last:],
                    is_spaced=bool(lines) and (is_long or not previous.strip()),
                    is_first_marked=bool(marked) and not is_marked,
                )
            )
            is_marked = is_marked or bool(marked)
        previous = line
        position += len(line) + 1
    return Passage(lines=lines, start=start, end=end)
