"""Tables as text (CSV, TSV) and data as text (JSON, JSON lines): rows and records that stand for themselves.

No Django here.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from documents.extraction.formats import MediaType, Unreadable, decode_text
from documents.extraction.notebook import is_notebook, read_notebook
from documents.extraction.pages import Block, ExtractedPage, flow_into_pages
from documents.extraction.plain import pages_of_text
from documents.extraction.tables import describe_rows

_SAMPLE_CHARACTERS = 16_384
# Of two that part the rows as evenly the first: decimals have commas, cells rarely have tabs.
_DELIMITERS = "\t;|,"
# A table may have other lines above it and below.
_SHARE_MIN = 0.5
# One cell; a quote that is never closed would make one of the rest of the file.
CELL_CHARACTERS_MAX = 1_000_000
# Records of more are written out as they are nested.
_FLAT_FIELDS_MAX = 100
# An object within an object is a section of it; what is nested deeper than headings go is written out.
_SECTIONS_DEEP = 6
_NOTHING: tuple[object, ...] = (None, "", [], {})


def read_delimited(path: Path) -> tuple[int, Iterator[ExtractedPage]]:
    """How many pages there are and the pages; every row says its columns."""
    text = decode_text(path.read_bytes())
    csv.field_size_limit(CELL_CHARACTERS_MAX)
    delimiter = _find_delimiter(text[:_SAMPLE_CHARACTERS])
    if delimiter is None:
        return pages_of_text(text)
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
        lines = list(describe_rows(rows, columns_min=2, has_titles=True))
    except csv.Error as error:
        raise Unreadable("file_damaged") from error
    return _laid_out(lines)


def _find_delimiter(sample: str) -> str | None:
    """Whatever parts most rows into as many cells; None for lines that nothing parts.

    The standard library's sniffer goes by letters and takes the commas of decimals for it.
    """
    best, best_share = None, _SHARE_MIN
    for delimiter in _DELIMITERS:
        try:
            rows = list(
                csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter, skipinitialspace=True)
            )
        except csv.Error:
            continue
        # The last one may be cut.
        widths = Counter(len(row) for row in (rows[:-1] or rows) if row)
        share = max((count for width, count in widths.items() if width > 1), default=0) / max(
            1, widths.total()
        )
        if share > best_share:
            best, best_share = delimiter, share
    return best


def read_json(path: Path, media_type: MediaType) -> tuple[int, Iterator[ExtractedPage]]:
    """How many pages there are and the pages: a line for each field and each record of a list, under the names of what
    they are nested in.
    """
    text = decode_text(path.read_bytes())
    try:
        data: object
        if media_type is MediaType.JSON_LINES:
            data = [json.loads(line) for line in text.splitlines() if line.strip()]
        else:
            data = json.loads(text)
        if is_notebook(data):
            return read_notebook(data)
        if isinstance(data, list) and data:
            return _laid_out([_record(item) for item in data])
        if isinstance(data, dict) and data:
            return _in_pages(_sections(data, 1))
        return pages_of_text(json.dumps(data, ensure_ascii=False))
    except (ValueError, RecursionError):
        # Not quite JSON, or nested beyond sense; the words in it can be found all the same.
        return pages_of_text(text)


def _sections(data: dict[str, object], level: int) -> Iterator[Block]:
    """The object's own fields first: below a heading they would seem to be of what it names."""
    nested = {key: value for key, value in data.items() if _is_section(value) and level <= _SECTIONS_DEEP}
    fields = {key: value for key, value in data.items() if key not in nested and value not in _NOTHING}
    if fields:
        yield Block("\n".join(f"{key}: {_value(value)}" for key, value in fields.items()))
    for key, value in nested.items():
        yield Block(" ".join(key.split()) or "-", level=level)
        if isinstance(value, dict):
            yield from _sections(value, level + 1)
        elif isinstance(value, list):
            yield Block("\n".join(filter(None, map(_record, value))))


def _is_section(value: object) -> bool:
    """Whether it is an object with something in it, or a list of such."""
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, dict) and item for item in value)
    return isinstance(value, dict) and bool(value)


def _record(item: object) -> str:
    if isinstance(item, dict) and len(item) <= _FLAT_FIELDS_MAX:
        return " | ".join(f"{key}: {_value(value)}" for key, value in item.items() if value not in _NOTHING)
    return _value(item)


def _value(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return " ".join(text.split())


def _laid_out(lines: list[str]) -> tuple[int, Iterator[ExtractedPage]]:
    return _in_pages(Block(line, gap="\n") for line in lines if line)


def _in_pages(blocks: Iterable[Block]) -> tuple[int, Iterator[ExtractedPage]]:
    pages = list(flow_into_pages(blocks, has_page_breaks=False))
    if not pages:
        raise Unreadable("text_missing")
    return len(pages), iter(pages)
