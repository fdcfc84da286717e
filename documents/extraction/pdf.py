"""PDF files through PDFium: text in reading order, page labels, headings by number and letter size.

A page without text that shows a picture is a scan, and is read by `ocr` where that can be. Left out: annotations,
form fields, attachments, scripts (PDFium is built without an engine for them). No Django here.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import msgspec
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from documents.extraction import cleaning, ocr
from documents.extraction.formats import Unreadable
from documents.extraction.pages import PAGE_CHARACTERS_MAX, TITLE_LEVEL, ExtractedPage, Heading

# More pages than any book; a hostile page tree may promise millions.
PAGES_MAX = 20_000
# How much larger than the document's usual letters those of a heading are: LaTeX sets 10 pt text under 12 pt
# section titles, Word 11 under 13.
LARGE_LETTERS = 1.12
TITLE_CHARACTERS_MAX = 200
TITLE_WITHIN_LINES = 12
# A line ends at its line end, or at the mark for a word broken there, which then belongs to it.
_LINE = re.compile(r"[^\r\n\ufffe]+\ufffe?|\ufffe")


class RawPage(msgspec.Struct):
    """A page's lines as PDFium gives them, each with the height of its letters in points."""

    lines: list[str]
    heights: list[float]
    label: str


def read_pdf(path: Path) -> tuple[int, Iterator[ExtractedPage | None]]:
    """How many pages there are; then None for each page as it is read, then the pages.

    All are read before the first is cleaned: what is a running header or a hyphenated word only the whole
    document tells.
    """
    try:
        document = pdfium.PdfDocument(path)
        count = len(document)
    except pdfium.PdfiumError as error:
        raise Unreadable("file_encrypted" if "password" in str(error).lower() else "file_damaged") from error
    if count == 0:
        raise Unreadable("file_damaged")
    if count > PAGES_MAX:
        raise Unreadable("content_too_large")
    return count, _read_all(document, count)


def _read_all(document: pdfium.PdfDocument, count: int) -> Iterator[ExtractedPage | None]:
    pages: list[RawPage] = []
    has_scans = False
    for index in range(count):
        page = _read_page(document, index)
        if not any(page.lines) and _is_picture(document, index):
            has_scans = True
            if ocr.languages():
                page.lines = _recognise(document, index)
                page.heights = [0.0] * len(page.lines)
        pages.append(page)
        yield None
    if not any(any(page.lines) for page in pages):
        raise Unreadable("pictures_unreadable" if has_scans and not ocr.languages() else "text_missing")
    yield from _clean(pages)


def _read_page(document: pdfium.PdfDocument, index: int) -> RawPage:
    """One page; a page that cannot be read is empty and spoils no other."""
    try:
        page = document[index]
        text_page = page.get_textpage()
        lines, heights = _read_lines(text_page)
        label = document.get_page_label(index) or ""
        text_page.close()
        page.close()
    except (pdfium.PdfiumError, UnicodeError):
        return RawPage([], [], "")
    return RawPage(lines, heights, "" if label == str(index + 1) else label[:40])


def _is_picture(document: pdfium.PdfDocument, index: int) -> bool:
    try:
        page = document[index]
        found = next(page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_IMAGE], max_depth=3), None)
        page.close()
    except (pdfium.PdfiumError, ValueError):
        return False
    return found is not None


def _recognise(document: pdfium.PdfDocument, index: int) -> list[str]:
    """The lines of a scanned page; none if it cannot be drawn or read, which spoils no other page."""
    try:
        page = document[index]
        width, height = page.get_size()
        # A page may call itself 14,400 points wide.
        scale = min(ocr.DOTS_PER_INCH / 72, (ocr.PIXELS_MAX / max(width * height, 1.0)) ** 0.5)
        bitmap = page.render(scale=scale, grayscale=True)
        text = ocr.recognise(bitmap.to_pil())
        bitmap.close()
        page.close()
    except (pdfium.PdfiumError, OSError, ValueError, MemoryError):
        return []
    return [cleaning.normalise(line) for line in text.split("\n")]


def _read_lines(text_page: pdfium.PdfTextPage) -> tuple[list[str], list[float]]:
    text = text_page.get_text_range()
    characters = text_page.count_chars()
    lines: list[str] = []
    heights: list[float] = []
    for match in _LINE.finditer(text):
        line = match[0]
        lines.append(cleaning.normalise(line))
        heights.append(_letter_height(text_page, line, match.start(), characters))
    return lines, heights


def _letter_height(text_page: pdfium.PdfTextPage, line: str, start: int, characters: int) -> float:
    """How tall the line is set: the lower of its last letter and a middle one.

    A first letter may be a footnote mark, one letter may belong to a formula, and PDFium makes some up, which
    have no height.
    """
    letters = [start + offset for offset, letter in enumerate(line) if letter.isalpha()]
    samples = {letters[-1], letters[len(letters) // 2]} if letters else set()
    boxes = [text_page.get_charbox(index, loose=True) for index in samples if index < characters]
    return min((float(top - bottom) for _, bottom, _, top in boxes), default=0.0)


def _clean(pages: list[RawPage]) -> Iterator[ExtractedPage]:
    words = cleaning.count_words(page.lines for page in pages)
    running = cleaning.find_running_lines([page.lines for page in pages])
    usual = median([height for page in pages for height in page.heights if height] or [0.0])
    for number, page in enumerate(pages, start=1):
        cleaning.blank_running_lines(page.lines, running)
        cleaning.mend_broken_words(page.lines, words)
        title = _find_title(page, usual) if number == 1 else []
        levels = {
            index: level
            for index, line in enumerate(page.lines)
            if (level := cleaning.heading_level(line, is_large=page.heights[index] > LARGE_LETTERS * usual))
            and index not in title
        }
        text, starts = cleaning.join_lines(page.lines, levels.keys() | title)
        headings = [Heading(starts[index], level, page.lines[index]) for index, level in levels.items()]
        if title:
            name = " ".join(page.lines[index] for index in title)[:TITLE_CHARACTERS_MAX]
            headings.insert(0, Heading(starts[title[0]], TITLE_LEVEL, name))
        yield from _limited(ExtractedPage(text=text, label=page.label, headings=tuple(headings)))


def _find_title(page: RawPage, usual: float) -> list[int]:
    """The lines of the document's title: the first run of the tallest letters near the top, if they stand out."""
    filled = [index for index, line in enumerate(page.lines) if line][:TITLE_WITHIN_LINES]
    candidates = [index for index in filled if sum(letter.isalpha() for letter in page.lines[index]) >= 3]
    if not candidates:
        return []
    tallest = max(page.heights[index] for index in candidates)
    if tallest < LARGE_LETTERS * usual:
        return []
    title = [index for index in candidates if page.heights[index] > 0.97 * tallest]
    return [index for position, index in enumerate(title) if index - title[0] == position]


def _limited(page: ExtractedPage) -> Iterator[ExtractedPage]:
    """The page, without what makes it longer than any printed one."""
    if len(page.text) <= PAGE_CHARACTERS_MAX:
        yield page
    else:
        headings = tuple(heading for heading in page.headings if heading.start < PAGE_CHARACTERS_MAX)
        yield ExtractedPage(page.text[:PAGE_CHARACTERS_MAX], page.label, headings)
