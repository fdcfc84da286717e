"""Jupyter notebooks: what was written, the code, and what it printed; pictures and widgets are left out.

The format: https://nbformat.readthedocs.io/en/latest/format_description.html. No Django here.
"""

from collections.abc import Iterator
from typing import TypeGuard

from documents.extraction.formats import Unreadable
from documents.extraction.pages import Block, ExtractedPage, flow_into_pages
from documents.extraction.plain import markdown_blocks

# Of what a cell printed: a training log says little after that.
OUTPUT_CHARACTERS_MAX = 2000


def is_notebook(data: object) -> TypeGuard[dict[str, object]]:
    """Whether the data are a notebook's."""
    return isinstance(data, dict) and "nbformat" in data and isinstance(data.get("cells"), list)


def read_notebook(data: dict[str, object]) -> tuple[int, Iterator[ExtractedPage]]:
    """How many pages there are and the pages, each about a printed one."""
    cells = data["cells"]
    assert isinstance(cells, list)
    blocks = [block for cell in cells if isinstance(cell, dict) for block in _cell_blocks(cell)]
    pages = list(flow_into_pages(blocks, has_page_breaks=False))
    if not pages:
        raise Unreadable("text_missing")
    return len(pages), iter(pages)


def _cell_blocks(cell: dict[str, object]) -> Iterator[Block]:
    source = _text(cell.get("source"))
    if cell.get("cell_type") == "markdown":
        yield from markdown_blocks(source)
    elif source.strip():
        yield Block(source.strip("\n"))
    outputs = cell.get("outputs")
    for output in outputs if isinstance(outputs, list) else ():
        if isinstance(output, dict):
            data = output.get("data")
            shown = data.get("text/plain") if isinstance(data, dict) else output.get("text")
            text = _text(shown)[:OUTPUT_CHARACTERS_MAX].strip("\n")
            if text.strip():
                yield Block(text)


def _text(value: object) -> str:
    """A string, or lines in a list."""
    lines = value if isinstance(value, list) else [value]
    return "".join(line for line in lines if isinstance(line, str)).replace("\x00", "")
