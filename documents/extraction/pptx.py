"""Slides: a page each, with its title, its text in reading order, its tables and the speaker's notes.

Left out: charts, pictures, what the master repeats. No Django here.
"""

import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pptx import Presentation
from pptx.exc import PythonPptxError
from pptx.slide import Slide

from documents.extraction.archives import check_archive
from documents.extraction.formats import Unreadable
from documents.extraction.pages import Block, ExtractedPage, compose_page
from documents.extraction.tables import describe_rows

# Groups in groups; a drawing program makes three or four.
_DEPTH_MAX = 20
# What python-pptx makes of a line break within a paragraph.
_LINE_BREAK = "\v"


def read_pptx(path: Path) -> tuple[int, Iterator[ExtractedPage]]:
    """How many slides there are, and a page for each; an empty slide is an empty page."""
    check_archive(path)
    try:
        deck = Presentation(str(path))
        slides = [
            compose_page(list(_blocks(slide, is_first=number == 0)))
            for number, slide in enumerate(deck.slides)
        ]
    except (PythonPptxError, KeyError, ValueError, AttributeError, zipfile.BadZipFile, SyntaxError) as error:
        raise Unreadable("file_damaged") from error
    if not any(slide.text for slide in slides):
        raise Unreadable("text_missing")
    return len(slides), iter(slides)


def _blocks(slide: Slide, *, is_first: bool) -> Iterator[Block]:
    """The title of the first slide is the deck's own."""
    title = slide.shapes.title
    if title is not None and title.has_text_frame and title.text_frame.text.strip():
        yield Block(" ".join(title.text_frame.text.split()), level=1, is_title=is_first)
    shapes = [shape for shape in slide.shapes if title is None or shape.shape_id != title.shape_id]
    # The order of drawing is not that of reading: rows from the top, each from the left.
    shapes.sort(key=lambda shape: (shape.top or 0, shape.left or 0))
    yield from _shape_blocks(shapes, 0)
    if slide.has_notes_slide:
        notes = slide.notes_slide.notes_text_frame
        if notes is not None and notes.text.strip():
            yield Block("Notes", level=2)
            yield Block(notes.text.replace(_LINE_BREAK, "\n").strip())


def _one_line(text: str) -> str:
    return text.replace(_LINE_BREAK, " ").strip()


def _shape_blocks(shapes: Iterable[Any], depth: int) -> Iterator[Block]:
    for shape in shapes:
        if hasattr(shape, "shapes") and depth < _DEPTH_MAX:
            yield from _shape_blocks(shape.shapes, depth + 1)
        elif getattr(shape, "has_table", False):
            rows = ([cell.text for cell in row.cells] for row in shape.table.rows)
            for line in describe_rows(rows, is_marked=bool(shape.table.first_row)):
                yield Block(line, gap="\n")
        elif shape.has_text_frame:
            lines = [
                f"{'  ' * paragraph.level}{text}"
                for paragraph in shape.text_frame.paragraphs
                if (text := _one_line(paragraph.text))
            ]
            if lines:
                yield Block("\n".join(lines))
