"""What people uploaded and what was read from it: collections, documents, pages, chunks, vectors. No IO here.

    CollectionGrant n─1 Collection 1─n Document 1─n Page      text as extracted: what citations and the viewer
                                                              count offsets in
                                                1─n Chunk     a span of one page, with what full-text search needs
                                                       1─n Embedding n─1 VectorSpace

A chunk keeps no text of its own: it is `page.text[start:end]`, offsets in Unicode code points.
"""

from documents.models.collections import (
    CHAT_KINDS,
    AccessLevel,
    Collection,
    CollectionGrant,
    CollectionGrantQuerySet,
    CollectionKind,
    CollectionQuerySet,
)
from documents.models.documents import (
    UNFINISHED_STATUSES,
    Document,
    DocumentQuerySet,
    DocumentStatus,
    Page,
    Turn,
)
from documents.models.uploads import OrphanBlob, Upload, UploadQuerySet
from documents.models.vectors import Chunk, Embedding, VectorSpace

__all__ = [
    "CHAT_KINDS",
    "UNFINISHED_STATUSES",
    "AccessLevel",
    "Chunk",
    "Collection",
    "CollectionGrant",
    "CollectionGrantQuerySet",
    "CollectionKind",
    "CollectionQuerySet",
    "Document",
    "DocumentQuerySet",
    "DocumentStatus",
    "Embedding",
    "OrphanBlob",
    "Page",
    "Turn",
    "Upload",
    "UploadQuerySet",
    "VectorSpace",
]
