"""Cuts pages into chunks: spans of a page that hold one thought and fit the embedding model.

Pure and deterministic: the same pages give the same chunks, so an interrupted ingest can be repeated. A chunk
never crosses a page, because a citation is a span of one page. Sizes were chosen on the ARAGOG papers; see
CHUNK_TOKENS.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from documents.extraction.pages import TITLE_LEVEL, ExtractedPage
from documents.ingest.tokens import TokenOffsets, locate_tokens

# MiniLM sees 256 tokens, and the title and headings before the text need some. ARAGOG, hybrid, tokens / overlap:
# right first, right among five, words found: 180/40 .969 1.000 .602; 220/0 .939 1.000 .592; 200/0 .939 .990 .585;
# 120/30 .949 .990 .579. The overlap costs a tenth more embedding.
CHUNK_TOKENS = 180
OVERLAP_TOKENS = 40
# A document that the model sees whole is not cut: an abstract, a letter. That saves a tenth of embedding it, and finds
# it as well (nDCG@10 on Debian's descriptions .804 cut, .801 whole, on FAQs .724 and .721: within chance). Of a long
# document the short sections are cut all the same: ARAGOG .643 of the words if not, .649 if so.
WHOLE_TOKENS = 230
# A chunk under a new heading starts fresh unless what came before is only a scrap.
SCRAP_TOKENS = 40
# What a document's row has room for.
TITLE_CHARACTERS_MAX = 300

_SENTENCE = re.compile(r"[^\n]*?(?:[.!?][\"')\]’”]*(?=\s)|(?=\n)|$)", re.DOTALL)
_REFERENCES = re.compile(
    r"(?:\d+\.?\s+)?(references|bibliography|literature cited|works cited)\W*$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Span:
    """A chunk's place: `pages[page - 1].text[start:end]`, never blank at either end."""

    page: int
    start: int
    end: int
    heading: str = ""
    is_reference: bool = False


@dataclass(slots=True)
class _Unit:
    """A sentence, or a piece of one that is longer than a chunk."""

    start: int
    end: int
    tokens: int


def find_title(pages: Sequence[ExtractedPage]) -> str:
    """What the document calls itself, empty if it does not say; its first words if it says it without end."""
    for page in pages[:1]:
        for heading in page.headings:
            if heading.level == TITLE_LEVEL:
                return heading.title[:TITLE_CHARACTERS_MAX].rstrip()
    return ""


def cut_into_chunks(
    pages: Sequence[ExtractedPage],
    *,
    chunk_tokens: int = CHUNK_TOKENS,
    overlap_tokens: int = OVERLAP_TOKENS,
    whole_tokens: int = WHOLE_TOKENS,
) -> Iterator[Span]:
    """The chunks of the pages in reading order.

    Every character that is not blank is in a chunk; two neighbours of a page share up to `overlap_tokens`.
    """
    path: list[tuple[int, str]] = []
    for number, page in enumerate(pages, start=1):
        offsets = locate_tokens(page.text)
        limit = whole_tokens if len(pages) == 1 and len(offsets) <= whole_tokens else chunk_tokens
        marks = sorted((heading.start, heading.level, heading.title) for heading in page.headings)
        bounds = [0, *(start for start, _, _ in marks), len(page.text)]
        sections: list[tuple[int, int, str, bool]] = []
        for index, (start, end) in enumerate(pairwise(bounds)):
            if index:
                _, level, title = marks[index - 1]
                while path and path[-1][0] >= level:
                    path.pop()
                path.append((level, title))
            heading = " › ".join(title for level, title in path if level)
            in_references = any(_REFERENCES.match(title) for _, title in path)
            sections.append((start, end, heading, in_references))
        for start, end, heading, in_references in _merge_scraps(sections, offsets):
            for first, last in _pack(page.text, start, end, offsets, limit, overlap_tokens):
                yield Span(number, first, last, heading, in_references)


def _merge_scraps(
    sections: list[tuple[int, int, str, bool]], offsets: TokenOffsets
) -> Iterator[tuple[int, int, str, bool]]:
    """Sections of a page, those too short to stand alone joined to the next."""
    pending: tuple[int, int, str, bool] | None = None
    for section in sections:
        if pending is not None:
            section = (pending[0], section[1], section[2], section[3] and pending[3])
        if offsets.count(section[0], section[1]) < SCRAP_TOKENS:
            pending = section
        else:
            yield section
            pending = None
    if pending is not None:
        yield pending


def _pack(
    text: str, start: int, end: int, offsets: TokenOffsets, chunk_tokens: int, overlap_tokens: int
) -> Iterator[tuple[int, int]]:
    """Fill chunks with whole sentences up to the limit, evenly: the last one is not a scrap."""
    units = list(_units(text, start, end, offsets, chunk_tokens))
    total = sum(unit.tokens for unit in units)
    step = chunk_tokens - overlap_tokens
    count = max(1, -(-(total - overlap_tokens) // step))
    # The same number of chunks, but of one size.
    target = min(chunk_tokens, total / count + overlap_tokens * (count - 1) / count)
    first = 0
    while first < len(units):
        last, size = first, units[first].tokens
        while last + 1 < len(units) and size + units[last + 1].tokens <= chunk_tokens and size < target:
            last += 1
            size += units[last].tokens
        yield units[first].start, units[last].end
        if last + 1 == len(units):
            return
        shared, following = 0, last + 1
        while following - 1 > first and shared + units[following - 1].tokens <= overlap_tokens:
            following -= 1
            shared += units[following].tokens
        first = following


def _units(text: str, start: int, end: int, offsets: TokenOffsets, limit: int) -> Iterator[_Unit]:
    position = start
    while position < end:
        match = _SENTENCE.match(text, position, end)
        stop = match.end() if match else end
        if stop == position:
            position += 1
            continue
        yield from _fitting(text, position, stop, offsets, limit)
        position = stop


def _fitting(text: str, start: int, end: int, offsets: TokenOffsets, limit: int) -> Iterator[_Unit]:
    """The span without blanks at its ends, cut at tokens (at a blank if one is near) if too long."""
    while start < end:
        cut = offsets.position_after(start, limit)
        stop = end if cut is None or cut >= end else cut
        if stop < end:
            blank = text.rfind(" ", start + (stop - start) // 2, stop)
            stop = blank if blank > 0 else stop
        body = text[start:stop]
        left = start + len(body) - len(body.lstrip())
        right = start + len(body.rstrip())
        if right > left:
            yield _Unit(left, right, max(1, offsets.count(left, right)))
        start = max(stop, start + 1)
