"""Source code: as written, with what it defines noticed as headings. No Django here."""

import re
from collections.abc import Iterator
from pathlib import Path

from documents.extraction.formats import decode_text
from documents.extraction.pages import Block, ExtractedPage, flow_into_pages
from documents.extraction.plain import pages_of_text

# Names in the languages people upload most; a line that stands at the margin, so that what is inside stays inside.
_DEFINITION = re.compile(
    r"(?:export |default |public |private |protected |static |abstract |final |async |pub(?:\([a-z]+\))? |unsafe )*"
    r"(?:class|def|function|func|fn|struct|enum|trait|impl|interface|type|module|namespace|package|object|contract)"
    r"\s+[A-Za-z_(][^\n]{0,120}"
)


def read_code(path: Path) -> tuple[int, Iterator[ExtractedPage]]:
    """How many pages there are and the pages; a definition at the margin is a heading of its own line."""
    text = decode_text(path.read_bytes()).replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip() or not any(_DEFINITION.match(line) for line in text.split("\n")):
        return pages_of_text(text)
    pages = list(flow_into_pages(_blocks(text), has_page_breaks=False))
    return len(pages), iter(pages)


def _blocks(text: str) -> Iterator[Block]:
    lines: list[str] = []
    for line in text.split("\n"):
        if _DEFINITION.match(line):
            yield from _paragraph(lines)
            yield Block(line.rstrip(), level=1, gap="\n")
            lines = []
        else:
            lines.append(line)
    yield from _paragraph(lines)


def _paragraph(lines: list[str]) -> Iterator[Block]:
    body = "\n".join(lines).strip("\n")
    if body.strip():
        yield Block(body)
