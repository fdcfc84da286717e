"""OpenDocument texts, sheets and slides: headings, paragraphs, lists, tables. No Django here.

All three keep their content in one XML part of the same words (OASIS OpenDocument 1.3, part 3). Left out: headers
and footers, drawings, comments, macros.
"""

from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from documents.extraction.archives import open_archive, parse_xml
from documents.extraction.formats import Unreadable
from documents.extraction.pages import Block, ExtractedPage, flow_into_pages
from documents.extraction.tables import describe_rows

_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_DRAW = "{urn:oasis:names:tc:opendocument:xmlns:drawing:1.0}"
_PRESENTATION = "{urn:oasis:names:tc:opendocument:xmlns:presentation:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
# A cell or row may say that it is repeated to the sheet's edge.
_REPEATS_MAX = 50
_DEPTH_MAX = 200
_LEVEL_MAX = 6
# Notes stand after their paragraph, comments are left out.
_ASIDE = (f"{_TEXT}note", f"{_OFFICE}annotation")


def read_odf(path: Path) -> tuple[int, Iterator[ExtractedPage]]:
    """How many pages there are and the pages; a sheet and a slide begin a new one."""
    with open_archive(path) as archive:
        root = parse_xml(archive.read("content.xml"))
    body = root.find(f"{_OFFICE}body")
    blocks = list(_blocks(root if body is None else body, 0))
    has_breaks = any(block.starts_page for block in blocks)
    is_presentation = body is not None and body.find(f"{_OFFICE}presentation") is not None
    pages = list(flow_into_pages(blocks, has_page_breaks=has_breaks and is_presentation))
    if not pages:
        raise Unreadable("text_missing")
    return len(pages), iter(pages)


def _blocks(parent: "etree._Element", depth: int) -> Iterator[Block]:
    if depth > _DEPTH_MAX:
        return
    for child in parent:
        tag = child.tag
        if tag == f"{_TEXT}h":
            level = child.get(f"{_TEXT}outline-level", "1")
            yield from _line(child, level=min(int(level), _LEVEL_MAX) if level.isdigit() else 1)
        elif tag == f"{_TEXT}p":
            yield from _line(child)
        elif tag == f"{_TEXT}list-item":
            for block in _blocks(child, depth + 1):
                is_marked = block.text.startswith("• ") or block.level
                yield block if is_marked else Block(f"• {block.text}", gap="\n")
        elif tag == f"{_TABLE}table":
            yield from _table(child)
        elif tag == f"{_DRAW}page":
            yield from _slide(child, depth + 1)
        elif tag == f"{_TEXT}tracked-changes":
            continue
        elif isinstance(tag, str):
            yield from _blocks(child, depth + 1)


def _slide(page: "etree._Element", depth: int) -> Iterator[Block]:
    """Under its title, or under its name where it has none."""
    title = next((frame for frame in page if frame.get(f"{_PRESENTATION}class") == "title"), None)
    words = "" if title is None else _text(title)
    yield Block(words or page.get(f"{_DRAW}name") or "Slide", level=1, starts_page=True)
    if title is not None:
        page.remove(title)
    yield from _blocks(page, depth)


def _line(element: "etree._Element", level: int = 0) -> Iterator[Block]:
    text = _text(element)
    if text:
        yield Block(text, level=level)
    for body in element.iter(f"{_TEXT}note-body"):
        note = " ".join(_text(part) for part in body)
        if note:
            yield Block(note)


def _text(element: "etree._Element") -> str:
    return " ".join("".join(_words(element)).split())


def _words(element: "etree._Element") -> Iterator[str]:
    yield element.text or ""
    for node in element:
        if node.tag in (f"{_TEXT}s", f"{_TEXT}tab", f"{_TEXT}line-break"):
            yield " "
        elif node.tag not in _ASIDE and isinstance(node.tag, str):
            yield from _words(node)
        yield node.tail or ""


def _table(table: "etree._Element") -> Iterator[Block]:
    name = table.get(f"{_TABLE}name", "")
    is_sheet = table.getparent() is not None and table.getparent().tag == f"{_OFFICE}spreadsheet"
    lines = list(describe_rows(_rows(table), columns_min=2 if is_sheet else 3, has_titles=is_sheet))
    if lines and is_sheet:
        yield Block(name or "Sheet", level=1, starts_page=True)
    for index, line in enumerate(lines, start=1):
        yield Block(line, gap="\n" if index < len(lines) else "\n\n")


def _rows(table: "etree._Element") -> Iterator[list[str]]:
    for row in table.iter(f"{_TABLE}table-row"):
        cells: list[str] = []
        for cell in row.iterchildren(f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
            text = " ".join(_text(part) for part in cell.iterchildren(f"{_TEXT}p", f"{_TEXT}h"))
            repeats = cell.get(f"{_TABLE}number-columns-repeated", "1")
            cells += [text] * min(int(repeats) if repeats.isdigit() else 1, _REPEATS_MAX)
        yield cells
