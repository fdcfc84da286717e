"""Plain text and Markdown. The text stays as written, but for the rows of Markdown's tables, which say their columns;
Markdown's headings are noticed. No Django here.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from documents.extraction.formats import MediaType, Unreadable, decode_text
from documents.extraction.pages import Block, ExtractedPage, flow_into_pages
from documents.extraction.pipe_tables import describe_pipe_tables

_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
_ATX_HEADING = re.compile(r"(#{1,6})[ \t]+\S")
_UNDERLINE = re.compile(r"[ ]{0,3}([=-])\1+[ \t]*")
# Lines of a list, a table or a quotation that a rule follows.
_NO_HEADING = ("|", ">", "- ", "* ", "+ ", "```", "~~~")
_FRONT_MATTER = re.compile(r"---[ \t]*\n(.{1,5000}?)\n---[ \t]*\n", re.DOTALL)
_FENCE = re.compile(r"[ ]{0,3}(```|~~~)")


def read_plain(path: Path, media_type: MediaType) -> tuple[int, Iterator[ExtractedPage]]:
    """How many pages there are and the pages, each about a printed one; a form feed starts a new one."""
    return pages_of_text(decode_text(path.read_bytes()), is_markdown=media_type is MediaType.MARKDOWN)


def pages_of_text(text: str, *, is_markdown: bool = False) -> tuple[int, Iterator[ExtractedPage]]:
    """The same for text that is at hand."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise Unreadable("text_missing")
    blocks: list[Block] = []
    for sheet in text.split("\f"):
        found = list(markdown_blocks(sheet) if is_markdown else paragraphs(sheet))
        if found and blocks:
            found[0] = Block(found[0].text, found[0].level, True, found[0].gap)
        blocks += found
    pages = list(flow_into_pages(blocks, has_page_breaks="\f" in text))
    return len(pages), iter(pages)


def paragraphs(text: str) -> Iterator[Block]:
    """What blank lines part, as written."""
    position = 0
    for gap in _BLANK_LINES.finditer(text):
        if text[position : gap.start()].strip():
            yield Block(text[position : gap.start()])
        position = gap.end()
    if text[position:].strip():
        yield Block(text[position:].rstrip())


def markdown_blocks(text: str) -> Iterator[Block]:
    """Paragraphs with headings apart; a fenced block of code is one block whatever it holds.

    A heading's underline goes, and so do the marks around what an editor keeps above the text.
    """
    matter = _FRONT_MATTER.match(text)
    if matter:
        yield Block(matter[1])
        text = text[matter.end() :]
    lines: list[str] = []
    fence = ""
    for line in text.split("\n"):
        underline = None if fence or not lines else _UNDERLINE.fullmatch(line)
        if underline and not lines[-1].lstrip().startswith(_NO_HEADING):
            if lines[:-1]:
                yield _paragraph(lines[:-1])
            yield Block(lines[-1].strip(), level=1 if underline[1] == "=" else 2)
            lines = []
            continue
        mark = _FENCE.match(line)
        if mark and (not fence or mark[1] == fence):
            fence = "" if fence else mark[1]
        heading = None if fence else _ATX_HEADING.match(line)
        if heading or (not fence and not line.strip()):
            if lines:
                yield _paragraph(lines)
                lines = []
            if heading:
                yield Block(line.rstrip(), level=len(heading[1]))
        else:
            lines.append(line)
    if any(line.strip() for line in lines):
        yield _paragraph(lines)


def _paragraph(lines: list[str]) -> Block:
    is_code = any(_FENCE.match(line) for line in lines)
    return Block("\n".join(lines if is_code else describe_pipe_tables(lines)))
