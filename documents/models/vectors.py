"""Chunks of pages, and their vectors in the spaces of embedding models. No IO here."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from pgvector.django import HalfVectorField

from documents.models.documents import Document


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
    is_active = models.BooleanField(_("searched"), default=False, editable=False)
    """The one that is searched, and that new documents are embedded in."""
    is_complete = models.BooleanField(_("complete"), default=False, editable=False)
    """Every ready document has its vectors here; until then `documents.ingest.reembedding` adds them."""
    chunks_done = models.PositiveIntegerField(_("passages embedded"), default=0, editable=False)
    chunks_total = models.PositiveIntegerField(_("passages in all"), default=0, editable=False)
    """Both count only what an embedding anew has done and has to do."""
    done_up_to = models.UUIDField(null=True, editable=False)
    """The last document, by id, that embedding anew has been through."""

    class Meta:
        verbose_name = _("vector space")
        verbose_name_plural = _("vector spaces")
        constraints = [
            models.UniqueConstraint(
                fields=["is_active"], condition=Q(is_active=True), name="vector_space_one_active"
            )
        ]

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
