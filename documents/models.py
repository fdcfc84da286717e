"""What people uploaded and what was read from it: collections, documents, pages, chunks, vectors. No IO here.

    CollectionGrant n─1 Collection 1─n Document 1─n Page      text as extracted: what citations and the viewer
                                                              count offsets in
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
from documents.lending import lent_to

if TYPE_CHECKING:
    from accounts.models import User


class CollectionKind(models.TextChoices):
    LIBRARY = "library", _("Library")
    """Everybody's own: where an upload goes that names no collection."""
    NAMED = "named", _("Collection")
    CHAT = "chat", _("Chat")
    """The files of one conversation."""
    INBOX = "inbox", _("Waiting for a chat")
    """Files that were put into the composer of a chat and not sent yet."""


CHAT_KINDS = (CollectionKind.CHAT, CollectionKind.INBOX)


class AccessLevel(models.TextChoices):
    """What a grant allows; each level includes those before it."""

    READ = "read", _("Can read")
    WRITE = "write", _("Can add and delete")
    MANAGE = "manage", _("Can manage")


class CollectionQuerySet(models.QuerySet["Collection"]):
    def visible_to(self, user: "User") -> "CollectionQuerySet":
        """The collections this user may read: their own, and those granted to them or to a group of theirs."""
        return self._within_reach(user, (AccessLevel.READ, AccessLevel.WRITE, AccessLevel.MANAGE))

    def readable_by(self, user: "User") -> "CollectionQuerySet":
        """The visible ones, and those lent to whoever talks to a character: read when named, never listed."""
        return self.filter(Q(pk__in=self.model.objects.visible_to(user)) | lent_to(user))

    def writable_by(self, user: "User") -> "CollectionQuerySet":
        """The collections this user may add documents to and delete them from."""
        return self._within_reach(user, (AccessLevel.WRITE, AccessLevel.MANAGE))

    def manageable_by(self, user: "User") -> "CollectionQuerySet":
        """The collections this user may rename, share and delete."""
        return self._within_reach(user, (AccessLevel.MANAGE,))

    def _within_reach(self, user: "User", levels: Sequence[str]) -> "CollectionQuerySet":
        grants = CollectionGrant.objects.reaching(user).filter(level__in=levels)
        return self.filter(Q(owner=user) | Q(pk__in=grants.values("collection")))


class Collection(models.Model):
    """A named set of documents that can be searched together."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="collections")
    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(_("kind"), max_length=20, choices=CollectionKind, default=CollectionKind.NAMED)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects = CollectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("collection")
        verbose_name_plural = _("collections")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner"], condition=Q(kind="library"), name="collection_one_library_per_owner"
            ),
            models.UniqueConstraint(
                fields=["owner"], condition=Q(kind="inbox"), name="collection_one_inbox_per_owner"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CollectionGrantQuerySet(models.QuerySet["CollectionGrant"]):
    def reaching(self, user: "User") -> "CollectionGrantQuerySet":
        """The grants to this user, and to groups of theirs."""
        return self.filter(Q(user=user) | Q(group__user=user))


class CollectionGrant(models.Model):
    """One person's or one group's access to a collection that is not theirs."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="grants")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    group = models.ForeignKey("auth.Group", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    level = models.CharField(_("access"), max_length=10, choices=AccessLevel, default=AccessLevel.READ)

    objects = CollectionGrantQuerySet.as_manager()

    class Meta:
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(user=None, group__isnull=False) | Q(user__isnull=False, group=None),
                name="grant_to_a_user_or_a_group",
            ),
            models.UniqueConstraint(fields=["collection", "user"], name="grant_once_per_user"),
            models.UniqueConstraint(fields=["collection", "group"], name="grant_once_per_group"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id or self.group_id}: {self.level}"


class DocumentStatus(models.TextChoices):
    QUEUED = "queued", _("Queued")
    EXTRACTING = "extracting", _("Reading")
    EMBEDDING = "embedding", _("Embedding")
    READY = "ready", _("Ready")
    FAILED = "failed", _("Failed")


