"""Workbooks: every sheet under its name, every row a line in which each cell says its column.

Values as they were last calculated; formulas, charts and macros are left out. No Django here.
"""

import datetime
from collections.abc import Iterator
from pathlib import Path
from zipfile import BadZipFile

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from documents.extraction.archives import check_archive
from documents.extraction.formats import Unreadable
from documents.extraction.pages import Block, ExtractedPage, flow_into_pages
from documents.extraction.tables import describe_rows

# A wider row is one that somebody formatted to the edge of the sheet.
COLUMNS_MAX = 500
# What stands below so many empty rows was not put there for people.
EMPTY_ROWS_MAX = 10_000


def read_xlsx(path: Path) -> tuple[int, Iterator[ExtractedPage]]:
    """How many pages there are and the pages; each sheet begins a new one."""
    check_archive(path)
    try:
        # A path would be judged by its ending, and a blob has none.
        with path.open("rb") as file:
            book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
            pages = [
                page
                for sheet in book.worksheets
                for page in flow_into_pages(list(_sheet_blocks(sheet)), has_page_breaks=False)
            ]
    # The XML parser's own error is a SyntaxError.
    except (
        InvalidFileException,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        SyntaxError,
        BadZipFile,
    ) as error:
        raise Unreadable("file_damaged") from error
    if not pages:
        raise Unreadable("text_missing")
    return len(pages), iter(pages)


def _sheet_blocks(sheet: ReadOnlyWorksheet) -> Iterator[Block]:
    is_first = True
    for line in describe_rows(_rows(sheet), columns_min=2, has_titles=True):
        if is_first:
            yield Block(sheet.title, level=1, starts_page=True)
            is_first = False
        yield Block(line, gap="\n")


def _rows(sheet: ReadOnlyWorksheet) -> Iterator[list[str]]:
    """Rows that hold something. Between two far apart the library makes up a million empty ones."""
    empty = 0
    for row in sheet.iter_rows(max_col=COLUMNS_MAX, values_only=True):
        if any(value is not None for value in row):
            empty = 0
            yield [_cell_text(value) for value in row]
        else:
            empty += 1
            if empty > EMPTY_ROWS_MAX:
                return


def _cell_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.10g}"
    return str(value)
