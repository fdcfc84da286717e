"""Folders brought along from another program. No IO here."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.ids import uuid7


class ImportStatus(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


class FolderImport(models.Model):
    """A SillyTavern folder that somebody sent, and what became of everything in it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=200)
    # In storage until it has been read.
    blob_name = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=20, choices=ImportStatus, default=ImportStatus.WAITING)
    # Rows of `chat.sillytavern.importing.Line`.
    lines = models.JSONField(default=list)
    problem = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("import of a folder")
        verbose_name_plural = _("imports of folders")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"import {self.id}"

    @property
    def is_final(self) -> bool:
        return self.status in {ImportStatus.DONE, ImportStatus.FAILED} or self.is_lost

    @property
    def is_lost(self) -> bool:
        """Whether its worker must be gone: no import may take so long (`chat.tasks`)."""
        return self.status == ImportStatus.RUNNING and timezone.now() - self.created_at > timedelta(hours=3)
