"""What was used: one row a call of a model, and the days that are over, added up."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.ids import uuid7
from accounts.models import ApiKey
from inference.models.estate import Model


class Usage(models.Model):
    """One call of a model: who, which, how much, how fast, and how it ended."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    model = models.ForeignKey(
        Model, verbose_name=_("model"), null=True, on_delete=models.SET_NULL, related_name="usage"
    )
    # Outlives the model.
    model_name = models.CharField(_("model name"), max_length=200)
    prompt_tokens = models.PositiveIntegerField(_("prompt tokens"), default=0)
    completion_tokens = models.PositiveIntegerField(_("completion tokens"), default=0)
    first_token_seconds = models.FloatField(_("first token after, seconds"), null=True)
    duration_seconds = models.FloatField(_("duration, seconds"), default=0)
    error_code = models.CharField(_("error"), max_length=60, blank=True)
    # By the prices of that moment; None where the model had none.
    cost = models.DecimalField(_("cost"), max_digits=16, decimal_places=8, null=True)
    api_key = models.ForeignKey(
        ApiKey, verbose_name=_("API key"), null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    is_cached = models.BooleanField(_("kept answer"), default=False)
    # Which trial of two models this call was part of, and on which side (`chat.models.Trial`, a room above).
    trial_id = models.UUIDField(_("trial"), null=True, blank=True, editable=False)
    arm = models.CharField(_("arm"), max_length=20, blank=True)
    created_at = models.DateTimeField(_("when"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("usage")
        verbose_name_plural = _("usage")
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["-created_at"], name="usage_newest"),
            models.Index(fields=["user", "-created_at"], name="usage_of_user"),
            # The dashboard of one model.
            models.Index(fields=["model_name", "-created_at"], name="usage_of_model"),
            # What went wrong, which is little beside what went well.
            models.Index(fields=["-created_at"], name="usage_failed", condition=~models.Q(error_code="")),
        ]

    def __str__(self) -> str:
        return f"{self.model_name} {self.created_at:%Y-%m-%d %H:%M}"


class UsageDay(models.Model):
    """A finished day (UTC) of usage, added up: of a model, or of one person with it.

    The dashboard reads these in place of every call (`inference.figures.usage`).
    """

    day = models.DateField(_("day"))
    model_name = models.CharField(_("model name"), max_length=200)
    # Everybody's calls of the model; else one person's, or those of nobody who is known any more.
    is_total = models.BooleanField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    answers = models.PositiveIntegerField()
    failed = models.PositiveIntegerField()
    kept = models.PositiveIntegerField()
    prompt_tokens = models.PositiveBigIntegerField()
    completion_tokens = models.PositiveBigIntegerField()
    cost = models.DecimalField(max_digits=20, decimal_places=8, null=True)
    # From the first token to the last of whole answers, and the tokens that came in that time.
    speaking_seconds = models.FloatField()
    spoken_tokens = models.PositiveBigIntegerField()
    # How many first tokens came within each of `usage.FIRST_TOKEN_EDGES`; only in totals.
    first_token_counts = ArrayField(models.PositiveIntegerField(), default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["day", "model_name"],
                condition=models.Q(is_total=True),
                name="usage_day_one_total",
            )
        ]
        indexes = [models.Index(fields=["is_total", "day"], name="usage_day_newest")]

    def __str__(self) -> str:
        return f"{self.model_name} {self.day}"
