"""Word documents: paragraphs, headings, lists and tables in reading order. No Django here.

python-docx unpacks the whole file, so the zip's own listing is checked first. Left out: headers and footers
(they repeat), footnotes, text boxes, pictures, macros (they are never run).
"""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from docx import Document as open_docx
from docx.oxml.ns import qn
from docx.table import Table
from docx.text.paragraph import Paragraph

from documents.extraction.archives import check_archive
from documents.extraction.formats import Unreadable
from documents.extraction.pages import Block, ExtractedPage, flow_into_pages
from documents.extraction.tables import describe_rows

_HEADING_STYLE = re.compile(r"heading ([1-9])", re.IGNORECASE)


def read_docx(path: Path) -> tuple[int, Iterator[ExtractedPage]]:
    """How many pages there are and the pages: Word's own where it left its page breaks in the file."""
    check_archive(path)
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


def _blocks(content: Iterator[Paragraph | Table]) -> Iterator[Block]:
    breaks_before = False
    for item in content:
        if isinstance(item, Table):
            rows = list(describe_rows(_rows(item), is_marked=_has_marked_header(item)))
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


def _rows(table: Table) -> list[list[str]]:
    """The cells of each row; a merged cell counts once."""
    rows: list[list[str]] = []
    for row in table.rows:
        cells: list[str] = []
        seen: set[int] = set()
        for cell in row.cells:
            if id(cell._tc) not in seen:
                seen.add(id(cell._tc))
                cells.append(cell.text)
        rows.append(cells)
    return rows


def _has_marked_header(table: Table) -> bool:
    """Whether Word repeats the first row at the top of each page."""
    return bool(table._tbl.xpath("./w:tr[1]/w:trPr/w:tblHeader"))
