"""What a character was, and what it is about to be. No IO here.

A version is a whole snapshot, so that a chat that keeps one needs nothing else: its words come with the row that the
chat points at, in the query that reads the chat.
"""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.ids import uuid7


class Version(models.Model):
    """A character as it was saved once: numbered, and never changed."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    character = models.ForeignKey(
        "characters.Character", verbose_name=_("character"), on_delete=models.CASCADE, related_name="versions"
    )
    number = models.PositiveIntegerField(_("number"))
    # Field name → value, for `characters.versions.snapshot.FIELDS`; the portrait's name in storage has a column.
    snapshot = models.JSONField(_("what it says"))
    avatar = models.CharField(_("portrait"), max_length=200, blank=True)
    # `characters.versions.belongings.Belongings`; None for a version from before they were remembered.
    belongings = models.JSONField(_("what it has"), null=True, editable=False)
    # Of snapshot and portrait: a save that changes nothing makes no version.
    digest = models.CharField(max_length=64)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("made by"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    note = models.CharField(_("what changed"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("made"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("version")
        verbose_name_plural = _("versions")
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["character", "number"], name="version_numbered_once"),
        ]

    def __str__(self) -> str:
        return f"version {self.number}"


class Draft(models.Model):
    """What somebody has typed into the editor and not yet saved: field name → value, of what differs."""

    character = models.OneToOneField(
        "characters.Character", primary_key=True, on_delete=models.CASCADE, related_name="draft"
    )
    fields = models.JSONField(default=dict)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("draft")
        verbose_name_plural = _("drafts")

    def __str__(self) -> str:
        return f"draft of {self.character_id}"
