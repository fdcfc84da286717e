"""What people uploaded and what was read from it: collections, documents, pages, chunks, vectors. No IO here.

    Collection 1─n Document 1─n Page      text as extracted: what citations and the viewer count offsets in
                            1─n Chunk     a span of one page, with what full-text search needs
                                   1─n Embedding n─1 VectorSpace

A chunk keeps no text of its own: it is `page.text[start:end]`, offsets in Unicode code points.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from pgvector.django import HalfVectorField

from accounts.ids import uuid7

if TYPE_CHECKING:
    from accounts.models import User


class CollectionKind(models.TextChoices):
    LIBRARY = "library", _("Library")
    """Everybody's own: where an upload goes that names no collection."""
    NAMED = "named", _("Collection")
    CHAT = "chat", _("Chat")
    """The files of one conversation."""


class CollectionQuerySet(models.QuerySet["Collection"]):
    def visible_to(self, user: "User") -> "CollectionQuerySet":
        """The collections this user may read: their own."""
        return self.filter(owner=user)


class Collection(models.Model):
    """A named set of documents that can be searched together."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="collections")
    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(_("kind"), max_length=20, choices=CollectionKind, default=CollectionKind.NAMED)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    served_at = models.DateTimeField(null=True, editable=False)
    """When a document of it was last taken up; whoever was served longest ago is next (`documents.claims`)."""

    objects = CollectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("collection")
        verbose_name_plural = _("collections")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner"], condition=Q(kind="library"), name="collection_one_library_per_owner"
            )
        ]

    def __str__(self) -> str:
        return self.name


class DocumentStatus(models.TextChoices):
    QUEUED = "queued", _("Queued")
    EXTRACTING = "extracting", _("Reading")
    EMBEDDING = "embedding", _("Embedding")
    READY = "ready", _("Ready")
    FAILED = "failed", _("Failed")


UNFINISHED_STATUSES = (DocumentStatus.QUEUED, DocumentStatus.EXTRACTING, DocumentStatus.EMBEDDING)


class DocumentQuerySet(models.QuerySet["Document"]):
    def visible_to(self, user: "User") -> "DocumentQuerySet":
        """The documents this user may read: those in collections visible to them."""
        return self.filter(collection__owner=user)

    def in_any(self, *, collections: Sequence[UUID], documents: Sequence[UUID]) -> "DocumentQuerySet":
        """Those in one of the collections or among the documents."""
        return self.filter(Q(collection__in=collections) | Q(pk__in=documents))

    def unfinished(self) -> "DocumentQuerySet":
        """Documents that are neither `ready` nor `failed`."""
        return self.filter(status__in=UNFINISHED_STATUSES)


class Document(models.Model):
    """One uploaded file on its way to, or at, `ready`.

    `claim` and `claim_expires_at` say which run of `documents.ingest` works on it and until when that run is
    believed to be alive; a run writes only while its claim stands. Without a claim, `claim_expires_at` is the
    time before which nobody should try again.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    collection = models.ForeignKey(
        Collection, verbose_name=_("collection"), on_delete=models.CASCADE, related_name="documents"
    )
    name = models.CharField(_("name"), max_length=255)
    blob_name = models.CharField(_("stored as"), max_length=200, editable=False)
    media_type = models.CharField(_("type"), max_length=100, editable=False)
    size_bytes = models.PositiveBigIntegerField(_("size, bytes"), default=0, editable=False)
    sha256 = models.CharField(max_length=64, editable=False)

    status = models.CharField(
        _("status"), max_length=20, choices=DocumentStatus, default=DocumentStatus.QUEUED
    )
    progress = models.FloatField(_("progress"), default=0, editable=False)
    eta_seconds = models.PositiveIntegerField(_("seconds left"), null=True, editable=False)
    error_code = models.CharField(_("why it failed"), max_length=60, blank=True, editable=False)

    title = models.CharField(_("title"), max_length=300, blank=True, editable=False)
    """What the document calls itself; context for its embeddings."""
    language = models.CharField(_("language"), max_length=30, blank=True, editable=False)
    page_count = models.PositiveIntegerField(_("pages"), default=0, editable=False)
    chunk_count = models.PositiveIntegerField(_("chunks"), default=0, editable=False)

    claim = models.UUIDField(null=True, editable=False)
    claim_expires_at = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0, editable=False)
    created_at = models.DateTimeField(_("uploaded"), default=timezone.now, editable=False)
    ready_at = models.DateTimeField(_("ready"), null=True, editable=False)

    objects = DocumentQuerySet.as_manager()

    class Meta:
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        ordering = ["-created_at"]
        indexes = [
            models.Index(
                fields=["status"], condition=~Q(status__in=["ready", "failed"]), name="document_unfinished"
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="failed") | Q(error_code=""), name="document_error_only_when_failed"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Page(models.Model):
    """The extracted text of one page, kept as citations count offsets in it."""

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="pages", db_index=False)
    number = models.PositiveIntegerField()
    """1-based position in the document."""
    label = models.CharField(max_length=40, blank=True)
    """What the document itself prints on the page (`iv`, `A-3`); empty where that is the number."""
    text = models.TextField()

    class Meta:
        verbose_name = _("page")
        verbose_name_plural = _("pages")
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["document", "number"], name="page_once")]

    def __str__(self) -> str:
        return f"{self.number}"


class Chunk(models.Model):
    """A span of one page that is found as a whole: `page.text[start:end]`."""

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="chunks", db_index=False)
    ordinal = models.PositiveIntegerField()
    page = models.PositiveIntegerField()
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    heading = models.CharField(max_length=300, blank=True)
    """The headings above the span, outermost first; context for the embedding."""
    is_reference = models.BooleanField(default=False)
    """Part of a list of references: full of the right words, answers nothing."""
    language = models.CharField(max_length=30)
    """The PostgreSQL text-search configuration that `search` was made with."""
    search = SearchVectorField()

    class Meta:
        verbose_name = _("chunk")
        verbose_name_plural = _("chunks")
        ordering = ["ordinal"]
        indexes = [GinIndex(fields=["search"], name="chunk_search")]
        constraints = [
            models.UniqueConstraint(fields=["document", "ordinal"], name="chunk_once"),
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="chunk_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.page}:{self.start}–{self.end}"


class VectorSpace(models.Model):
    """The vectors of one embedding model: only those of the same space can be compared.

    Each space has its own partial HNSW index, made by `documents.vectors` when the space is first used.
    """

    id = models.SmallAutoField(primary_key=True)
    name = models.CharField(_("embedding model"), max_length=200, unique=True)
    dimensions = models.PositiveIntegerField(_("dimensions"))

    class Meta:
        verbose_name = _("vector space")
        verbose_name_plural = _("vector spaces")

    def __str__(self) -> str:
        return self.name


class Embedding(models.Model):
    """One chunk's vector in one space. `document` repeats the chunk's, for filters before the distance."""

    space = models.ForeignKey(
        VectorSpace, on_delete=models.CASCADE, related_name="embeddings", db_index=False
    )
    chunk = models.ForeignKey(Chunk, on_delete=models.CASCADE, related_name="embeddings", db_index=False)
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="+", db_index=False)
    vector = HalfVectorField()

    class Meta:
        verbose_name = _("embedding")
        verbose_name_plural = _("embeddings")
        indexes = [models.Index(fields=["document", "space"], name="embedding_by_document")]
        constraints = [models.UniqueConstraint(fields=["chunk", "space"], name="embedding_once")]

    def __str__(self) -> str:
        return f"{self.chunk_id} @ {self.space_id}"
