"""Trials: a share of a character's or model's answers written by another model. No IO here."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.ids import uuid7


class Arm(models.TextChoices):
    """The sides of a trial: the model that would have answered anyway, and the one it is compared with."""

    USUAL = "usual", _("Usual model")
    OTHER = "other", _("Other model")


class Sticky(models.TextChoices):
    CONVERSATION = "conversation", _("Conversation")
    USER = "user", _("Person")


class Trial(models.Model):
    """A share of the answers of a character, or of a model, comes from another model to see which is liked."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(_("name"), max_length=120)
    character = models.ForeignKey(
        "characters.Character",
        verbose_name=_("character"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
    )
    model = models.ForeignKey(
        "inference.Model",
        verbose_name=_("model"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
    )
    other_model = models.ForeignKey(
        "inference.Model", verbose_name=_("other model"), on_delete=models.CASCADE, related_name="+"
    )
    share_percent = models.PositiveSmallIntegerField(
        _("share of the other model, percent"),
        default=50,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )
    sticky_by = models.CharField(
        _("stays the same for one"),
        max_length=20,
        choices=Sticky,
        default=Sticky.CONVERSATION,
        help_text=_("A program that calls the API has no conversation: there it is always the person."),
    )
    is_running = models.BooleanField(_("running"), default=True)
    created_at = models.DateTimeField(_("since"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("trial of two models")
        verbose_name_plural = _("trials of two models")
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                name="trial_of_a_character_or_a_model",
                condition=Q(character=None, model__isnull=False) | Q(character__isnull=False, model=None),
            ),
            models.CheckConstraint(
                name="trial_share_is_a_percentage", condition=Q(share_percent__gte=0, share_percent__lte=100)
            ),
            models.UniqueConstraint(
                fields=["character"], condition=Q(is_running=True), name="trial_one_running_per_character"
            ),
            models.UniqueConstraint(
                fields=["model"], condition=Q(is_running=True), name="trial_one_running_per_model"
            ),
        ]

    def __str__(self) -> str:
        return self.name
