"""What somebody may use."""

from django.contrib.auth.models import Group
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.ids import uuid7
from accounts.models import ApiKey, User
from inference.models.estate import Model


class LimitScope(models.TextChoices):
    EVERYONE = "everyone", _("Everyone, each for themselves")
    USER = "user", _("One person")
    MEMBERS = "members", _("Each member of a group")
    GROUP = "group", _("A group together")
    KEY = "key", _("One API key")


class Measure(models.TextChoices):
    REQUESTS = "requests", _("Requests")
    TOKENS = "tokens", _("Tokens")
    COST = "cost", _("Cost")


class Period(models.TextChoices):
    """Windows of the calendar in the house's time zone; each begins with nothing used."""

    MINUTE = "minute", _("Minute")
    HOUR = "hour", _("Hour")
    DAY = "day", _("Day")
    MONTH = "month", _("Month")


class Limit(models.Model):
    """How much of a measure somebody may use in a period. All that apply must hold."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    scope = models.CharField(_("for whom"), max_length=20, choices=LimitScope, default=LimitScope.EVERYONE)
    user = models.ForeignKey(
        User, verbose_name=_("person"), null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    group = models.ForeignKey(
        Group, verbose_name=_("group"), null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    api_key = models.ForeignKey(
        ApiKey, verbose_name=_("API key"), null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    model = models.ForeignKey(
        Model,
        verbose_name=_("model"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text=_("Leave empty to count all models together."),
    )
    measure = models.CharField(_("what"), max_length=20, choices=Measure, default=Measure.REQUESTS)
    period = models.CharField(_("per"), max_length=20, choices=Period, default=Period.DAY)
    amount = models.DecimalField(
        _("at most"), max_digits=14, decimal_places=4, validators=[MinValueValidator(0)]
    )
    is_enabled = models.BooleanField(_("enabled"), default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("limit")
        verbose_name_plural = _("limits")
        ordering = ["scope", "created_at"]
        constraints = [
            models.CheckConstraint(
                name="limit_names_its_subject",
                condition=models.Q(scope="everyone", user=None, group=None, api_key=None)
                | models.Q(scope="user", user__isnull=False, group=None, api_key=None)
                | models.Q(scope__in=["members", "group"], user=None, group__isnull=False, api_key=None)
                | models.Q(scope="key", user=None, group=None, api_key__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.amount.normalize():,f} {self.get_measure_display()} / {self.get_period_display()}"
