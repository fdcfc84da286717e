"""Documents on their way to `ready`, their pages, and whose turn it is. No IO here."""

from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.ids import uuid7
from documents.models.collections import Collection

if TYPE_CHECKING:
    from accounts.models import User


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
        plain = PurePath(self.name).stem.replace("_", " ").replace("-", " ").strip()
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