UNFINISHED_STATUSES = (DocumentStatus.QUEUED, DocumentStatus.EXTRACTING, DocumentStatus.EMBEDDING)


class DocumentQuerySet(models.QuerySet["Document"]):
    def visible_to(self, user: "User") -> "DocumentQuerySet":
        """The documents this user may list and search: those in collections visible to them."""
        return self.filter(collection__in=Collection.objects.visible_to(user))

    def readable_by(self, user: "User") -> "DocumentQuerySet":
        """The visible ones, and those lent to whoever talks to a character: opened from a citation."""
        return self.filter(collection__in=Collection.objects.readable_by(user))

    def writable_by(self, user: "User") -> "DocumentQuerySet":
        """The documents this user may try again, stop and delete."""
        return self.filter(collection__in=Collection.objects.writable_by(user))

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
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("uploaded by"),
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    name = models.CharField(_("name"), max_length=255)
    source = models.CharField(_("fetched from"), max_length=2000, blank=True, editable=False)
    """Where the worker fetches it: a URL, or `blob:` and a name in the watched container. Empty for an upload."""
    source_version = models.CharField(max_length=200, blank=True, editable=False)
    """The ETag of the watched blob it was read from."""
    blob_name = models.CharField(_("stored as"), max_length=200, blank=True, editable=False)
    """The same for documents of the same bytes; empty until a document with a `source` is fetched."""
    media_type = models.CharField(_("type"), max_length=100, blank=True, editable=False)
    size_bytes = models.PositiveBigIntegerField(_("size, bytes"), default=0, editable=False)
    sha256 = models.CharField(max_length=64, blank=True, editable=False)
    """Of the bytes; empty until the worker has computed it for a file that came in parts or by URL."""

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
    pages_done = models.PositiveIntegerField(_("pages read"), default=0, editable=False)
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
            ),
            models.Index(fields=["sha256"], condition=~Q(sha256=""), name="document_same_bytes"),
            models.Index(fields=["blob_name"], condition=~Q(blob_name=""), name="document_by_blob"),
            models.Index(fields=["source"], condition=~Q(source=""), name="document_by_source"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="failed") | Q(error_code=""), name="document_error_only_when_failed"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def own_title(self) -> str:
        """The title, if it says more than the file's name."""
        plain = self.name.rpartition(".")[0].replace("_", " ").replace("-", " ").strip()
        return "" if self.title == plain else self.title


class Turn(models.Model):
    """When a document of this person's was last taken up; who was served longest ago is next (`claims`)."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="+"
    )
    served_at = models.DateTimeField()

    class Meta:
        verbose_name = _("turn")
        verbose_name_plural = _("turns")

    def __str__(self) -> str:
        return f"{self.user_id}"


class UploadQuerySet(models.QuerySet["Upload"]):
    def visible_to(self, user: "User") -> "UploadQuerySet":
        """The uploads this user began."""
        return self.filter(owner=user)


class Upload(models.Model):
    """A file that comes in parts; it becomes a document when the last part is there."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=255)
    blob_name = models.CharField(max_length=200)
    size_bytes = models.PositiveBigIntegerField()
    received_bytes = models.PositiveBigIntegerField(default=0)
    """How many bytes from the start are stored; the next part begins there."""
    media_type = models.CharField(max_length=100, blank=True)
    """Told from the first part."""
    changed_at = models.DateTimeField(default=timezone.now)

    objects = UploadQuerySet.as_manager()

    class Meta:
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")
        constraints = [
            models.CheckConstraint(
                condition=Q(received_bytes__lte=F("size_bytes")), name="upload_not_past_its_end"
            )
        ]

    def __str__(self) -> str:
        return self.name


class OrphanBlob(models.Model):
    """A blob whose document or upload is gone, until storage has let go of it.

    A database trigger writes these rows, so that no way of deleting (a user with all they own, an administrator's
    SQL) leaves a file behind; `documents.blobs` works them off.
    """

    name = models.CharField(primary_key=True, max_length=200)
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("orphaned file")
        verbose_name_plural = _("orphaned files")

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
