"""The text of HTML as blocks: headings, paragraphs, lists, tables, code. For web pages, books and mails.

libxml2 reads what browsers do, within bounds of its own; nothing is fetched or run. No Django here.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent

from lxml import etree, html

from documents.extraction.formats import Unreadable, decode_text
from documents.extraction.pages import Block, ExtractedPage, flow_into_pages
from documents.extraction.tables import describe_rows

# What is not the page's own words.
_SKIPPED = {
    "script",
    "style",
    "noscript",
    "template",
    "svg",
    "math",
    "head",
    "iframe",
    "object",
    "nav",
    "button",
    "select",
    "textarea",
    "datalist",
}
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = {
    *(
        "p",
        "div",
        "section",
        "article",
        "main",
        "header",
        "footer",
        "aside",
        "blockquote",
        "figure",
        "figcaption",
    ),
    *(
        "ul",
        "ol",
        "dl",
        "dt",
        "dd",
        "li",
        "pre",
        "table",
        "hr",
        "address",
        "details",
        "summary",
        "body",
        "html",
    ),
    *("center", "fieldset", "caption"),
    *_HEADINGS,
}
_NOT_CONTENT_ROLES = {"navigation", "search", "menu", "menubar"}
_NOT_SHOWN = re.compile(r"display\s*:\s*none", re.IGNORECASE)
# Deeper than any page; libxml2 itself stops at 256.
_DEPTH_MAX = 250
# Of a list within lists; deeper ones stand below each other.
_INDENT_MAX = " " * 8
# A list that starts beyond this counts from 1.
_DIGITS_MAX = 7
# A picture written into its own tag, or a hundred thousand attributes, over which libxml2 takes minutes: nothing
# in either is read here.
_LONG_TAG = re.compile(r"<[^<>]{20000,}>?")
# Stands for <br> until blanks are tidied; no text holds it, `decode_text` takes such characters out.
_LINE_BREAK = "\x1f"


def read_html(path: Path) -> tuple[int, Iterator[ExtractedPage]]:
    """How many pages there are and the pages, each about a printed one."""
    blocks = list(html_blocks(path.read_bytes()))
    pages = list(flow_into_pages(blocks, has_page_breaks=False))
    if not pages:
        raise Unreadable("text_missing")
    return len(pages), iter(pages)


def html_blocks(data: bytes | str, *, is_part: bool = False) -> Iterator[Block]:
    """The blocks of a page of HTML in reading order, its title first unless it is part of something larger."""
    text = _LONG_TAG.sub("", data if isinstance(data, str) else decode_text(data))
    # The encoding is known by now, whatever the page says of it.
    parser = html.HTMLParser(
        no_network=True, huge_tree=False, remove_comments=True, remove_pis=True, encoding="utf-8"
    )
    try:
        root = html.document_fromstring(text.encode("utf-8", "ignore"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
        raise Unreadable("text_missing") from error
    title = root.findtext("head/title") or ""
    if title.strip() and not is_part:
        yield Block(" ".join(title.split()), is_title=True)
    body = root.find("body")
    yield from _Walk().blocks(root if body is None else body)


class _Walk:
    """Collects running text until a block ends it."""

    def __init__(self) -> None:
        self._words: list[str] = []

    def blocks(self, element: "etree._Element", depth: int = 0) -> Iterator[Block]:
        if depth > _DEPTH_MAX:
            return
        self._words.append(element.text or "")
        items = 0
        for child in element:
            tag = _name(child)
            if _is_skipped(child, tag):
                pass
            elif tag == "br":
                self._words.append(_LINE_BREAK)
            elif tag in _BLOCKS:
                yield from self._flush()
                items += tag == "li"
                yield from self._block(child, tag, depth + 1, items)
            else:
                yield from self.blocks(child, depth + 1)
            self._words.append(child.tail or "")
        if depth == 0:
            yield from self._flush()

    def _block(self, element: "etree._Element", tag: str, depth: int, items: int) -> Iterator[Block]:
        """What one block says; `items` counts those of its list, from 1."""
        if tag in _HEADINGS:
            text = _words(element)
            if text:
                yield Block(text, level=_HEADINGS[tag])
        elif tag == "pre":
            text = "".join(element.itertext()).strip("\n")
            if text.strip():
                yield Block(text)
        elif tag == "table" and element.find(".//table") is None:
            yield from _table(element)
        else:
            inner = list(self._inside(element, depth))
            if tag == "li" and inner:
                texts = [f"{_mark(element, items)} {inner[0].text}", *(_set_in(block) for block in inner[1:])]
                inner = [
                    Block(text, block.level, block.starts_page, "\n")
                    for text, block in zip(texts, inner, strict=True)
                ]
            elif tag in ("ul", "ol") and inner:
                last = inner[-1]
                inner[-1] = Block(last.text, last.level, last.starts_page)
            yield from inner

    def _inside(self, element: "etree._Element", depth: int) -> Iterator[Block]:
        yield from self.blocks(element, depth)
        yield from self._flush()

    def _flush(self) -> Iterator[Block]:
        lines = [" ".join(line.split()) for line in "".join(self._words).split(_LINE_BREAK)]
        text = "\n".join(line for line in lines if line)
        self._words = []
        if text:
            yield Block(text)


def _mark(item: "etree._Element", items: int) -> str:
    """What stands before that item of a list: its number, or a bullet."""
    parent = item.getparent()
    if parent is None or _name(parent) != "ol":
        return "•"
    start = parent.get("start", "")
    first = int(start) if start.isdecimal() and len(start) < _DIGITS_MAX else 1
    return f"{first + items - 1}."


def _set_in(block: Block) -> str:
    """What further belongs to the item, below it; only so far in as people do it, whatever the nesting."""
    if block.level or block.text.startswith(_INDENT_MAX):
        return block.text
    return indent(block.text, "  ")


def _name(element: "etree._Element") -> str:
    return element.tag.rpartition("}")[2].lower() if isinstance(element.tag, str) else ""


def _is_skipped(element: "etree._Element", tag: str) -> bool:
    return (
        not tag
        or tag in _SKIPPED
        or element.get("hidden") is not None
        or element.get("role") in _NOT_CONTENT_ROLES
        or _NOT_SHOWN.search(element.get("style", "")) is not None
    )


def _words(element: "etree._Element") -> str:
    """What an element says on one line."""
    return " ".join("".join(_pieces(element, 0)).split())


def _pieces(element: "etree._Element", depth: int) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        tag = _name(child)
        # Lines and blocks part words as blanks do.
        is_apart = tag == "br" or tag in _BLOCKS
        if not _is_skipped(child, tag) and depth < _DEPTH_MAX:
            yield " " if is_apart else ""
            yield from _pieces(child, depth + 1)
        yield (" " if is_apart else "") + (child.tail or "")


def _table(table: "etree._Element") -> Iterator[Block]:
    caption = table.find("caption")
    if caption is not None:
        text = _words(caption)
        if text:
            yield Block(text, gap="\n")
    rows = [[_words(cell) for cell in row if cell.tag in ("td", "th")] for row in table.iter("tr")]
    first = next(table.iter("tr"), None)
    is_marked = first is not None and len(first) > 0 and all(cell.tag == "th" for cell in first)
    yield from table_blocks(rows, is_marked=is_marked)


def table_blocks(rows: list[list[str]], *, is_marked: bool = False) -> Iterator[Block]:
    """A table's rows as blocks that stand close together."""
    lines = list(describe_rows(rows, is_marked=is_marked))
    for index, line in enumerate(lines, start=1):
        yield Block(line, gap="\n" if index < len(lines) else "\n\n")
