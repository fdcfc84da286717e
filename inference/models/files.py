"""Weights in Blob that a server can be given."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.ids import uuid7


class FileStatus(models.TextChoices):
    FETCHING = "fetching", _("Being fetched")
    READY = "ready", _("Ready")
    FAILED = "failed", _("Failed")


class ModelFile(models.Model):
    """A GGUF file in Blob: weights that a server can be given."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(_("name"), max_length=200, unique=True)
    # Its name in Blob; empty until it is there.
    blob_name = models.CharField(_("name in Blob"), max_length=300, blank=True)
    status = models.CharField(_("status"), max_length=20, choices=FileStatus, default=FileStatus.READY)
    # On the hub: owner/repository/file.
    source = models.CharField(_("fetched from"), max_length=300, blank=True, editable=False)
    size_bytes = models.BigIntegerField(_("size, bytes"), default=0, editable=False)
    received_bytes = models.BigIntegerField(default=0, editable=False)
    sha256 = models.CharField(max_length=64, blank=True, editable=False)
    architecture = models.CharField(_("architecture"), max_length=60, blank=True, editable=False)
    parameters = models.BigIntegerField(_("parameters"), null=True, editable=False)
    quantisation = models.CharField(_("quantisation"), max_length=20, blank=True, editable=False)
    context_tokens = models.PositiveIntegerField(_("context length, tokens"), null=True, editable=False)
    error = models.CharField(_("error"), max_length=500, blank=True, editable=False)
    # What is fetched for the local stack is served as soon as it is there.
    is_to_serve = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # The last sign of life of who fetches it.
    touched_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("model file")
        verbose_name_plural = _("model files")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(status="ready") | ~models.Q(blob_name=""),
                name="model_file_ready_is_in_blob",
            )
        ]

    def __str__(self) -> str:
        return self.name
