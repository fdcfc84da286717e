"""What was read from a document, as rows: its pages and chunks, written and removed as a whole."""

import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

from documents.extraction.pages import ExtractedPage
from documents.ingest.chunking import Span
from documents.models import Chunk, Embedding, Page

HEADING_CHARACTERS_MAX = 300

_NUMBERED = re.compile(
    r"(?:[A-Z]{0,4}|abstract|article|document|image|passage|picture|record|screenshot|untitled)"
    r"[\W_]?\d+(?:[\W_]\d+)*",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")


@dataclass(frozen=True, slots=True)
class Contents:
    """What was read from a document and is to be stored: its pages, and the spans of them that become chunks."""

    document_id: uuid.UUID
    pages: Sequence[ExtractedPage]
    spans: Sequence[Span]
    title: str
    language: str


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

    `4983.txt`, `IMG_0231.png` and `document-7.txt` say nothing of what is in them, and would stand before every text
    that is embedded.
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


def store_pages(documents: Sequence[Contents]) -> None:
    """Write the documents' pages, numbered from 1 in each."""
    statement = "COPY documents_page (document_id, number, label, text) FROM STDIN"
    # Django knows no COPY, and would let psycopg's own errors through.
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(statement) as copy:
        for contents in documents:
            for number, page in enumerate(contents.pages, start=1):
                copy.write_row((contents.document_id, number, page.label, page.text))


def store_chunks(documents: Sequence[Contents]) -> dict[uuid.UUID, list[tuple[int, str]]]:
    """By document the ids of the new chunks that get a vector, each with its text in context.

    One statement for all: COPY cannot compute `search`, and a row each would cost a round trip each.
    """
    rows = [row for contents in documents for row in _chunk_rows(contents)]
    columns = [list(column) for column in zip(*rows, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO documents_chunk"
            ' (document_id, ordinal, page, start, "end", heading, is_reference, language, search)'
            " SELECT document_id, ordinal, page, start, stop, heading, is_reference, language,"
            " to_tsvector(language::regconfig, body)"
            " FROM unnest(%s::uuid[], %s::int[], %s::int[], %s::int[], %s::int[], %s::text[], %s::bool[],"
            " %s::text[], %s::text[])"
            " AS span (document_id, ordinal, page, start, stop, heading, is_reference, language, body)"
            " RETURNING document_id, ordinal, id",
            columns,
        )
        ids = {(document_id, ordinal): chunk_id for document_id, ordinal, chunk_id in cursor.fetchall()}
    fresh: dict[uuid.UUID, list[tuple[int, str]]] = {contents.document_id: [] for contents in documents}
    for document_id, ordinal, *_, is_reference, _, body in rows:
        if not is_reference:
            fresh[document_id].append((ids[document_id, ordinal], body))
    return fresh


def _chunk_rows(contents: Contents) -> Iterator[tuple[uuid.UUID, int, int, int, int, str, bool, str, str]]:
    for ordinal, span in enumerate(contents.spans):
        text = contents.pages[span.page - 1].text[span.start : span.end]
        yield (
            contents.document_id,
            ordinal,
            span.page,
            span.start,
            span.end,
            span.heading[:HEADING_CHARACTERS_MAX],
            span.is_reference,
            contents.language,
            contextual_text(contents.title, span.heading, text),
        )
