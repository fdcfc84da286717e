"""What people make of the gallery: whom they like, and what the last thirty days say of a character. No IO here."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Favourite(models.Model):
    """A character somebody wants near."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="favourites", db_index=False
    )
    character = models.ForeignKey("characters.Character", on_delete=models.CASCADE, related_name="favourites")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("favourite")
        verbose_name_plural = _("favourites")
        constraints = [
            models.UniqueConstraint(fields=["user", "character"], name="favourite_once_per_person")
        ]

    def __str__(self) -> str:
        return f"favourite {self.pk}"


class CharacterUsage(models.Model):
    """How much a character was talked with in the last thirty days, and what people thought of its answers."""

    character = models.OneToOneField(
        "characters.Character", primary_key=True, on_delete=models.CASCADE, related_name="usage"
    )
    people = models.PositiveIntegerField(_("people"), default=0)
    conversations = models.PositiveIntegerField(_("chats"), default=0)
    replies = models.PositiveIntegerField(_("answers"), default=0)
    tokens = models.PositiveBigIntegerField(_("tokens written"), default=0)
    liked = models.PositiveIntegerField(_("liked"), default=0)
    disliked = models.PositiveIntegerField(_("disliked"), default=0)
    updated_at = models.DateTimeField(_("counted"), auto_now=True)

    class Meta:
        verbose_name = _("usage of a character")
        verbose_name_plural = _("usage of characters")

    def __str__(self) -> str:
        return f"usage of {self.character_id}"
