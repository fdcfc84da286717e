"""Rows of tables as lines of text that stand for themselves: each cell says its column, so that a header travels
with every row, into every chunk and into every citation. Pure; no Django here.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

HEADER_CHARACTERS_MAX = 80
# Letters first: a header says what a figure is, and is none.
_NAME = re.compile(r"[^\W\d_]")


def describe_rows(
    rows: Iterable[Sequence[str]], *, columns_min: int = 3, is_marked: bool = False
) -> Iterator[str]:
    """Each row as one line, blank ones left out.

    Under a header row a line is `Boat: dinghy | Fee: 12 crowns`, else its cells with ` | ` between them. Whether
    the first row is a header the format may say (`is_marked`); otherwise it is one if it looks like one and the
    table has `columns_min` columns: two columns are mostly a list of names and values.
    """
    lines = iter(rows)
    first = next((row for row in map(_tidy, lines) if any(row)), None)
    if first is None:
        return
    is_header = looks_like_header(first) and (is_marked or len(first) >= columns_min)
    has_rows = False
    for row in map(_tidy, lines):
        if not any(row):
            continue
        if not has_rows and not is_header:
            yield _join(first)
        has_rows = True
        yield _join(_named(first, row) if is_header else row)
    if not has_rows:
        yield _join(first)


def looks_like_header(row: Sequence[str]) -> bool:
    """Whether the row names columns: every cell a short name, and none twice."""
    names = [cell for cell in row if cell]
    return (
        len(row) > 1
        and len(names) == len(row)
        and len(set(names)) == len(names)
        and all(len(name) <= HEADER_CHARACTERS_MAX and _NAME.search(name) for name in names)
    )


def _tidy(row: Sequence[str]) -> list[str]:
    cells = [" ".join(cell.split()) for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _named(header: Sequence[str], row: Sequence[str]) -> list[str]:
    named = [f"{name}: {cell}" for name, cell in zip(header, row, strict=False) if cell]
    return [*named, *(cell for cell in row[len(header) :] if cell)]


def _join(cells: Sequence[str]) -> str:
    return " | ".join(cell for cell in cells if cell)
