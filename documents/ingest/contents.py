"""What was read from a document, as rows: its pages and chunks, written and removed as a whole."""

import re
import uuid
from collections.abc import Sequence
from pathlib import Path

from django.db import connection

from documents.extraction.pages import ExtractedPage
from documents.ingest.chunking import Span
from documents.models import Chunk, Embedding, Page

HEADING_CHARACTERS_MAX = 300

_NUMBERED = re.compile(r"[A-Za-z]{0,4}[\W_]?\d+(?:[\W_]\d+)*")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")


def contextual_text(title: str, heading: str, text: str) -> str:
    """What is embedded and indexed for a chunk: it starts with where it stands.

    On the ARAGOG papers the title lifts the right document first from .89 to .96. Headings change nothing there,
    but a manual's "Installation" or a policy's "Travel" is often only said in one.
    """
    context = " › ".join(part for part in (title, heading) if part)
    return f"{context}\n{text}" if context else text


def contextual_sql(title: str) -> str:
    """The same in SQL, for `documents_chunk c` and its `documents_page p`; `title` is an expression."""
    context = f"concat_ws(' › ', nullif({title}, ''), nullif(c.heading, ''))"
    return f"concat_ws(E'\\n', nullif({context}, ''), substr(p.text, c.start + 1, c.\"end\" - c.start))"


def title_from_name(name: str) -> str:
    """What a document is called that does not say: its file's name as words; empty where the name is but a number.

    `4983.txt` and `IMG_0231.png` say nothing of what is in them, and would stand before every text that is embedded.
    """
    stem = Path(name).stem
    if _NUMBERED.fullmatch(stem) and not _YEAR.search(stem):
        return ""
    return stem.replace("_", " ").replace("-", " ").strip()


def remove_contents(document_id: uuid.UUID) -> None:
    """The document's pages, chunks and vectors are gone."""
    Embedding.objects.filter(document_id=document_id).delete()
    Chunk.objects.filter(document_id=document_id).delete()
    Page.objects.filter(document_id=document_id).delete()


def store_pages(document_id: uuid.UUID, pages: Sequence[ExtractedPage]) -> None:
    """Write the pages, numbered from 1."""
    statement = "COPY documents_page (document_id, number, label, text) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for number, page in enumerate(pages, start=1):
            copy.write_row((document_id, number, page.label, page.text))


def store_chunks(
    document_id: uuid.UUID, pages: Sequence[ExtractedPage], spans: Sequence[Span], title: str, language: str
) -> list[tuple[int, str]]:
    """The ids of the new chunks that get a vector, each with its text in context.

    One statement for all: COPY cannot compute `search`, and a row each would cost a round trip each.
    """
    rows = [
        (
            ordinal,
            span.page,
            span.start,
            span.end,
            span.heading[:HEADING_CHARACTERS_MAX],
            span.is_reference,
            contextual_text(title, span.heading, pages[span.page - 1].text[span.start : span.end]),
        )
        for ordinal, span in enumerate(spans)
    ]
    columns = [list(column) for column in zip(*rows, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO documents_chunk"
            ' (document_id, ordinal, page, start, "end", heading, is_reference, language, search)'
            " SELECT %s, ordinal, page, start, stop, heading, is_reference, %s, to_tsvector(%s::regconfig, body)"
            " FROM unnest(%s::int[], %s::int[], %s::int[], %s::int[], %s::text[], %s::bool[], %s::text[])"
            " AS span (ordinal, page, start, stop, heading, is_reference, body) RETURNING ordinal, id",
            [document_id, language, language, *columns],
        )
        ids = dict(cursor.fetchall())
    return [(ids[ordinal], body) for ordinal, *_, is_reference, body in rows if not is_reference]
