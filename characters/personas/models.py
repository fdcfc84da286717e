"""Personas: who the person is in a chat. No IO here."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.ids import uuid7

if TYPE_CHECKING:
    from accounts.models import User


class PersonaQuerySet(models.QuerySet["Persona"]):
    def visible_to(self, user: "User") -> "PersonaQuerySet":
        """Personas are their owner's own."""
        return self.filter(owner=user)


class Persona(models.Model):
    """A name and a few words that characters know the person by."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="personas", db_index=False
    )
    name = models.CharField(_("name"), max_length=120, help_text=_("What characters call you."))
    description = models.TextField(
        _("about you"),
        max_length=8_000,
        blank=True,
        help_text=_("What characters know of you. Write {{user}} for the name."),
    )
    avatar = models.FileField(_("portrait"), upload_to="personas/", max_length=200, blank=True)
    is_default = models.BooleanField(_("default"), default=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    objects = PersonaQuerySet.as_manager()

    class Meta:
        verbose_name = _("persona")
        verbose_name_plural = _("personas")
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="persona_has_a_name"),
            models.UniqueConstraint(
                fields=["owner"], condition=Q(is_default=True), name="persona_one_default_per_owner"
            ),
        ]
        indexes = [models.Index(fields=["owner", "name"], name="persona_of_owner")]

    def __str__(self) -> str:
        # Not the name: it is the person's own words, and the audit record keeps what this returns.
        return f"persona {self.id}"

    @property
    def avatar_url(self) -> str:
        """Where the portrait is served to its owner, new whenever the picture is; empty without one."""
        if not self.avatar:
            return ""
        digest = str(self.avatar.name).rpartition("/")[2].partition(".")[0]
        return f"{reverse('characters:persona_avatar', args=[self.pk])}?v={digest[:12]}"
