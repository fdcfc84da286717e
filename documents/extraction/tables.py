"""Rows of tables as lines of text that stand for themselves: each cell says its column, so that a header travels
with every row, into every chunk and into every citation. Pure; no Django here.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

HEADER_CHARACTERS_MAX = 80
# Letters first: a header says what a figure is, and is none.
_NAME = re.compile(r"[^\W\d_]")
# But figures by year are the commonest table of all.
_YEAR = re.compile(r"(?:19|20)\d\d")
# What a sheet says of itself above its table.
_TITLE_ROWS_MAX = 6


def describe_rows(
    rows: Iterable[Sequence[str]],
    *,
    columns_min: int = 3,
    is_marked: bool = False,
    has_titles: bool = False,
) -> Iterator[str]:
    """Each row as one line, blank ones left out.

    Under a header row a line is `Boat: dinghy | Fee: 12 crowns`, else its cells with ` | ` between them. Whether
    the first row is a header the format may say (`is_marked`); otherwise it is one if it looks like one and the
    table has `columns_min` columns: two columns are mostly a list of names and values. With `has_titles` rows of
    a single cell may stand above a header of three columns or more.
    """
    lines = filter(any, map(_tidy, rows))
    first = next(lines, None)
    titles = 0
    while first is not None and has_titles and titles < _TITLE_ROWS_MAX and sum(map(bool, first)) == 1:
        yield _join(first)
        titles += 1
        columns_min = max(columns_min, 3)
        first = next(lines, None)
    if first is None:
        return
    is_header = looks_like_header(first) and (is_marked or len(first) >= columns_min)
    has_rows = False
    for row in lines:
        if not has_rows and not is_header:
            yield _join(first)
        has_rows = True
        yield _join(_named(first, row) if is_header else row)
    if not has_rows:
        yield _join(first)


def looks_like_header(row: Sequence[str]) -> bool:
    """Whether the row names columns: every cell a short name or a year, and none twice; the corner may be empty."""
    has_corner = len(row) > 2 and not row[0]
    names = row[1:] if has_corner else row
    return (
        len(row) > 1
        and all(names)
        and len(set(names)) == len(names)
        and (has_corner or any(_NAME.search(name) for name in names))
        and all(
            len(name) <= HEADER_CHARACTERS_MAX and (_NAME.search(name) or _YEAR.fullmatch(name))
            for name in names
        )
    )


def _tidy(row: Sequence[str]) -> list[str]:
    cells = [" ".join(cell.split()) for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _named(header: Sequence[str], row: Sequence[str]) -> list[str]:
    pairs = zip(header, row, strict=False)
    named = [f"{name}: {cell}" if name else cell for name, cell in pairs if cell]
    return [*named, *(cell for cell in row[len(header) :] if cell)]


def _join(cells: Sequence[str]) -> str:
    return " | ".join(cell for cell in cells if cell)
