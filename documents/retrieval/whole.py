"""Whole documents, to be read from the first page to the last rather than searched.

Each page is cut into passages of some sentences, so that a statement about it can be cited as narrowly as one that
search has found. The passages of a page follow each other and leave out nothing but blanks.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from accounts.errors import NotFound
from accounts.models import User
from documents.errors import failure_message
from documents.models import Document, DocumentStatus, Page

# A paragraph or two: narrow enough to see at once what a citation means. A number costs five tokens, here 3 %.
PASSAGE_CHARACTERS = 600
# Where a passage may end, best first: after a paragraph, a sentence, a line, a word.
_ENDS = (
    re.compile(r"\n\s*\n"),
    re.compile(r"[.!?…][\"')\]’”]*\s+|[。！？]"),
    re.compile(r"\n"),
    re.compile(r"\s"),
)
# A passage is at least this share of the aim: many small ones cost more numbers than they are worth.
_LEAST_SHARE = 0.4


@dataclass(frozen=True, slots=True)
class Span:
    """A passage: `text` is `[start:end]` (code points) of that page's text; pages count from 1."""

    page: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class WholeDocument:
    """A document with all its passages in reading order. `problem` says why one that failed has none."""

    id: UUID
    name: str
    pages: int
    spans: tuple[Span, ...]
    problem: str = ""


def read_whole(*, user: User, documents: Sequence[UUID]) -> list[WholeDocument]:
    """The documents in the order named; `NotFound` where one is absent or not the user's to read."""
    found = {row.pk: row for row in Document.objects.readable_by(user).filter(pk__in=documents)}
    if any(key not in found for key in documents):
        raise NotFound
    return [_read(found[key]) for key in documents]


def _read(document: Document) -> WholeDocument:
    problem = ""
    if document.status == DocumentStatus.FAILED:
        problem = str(failure_message(document.error_code))
    pages = Page.objects.filter(document=document).order_by("number").values_list("number", "text")
    spans = tuple(span for number, text in pages.iterator() for span in cut_page(number, text))
    return WholeDocument(document.pk, document.name, document.page_count, spans, problem)


def cut_page(number: int, text: str) -> Iterator[Span]:
    """The passages of one page, about PASSAGE_CHARACTERS each."""
    position = 0
    while position < len(text):
        end = _end_after(text, position)
        start = position + len(text[position:end]) - len(text[position:end].lstrip())
        words = text[start:end].rstrip()
        if words:
            yield Span(number, start, start + len(words), words)
        position = end


def _end_after(text: str, position: int) -> int:
    limit = position + PASSAGE_CHARACTERS
    if limit >= len(text) - PASSAGE_CHARACTERS * _LEAST_SHARE:
        # A short rest is no passage of its own.
        return len(text)
    least = position + int(PASSAGE_CHARACTERS * _LEAST_SHARE)
    for end in _ENDS:
        ends = [match.end() for match in end.finditer(text, least, limit)]
        if ends:
            return ends[-1]
    return limit
