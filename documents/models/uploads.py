"""Files on their way in, and blobs on their way out. No IO here."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.ids import uuid7
from documents.models.collections import Collection

if TYPE_CHECKING:
    from accounts.models import User


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
