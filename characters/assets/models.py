"""What a character has in Blob beside its words: pictures, and how it should be drawn. No IO here."""

from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.ids import uuid7

# A card of another house may bring dozens of expressions; more than this is an archive, not a character.
MAX_ASSETS = 200


class AssetKind(models.TextChoices):
    PORTRAIT = "portrait", _("Portrait")
    EXPRESSION = "expression", _("Expression")
    BACKGROUND = "background", _("Background")
    STYLE = "style", _("Style description")


class Asset(models.Model):
    """One file of a character. Its name in storage is made of its content, so that it never changes in place.

    The portrait here is the whole picture; `Character.avatar` is the square that was cropped from it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    character = models.ForeignKey(
        "characters.Character", verbose_name=_("character"), on_delete=models.CASCADE, related_name="assets"
    )
    kind = models.CharField(_("kind"), max_length=20, choices=AssetKind)
    name = models.CharField(
        _("name"),
        max_length=120,
        blank=True,
        help_text=_("Of an expression: joy, anger. Of a place: harbour."),
    )
    file = models.FileField(_("file"), upload_to="characters/", max_length=200)
    size_bytes = models.PositiveIntegerField(_("size, bytes"))
    width_px = models.PositiveIntegerField(_("width"), default=0)
    height_px = models.PositiveIntegerField(_("height"), default=0)
    created_at = models.DateTimeField(_("added"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("asset")
        verbose_name_plural = _("assets")
        ordering = ["kind", "name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["character", "kind", "name"], name="asset_once_per_name"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".strip()

    @property
    def digest(self) -> str:
        """The part of the file's name that is made of its content."""
        return str(self.file.name).rpartition("/")[2].partition(".")[0]

    @property
    def url(self) -> str:
        """Where those who may see the character get the file; new whenever the content is."""
        return f"{reverse('characters:asset', args=[self.pk])}?v={self.digest}"

    @property
    def thumbnail_url(self) -> str:
        return f"{self.url}&size=small"
