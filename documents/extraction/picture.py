"""Draws a page of a PDF, and finds where on it a passage of the extracted text stands.

`python -m documents.extraction.picture PATH PAGE WIDTH`, the passage's text on standard input; on standard output the
answer's length, the answer as JSON, and the picture. A process of its own with limits, for the file is a stranger's.

The extracted text was cleaned (hyphens mended, lines joined, headers gone), so the passage is looked for by its
letters and digits alone, and what is found is marked line by line. No Django here.
"""

import ctypes
import os
import struct
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

import msgspec
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from documents.extraction.limits import end_with_parent, limit_this_process

CPU_SECONDS = 20
MEMORY_BYTES = 2 * 1024**3
WIDTH_MAX = 2000
# A page may call itself 14,400 points high.
PIXELS_MAX = 12_000_000
# Sharp letters at a third of PNG's size; 60 to 120 kB a page of a paper.
QUALITY = 82
# Letters by which a passage that is not found whole is found by its beginning and its end.
ANCHOR_LETTERS = 24
_FINE = 10_000
LENGTH = struct.Struct(">I")

Box = tuple[float, float, float, float]


class Answer(msgspec.Struct):
    """The page's size in points, the picture's in pixels, and the marks: left, top, width, height as shares of it."""

    width: float
    height: float
    pixels: tuple[int, int]
    marks: list[Box]


def letters_of(text: str) -> tuple[str, list[int]]:
    """The text's letters and digits, plain and in lower case, and where in the text each comes from."""
    letters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        for plain in unicodedata.normalize("NFKC", character).lower():
            if plain.isalnum():
                letters.append(plain)
                places.append(place)
    return "".join(letters), places


def locate(passage: str, text: str) -> tuple[int, int] | None:
    """Where in `text` the passage stands, by its letters: whole, or from its beginning to its end; None if neither."""
    wanted, _ = letters_of(passage)
    found, places = letters_of(text)
    if not wanted:
        return None
    start = found.find(wanted)
    stop = start + len(wanted)
    if start < 0:
        start = _find_anchor(found, wanted, from_end=False)
        stop = _find_anchor(found, wanted, from_end=True)
        if start < 0 and stop < 0:
            return None
        start = start if start >= 0 else max(0, stop - len(wanted))
        stop = stop if stop > start else min(len(found), start + len(wanted))
    return places[start], places[stop - 1] + 1


def _find_anchor(found: str, wanted: str, *, from_end: bool) -> int:
    """Where a few letters near the passage's beginning put its start, or near its end its stop; -1 if nowhere."""
    for offset in range(0, max(1, len(wanted) // 2), ANCHOR_LETTERS // 2):
        if from_end:
            last = len(wanted) - offset
            place = found.find(wanted[max(0, last - ANCHOR_LETTERS) : last])
            if place >= 0:
                return min(len(found), place + min(ANCHOR_LETTERS, last) + offset)
        else:
            place = found.find(wanted[offset : offset + ANCHOR_LETTERS])
            if place >= 0:
                return max(0, place - offset)
    return -1


def draw(path: Path, number: int, width: int, passage: str) -> tuple[Answer, bytes]:
    """Page `number`, from 1, `width` pixels wide, as WebP, and the passage on it; raises for a page that is none."""
    document = pdfium.PdfDocument(path)
    page = document[number - 1]
    page_width, page_height = page.get_size()
    scale = min(width / page_width, (PIXELS_MAX / (page_width * page_height)) ** 0.5)
    picture = page.render(scale=scale, draw_annots=False).to_pil()
    output = BytesIO()
    picture.save(output, "WEBP", quality=QUALITY, method=2)
    marks = list(_marks(page, passage)) if passage else []
    answer = Answer(page_width, page_height, picture.size, marks)
    return answer, output.getvalue()


def _marks(page: pdfium.PdfPage, passage: str) -> Iterator[Box]:
    text_page = page.get_textpage()
    span = locate(passage, text_page.get_text_range())
    if span is None:
        return
    start, stop = span
    boxes = [text_page.get_rect(index) for index in range(text_page.count_rects(start, stop - start))]
    for left, bottom, right, top in join_lines(boxes):
        (x, y), (far_x, far_y) = _on_picture(page, left, top), _on_picture(page, right, bottom)
        yield min(x, far_x), min(y, far_y), round(abs(far_x - x), 4), round(abs(far_y - y), 4)


def _on_picture(page: pdfium.PdfPage, x: float, y: float) -> tuple[float, float]:
    """A point of the page as shares of its picture's width and height, turned and cropped as the picture is."""
    across, down = ctypes.c_int(), ctypes.c_int()
    pdfium_c.FPDF_PageToDevice(page.raw, 0, 0, _FINE, _FINE, 0, x, y, across, down)
    return across.value / _FINE, down.value / _FINE


def join_lines(rectangles: Sequence[Box]) -> list[Box]:
    """Boxes (left, bottom, right, top) of one line and column as one: a change of font begins a new one in PDFium."""
    joined: list[Box] = []
    for left, bottom, right, top in rectangles:
        if right - left < 0.1 or top - bottom < 0.1:
            continue
        if joined:
            last_left, last_bottom, last_right, last_top = joined[-1]
            overlap = min(top, last_top) - max(bottom, last_bottom)
            is_near = -1 < left - last_right < 2 * (top - bottom)
            if overlap > 0.4 * min(top - bottom, last_top - last_bottom) and is_near:
                joined[-1] = (last_left, min(bottom, last_bottom), max(right, last_right), max(top, last_top))
                continue
        joined.append((left, bottom, right, top))
    return joined


def main(arguments: list[str]) -> None:
    end_with_parent(os.getppid())
    limit_this_process(CPU_SECONDS, MEMORY_BYTES)
    path, number, width = Path(arguments[1]), int(arguments[2]), min(int(arguments[3]), WIDTH_MAX)
    answer, picture = draw(path, number, width, sys.stdin.read())
    encoded = msgspec.json.encode(answer)
    sys.stdout.buffer.write(LENGTH.pack(len(encoded)) + encoded + picture)


if __name__ == "__main__":
    main(sys.argv)
