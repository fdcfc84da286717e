"""Word documents: paragraphs, headings, lists, tables, notes and text boxes in reading order. No Django here.

python-docx unpacks the whole file, so the zip's own listing is checked first; its own `text` forgets what stands
in content controls and tracked insertions, so the words are gathered here. Left out: headers and footers (they
repeat), what was deleted, comments, pictures, macros (they are never run).
"""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from docx import Document as open_docx
from docx.document import Document as WordDocument
from docx.oxml.ns import qn
from docx.table import Table
from docx.text.paragraph import Paragraph
from lxml import etree

from documents.extraction.archives import check_archive, parse_xml
from documents.extraction.formats import Unreadable
from documents.extraction.pages import Block, ExtractedPage, flow_into_pages
from documents.extraction.tables import describe_rows

_HEADING_STYLE = re.compile(r"heading ([1-9])", re.IGNORECASE)
# A style may be made from another that is a heading; chains are short, circles are possible.
_STYLES_MAX = 10
_NOTES = re.compile(r"/(footnote|endnote)s$")
_LETTERS = {qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
# Not the paragraph's own words: what was deleted or moved away, what stands in a box, the second form of a drawing.
_NOT_TEXT = {qn("w:del"), qn("w:moveFrom"), qn("w:txbxContent"), qn("w:pPr"), qn("w:rPr"), _FALLBACK}
# What other things are wrapped in: content controls and markup of programs.
_WRAPPERS = {qn("w:sdt"), qn("w:sdtContent"), qn("w:customXml"), qn("w:ins"), qn("w:moveTo")}


def read_docx(path: Path) -> tuple[int, Iterator[ExtractedPage]]:
    """How many pages there are and the pages: Word's own where it left its page breaks in the file."""
    check_archive(path)
    try:
        document = open_docx(str(path))
        blocks = list(_Reader(document).blocks(document.element.body))
    except (KeyError, ValueError, AttributeError, zipfile.BadZipFile, SyntaxError) as error:
        raise Unreadable("file_damaged") from error
    has_breaks = any(block.starts_page for block in blocks)
    pages = list(flow_into_pages(blocks, has_page_breaks=has_breaks))
    if not pages:
        raise Unreadable("text_missing")
    return len(pages), iter(pages)


class _Reader:
    """Walks one document; it knows the notes, and whether a page has just ended."""

    def __init__(self, document: WordDocument) -> None:
        self._document = document
        self._notes = dict(_read_notes(document))
        self._breaks_before = False
        self._has_title = False

    def blocks(self, container: "etree._Element") -> Iterator[Block]:
        for item in _items(container):
            if item.tag == qn("w:tbl"):
                yield from self._table(item)
            else:
                yield from self._paragraph(item)

    def _paragraph(self, element: "etree._Element") -> Iterator[Block]:
        paragraph = Paragraph(element, self._document._body)
        self._breaks_before = self._breaks_before or _has_page_break(paragraph)
        text = _text(element).strip()
        if text:
            level = _heading_level(paragraph)
            is_title = not self._has_title and _is_title(paragraph)
            self._has_title = self._has_title or is_title
            is_item = not level and _is_list_item(paragraph)
            yield Block(
                f"• {text}" if is_item else text,
                level,
                self._breaks_before,
                "\n" if is_item else "\n\n",
                is_title,
            )
            self._breaks_before = False
        for reference in element.iter(qn("w:footnoteReference"), qn("w:endnoteReference")):
            kind = "footnote" if reference.tag == qn("w:footnoteReference") else "endnote"
            note = self._notes.pop((kind, reference.get(qn("w:id"))), "")
            if note:
                yield Block(note)
        for box in element.iter(qn("w:txbxContent")):
            if not any(parent.tag in {_FALLBACK, box.tag} for parent in box.iterancestors()):
                yield from self.blocks(box)

    def _table(self, element: "etree._Element") -> Iterator[Block]:
        if element.find(f".//{qn('w:tbl')}") is not None:
            # Tables within one arrange a page; they are no table themselves.
            for cell in element.iter(qn("w:tc")):
                if next(cell.iterancestors(qn("w:tbl"))) is element:
                    yield from self.blocks(cell)
            return
        table = Table(element, self._document._body)
        rows = list(describe_rows(_rows(table), is_marked=_has_marked_header(table)))
        for index, row in enumerate(rows):
            yield Block(row, 0, self._breaks_before and index == 0, "\n" if index + 1 < len(rows) else "\n\n")
        self._breaks_before = self._breaks_before and not rows


def _items(container: "etree._Element") -> Iterator["etree._Element"]:
    """The paragraphs and tables in it, also those that something is wrapped around."""
    for child in container:
        if child.tag in (qn("w:p"), qn("w:tbl")):
            yield child
        elif child.tag in _WRAPPERS:
            yield from _items(child)


def _text(element: "etree._Element") -> str:
    """The words of a paragraph as it reads with all changes accepted."""
    parts: list[str] = []
    for child in element:
        if child.tag == qn("w:t"):
            parts.append(child.text or "")
        elif child.tag in _LETTERS:
            parts.append("" if child.get(qn("w:type")) == "page" else _LETTERS[child.tag])
        elif child.tag not in _NOT_TEXT:
            parts.append(_text(child))
    return "".join(parts)


def _read_notes(document: WordDocument) -> Iterator[tuple[tuple[str, str | None], str]]:
    """The text of each footnote and endnote by its kind and id."""
    for relation in document.part.rels.values():
        match = _NOTES.search(relation.reltype)
        if match is None or relation.is_external:
            continue
        for note in parse_xml(relation.target_part.blob):
            if note.get(qn("w:type")) is None:
                text = " ".join(" ".join(_text(paragraph) for paragraph in note.iter(qn("w:p"))).split())
                yield (match[1], note.get(qn("w:id"))), text


def _has_page_break(paragraph: Paragraph) -> bool:
    """Whether a page ends in or right before the paragraph; it is counted to the new page as a whole."""
    properties = paragraph._p.pPr
    if properties is not None and properties.find(qn("w:pageBreakBefore")) is not None:
        return True
    return bool(paragraph._p.xpath('.//w:lastRenderedPageBreak | .//w:br[@w:type="page"]'))


def _heading_level(paragraph: Paragraph) -> int:
    """By the paragraph's style, or the one that it was made from."""
    style = paragraph.style
    for _ in range(_STYLES_MAX):
        if style is None:
            break
        match = _HEADING_STYLE.fullmatch(style.name or "")
        if match or _is_title(paragraph):
            return int(match[1]) if match else 1
        style = style.base_style
    return 0


def _is_title(paragraph: Paragraph) -> bool:
    return paragraph.style is not None and (paragraph.style.name or "").lower() == "title"


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
                cells.append(" ".join(_text(paragraph) for paragraph in cell._tc.iter(qn("w:p"))))
        rows.append(cells)
    return rows


def _has_marked_header(table: Table) -> bool:
    """Whether Word repeats the first row at the top of each page."""
    return bool(table._tbl.xpath("./w:tr[1]/w:trPr/w:tblHeader"))
