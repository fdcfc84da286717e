"""Word documents: paragraphs, headings, lists and tables in reading order. No Django here.

python-docx unpacks the whole file, so the zip's own listing is checked first. Left out: headers and footers
(they repeat), footnotes, text boxes, pictures.
"""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from docx import Document as open_docx
from docx.oxml.ns import qn
from docx.table import Table
from docx.text.paragraph import Paragraph

from documents.extraction.formats import Unreadable
from documents.extraction.pages import Block, ExtractedPage, flow_into_pages

# A 1,000-page novel's main part is about 10 MB; text is what is read here, and pictures are never unpacked by us.
XML_PART_BYTES_MAX = 64 * 1024 * 1024
UNPACKED_BYTES_MAX = 512 * 1024 * 1024
# Deflate gives 1,032 : 1 at most; the XML of real documents gives 10 to 40, of long empty tables up to 100.
RATIO_MAX = 200
RATIO_FREE_BYTES = 8 * 1024 * 1024
PARTS_MAX = 10_000

_HEADING_STYLE = re.compile(r"heading ([1-9])", re.IGNORECASE)


def read_docx(path: Path) -> tuple[int, Iterator[ExtractedPage]]:
    """How many pages there are and the pages: Word's own where it left its page breaks in the file."""
    _check_archive(path)
    try:
        body = open_docx(str(path))
        blocks = list(_blocks(body.iter_inner_content()))
    except (KeyError, ValueError, zipfile.BadZipFile, SyntaxError) as error:
        raise Unreadable("file_damaged") from error
    has_breaks = any(block.starts_page for block in blocks)
    pages = list(flow_into_pages(blocks, has_page_breaks=has_breaks))
    if not pages:
        raise Unreadable("text_missing")
    return len(pages), iter(pages)


def _check_archive(path: Path) -> None:
    """Refuse a bomb by what the archive says of itself; `zipfile` then reads no byte beyond that."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise Unreadable("file_damaged") from error
    if any(part.flag_bits & 1 for part in parts):
        raise Unreadable("file_encrypted")
    unpacked = sum(part.file_size for part in parts)
    packed = sum(part.compress_size for part in parts) or 1
    largest_xml = max(
        (part.file_size for part in parts if part.filename.endswith((".xml", ".rels"))), default=0
    )
    if (
        len(parts) > PARTS_MAX
        or unpacked > UNPACKED_BYTES_MAX
        or largest_xml > XML_PART_BYTES_MAX
        or (unpacked > RATIO_FREE_BYTES and unpacked / packed > RATIO_MAX)
    ):
        raise Unreadable("content_too_large")


def _blocks(content: Iterator[Paragraph | Table]) -> Iterator[Block]:
    breaks_before = False
    for item in content:
        if isinstance(item, Table):
            rows = list(_rows(item))
            for index, row in enumerate(rows):
                yield Block(row, 0, breaks_before and index == 0, "\n" if index + 1 < len(rows) else "\n\n")
            breaks_before = breaks_before and not rows
            continue
        breaks_before = breaks_before or _has_page_break(item)
        text = item.text.strip()
        if not text:
            continue
        level = _heading_level(item)
        is_item = not level and _is_list_item(item)
        yield Block(f"• {text}" if is_item else text, level, breaks_before, "\n" if is_item else "\n\n")
        breaks_before = False


def _has_page_break(paragraph: Paragraph) -> bool:
    """Whether a page ends in or right before the paragraph; it is counted to the new page as a whole."""
    properties = paragraph._p.pPr
    if properties is not None and properties.find(qn("w:pageBreakBefore")) is not None:
        return True
    return bool(paragraph._p.xpath('.//w:lastRenderedPageBreak | .//w:br[@w:type="page"]'))


def _heading_level(paragraph: Paragraph) -> int:
    name = paragraph.style.name if paragraph.style is not None and paragraph.style.name else ""
    if name.lower() == "title":
        return 1
    match = _HEADING_STYLE.fullmatch(name)
    return int(match[1]) if match else 0


def _is_list_item(paragraph: Paragraph) -> bool:
    properties = paragraph._p.pPr
    if properties is not None and properties.numPr is not None:
        return True
    return paragraph.style is not None and (paragraph.style.name or "").startswith("List")


def _rows(table: Table) -> Iterator[str]:
    """Each row as one line; a merged cell counts once."""
    for row in table.rows:
        cells: list[str] = []
        seen: set[int] = set()
        for cell in row.cells:
            if id(cell._tc) not in seen:
                seen.add(id(cell._tc))
                cells.append(" ".join(cell.text.split()))
        if any(cells):
            yield " | ".join(cells)
