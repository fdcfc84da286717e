"""Replies: the durable jobs behind answers, and what their models were given. No IO here."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.ids import uuid7
from chat.models.messages import Message
from chat.models.trials import Arm

if TYPE_CHECKING:
    from accounts.models import User


class ReplyStatus(models.TextChoices):
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    COMPLETE = "complete", _("Complete")
    STOPPED = "stopped", _("Stopped")
    FAILED = "failed", _("Failed")


class ReplyQuerySet(models.QuerySet["Reply"]):
    def visible_to(self, user: "User") -> "ReplyQuerySet":
        return self.filter(message__conversation__owner=user)

    def unfinished(self) -> "ReplyQuerySet":
        return self.filter(status__in=[ReplyStatus.QUEUED, ReplyStatus.RUNNING])

    def owing_a_turn(self) -> "ReplyQuerySet":
        """Whole answers in groups after which somebody else has still to speak."""
        return self.filter(status=ReplyStatus.COMPLETE).exclude(next_speakers=[])


class Reply(models.Model):
    """The durable job that writes one assistant message; it ends exactly once."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="replies")
    request_id = models.CharField(max_length=64, blank=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    # Where a program asked: its limits count, whichever process runs the reply.
    api_key = models.ForeignKey(
        "accounts.ApiKey", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    status = models.CharField(max_length=20, choices=ReplyStatus, default=ReplyStatus.QUEUED)
    is_stop_requested = models.BooleanField(default=False)
    model_name = models.CharField(max_length=200)
    # What was chosen for this answer; where nothing was, the character's own holds (`chat.contexts`).
    temperature = models.FloatField(null=True, blank=True)
    max_tokens = models.PositiveIntegerField(null=True, blank=True)
    is_continuation = models.BooleanField(
        default=False, help_text=_("Carries on from the text the message already has.")
    )
    # In a group: the characters that answer after this one. Empty once the next of them has begun.
    next_speakers = ArrayField(models.UUIDField(), default=list, blank=True)
    prompt_tokens = models.PositiveIntegerField(null=True, blank=True)
    completion_tokens = models.PositiveIntegerField(null=True, blank=True)
    trial = models.ForeignKey(
        "chat.Trial", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    arm = models.CharField(_("arm"), max_length=20, choices=Arm, blank=True)
    epoch = models.PositiveIntegerField(
        default=1, help_text=_("How many processes have run this reply; the first half of its cursors.")
    )
    thinking_seconds = models.FloatField(null=True, blank=True)
    last_cursor = models.CharField(max_length=40, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    error_message = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    first_token_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = ReplyQuerySet.as_manager()

    class Meta:
        verbose_name = _("reply")
        verbose_name_plural = _("replies")
        constraints = [
            models.UniqueConstraint(
                fields=["requested_by", "request_id"],
                condition=~Q(request_id=""),
                name="reply_once_per_request",
            ),
            models.UniqueConstraint(
                fields=["message"],
                condition=Q(status__in=["queued", "running"]),
                name="reply_one_unfinished_per_message",
            ),
        ]
        indexes = [
            models.Index(
                fields=["status"], condition=Q(status__in=["queued", "running"]), name="reply_unfinished"
            ),
            models.Index(
                fields=["finished_at"],
                condition=Q(status="complete") & ~Q(next_speakers=[]),
                name="reply_owing_a_turn",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.id}"

    @property
    def is_final(self) -> bool:
        return self.status in {ReplyStatus.COMPLETE, ReplyStatus.STOPPED, ReplyStatus.FAILED}


class PromptRecord(models.Model):
    """What the model got for one reply, in parts; kept for the person who wants to know (`chat.prompting.record`)."""

    reply = models.OneToOneField(Reply, primary_key=True, on_delete=models.CASCADE, related_name="prompt")
    # zlib over JSON: a prompt is mostly history, which compresses to a third.
    parts = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now, editable=False, db_index=True)

    class Meta:
        verbose_name = _("prompt")
        verbose_name_plural = _("prompts")

    def __str__(self) -> str:
        return f"prompt of {self.reply_id}"
