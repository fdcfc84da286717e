"""The same bytes a second time: what was read and embedded once is copied, not made again.

Rows are copied by the database rather than shared, so that access and deletion stay each document's own and a
search filters on one column. Copying a 300-page book takes a tenth of a second; embedding it takes minutes.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import Count
from django.utils import timezone

from documents.ingest.claims import Claim, ClaimLost, claimed
from documents.ingest.contents import contextual_sql, title_from_name
from documents.models import Document, DocumentStatus

# Of a file that everybody has, some will do.
_TWINS_MAX = 20

_COPY_PAGES = """
INSERT INTO documents_page (document_id, number, label, text)
SELECT %(copy)s, number, label, text FROM documents_page WHERE document_id = %(twin)s
"""
# `search` holds the title's words; a title taken from a file's name is the uploader's own.
_COPY_CHUNKS = f"""
INSERT INTO documents_chunk
    (document_id, ordinal, page, start, "end", heading, is_reference, language, search)
SELECT %(copy)s, c.ordinal, c.page, c.start, c."end", c.heading, c.is_reference, c.language,
    CASE WHEN %(same_title)s THEN c.search ELSE to_tsvector(c.language::regconfig, {contextual_sql("%(title)s")}) END
FROM documents_chunk c JOIN documents_page p ON p.document_id = c.document_id AND p.number = c.page
WHERE c.document_id = %(twin)s
"""  # noqa: S608 - put together from our own words
_COPY_VECTORS = """
INSERT INTO documents_embedding (space_id, chunk_id, document_id, vector)
SELECT e.space_id, mine.id, mine.document_id, e.vector
FROM documents_embedding e
JOIN documents_chunk theirs ON theirs.id = e.chunk_id
JOIN documents_chunk mine ON mine.document_id = %(copy)s AND mine.ordinal = theirs.ordinal
WHERE e.document_id = %(twin)s
"""


def shared_digests(documents: Sequence[Document]) -> set[str]:
    """Which of the documents' digests others have, too, be it among themselves; without one there is no twin."""
    digests = [document.sha256 for document in documents if document.sha256]
    others = Document.objects.filter(sha256__in=digests).exclude(status=DocumentStatus.FAILED)
    counted = others.values("sha256").annotate(count=Count("pk")).filter(count__gt=1)
    return set(counted.values_list("sha256", flat=True))


def find_twins(document: Document) -> tuple[Document | None, bool]:
    """A ready document of the same bytes, if there is one; and whether one is on its way that is worth waiting for."""
    if not document.sha256:
        return None, False
    same = Document.objects.filter(sha256=document.sha256, media_type=document.media_type)
    others = list(
        same.exclude(pk=document.pk).exclude(status=DocumentStatus.FAILED).order_by("pk")[:_TWINS_MAX]
    )
    ready = next((other for other in others if other.status == DocumentStatus.READY), None)
    now = timezone.now()
    is_at_work = any(
        other.claim is not None
        and other.claim_expires_at is not None
        and other.claim_expires_at > now
        and other.pk < document.pk
        for other in others
    )
    return ready, is_at_work and ready is None


def copy_contents(claim: Claim, document: Document, twin: Document) -> bool:
    """Give the document its twin's pages, chunks and vectors; False if the twin has gone meanwhile."""
    title = twin.own_title or title_from_name(document.name)
    values: dict[str, Any] = {
        "copy": document.pk,
        "twin": twin.pk,
        "title": title,
        "same_title": title == twin.title,
    }
    with claimed(claim) as row:
        is_there = Document.objects.filter(pk=twin.pk, status=DocumentStatus.READY)
        if not is_there.select_for_update(no_key=True).values_list("pk").first():
            return False
        with connection.cursor() as cursor:
            for statement in (_COPY_PAGES, _COPY_CHUNKS, _COPY_VECTORS):
                cursor.execute(statement, values)
        changes = {
            "title": title,
            "language": twin.language,
            "page_count": twin.page_count,
            "pages_done": twin.page_count,
            "chunk_count": twin.chunk_count,
        }
        if not row.update(**changes):
            raise ClaimLost
    for name, value in changes.items():
        setattr(document, name, value)
    return True
