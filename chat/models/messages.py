"""The message tree, and what people think of its answers. No IO here."""

from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.ids import uuid7
from chat.models.conversations import Conversation

if TYPE_CHECKING:
    from accounts.models import User


class Role(models.TextChoices):
    USER = "user", _("Person")
    ASSISTANT = "assistant", _("Character")


class Task(models.TextChoices):
    """What a message asks for about whole documents, rather than about what a search finds in them."""

    SUMMARISE = "summarise", _("Summarise")
    COMPARE = "compare", _("Compare")
    KEY_FACTS = "key_facts", _("Key facts")


class MessageQuerySet(models.QuerySet["Message"]):
    def visible_to(self, user: "User") -> "MessageQuerySet":
        return self.filter(conversation__owner=user)


class Message(models.Model):
    """One node of a conversation's tree. Siblings are branches; an edit or a regeneration makes one."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages")
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.CASCADE, related_name="children"
    )
    role = models.CharField(max_length=20, choices=Role)
    # Who says it, in a group or where the conversation's character has changed since; else the conversation's.
    character = models.ForeignKey(
        "characters.Character", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    text = models.TextField(blank=True)
    thinking = models.TextField(blank=True)
    sources = models.JSONField(default=list, blank=True)
    # Of a person's message that asks for a task: which, and the documents it is about, in their order.
    task = models.CharField(max_length=20, choices=Task, blank=True)
    subjects = ArrayField(models.UUIDField(), default=list, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="message_task_is_about_documents",
                condition=Q(task="", subjects=[])
                | Q(task__in=["summarise", "key_facts"], subjects__len__gte=1)
                | Q(task="compare", subjects__len=2),
            )
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.id}"


class Verdict(models.TextChoices):
    UP = "up", _("Good")
    DOWN = "down", _("Bad")


class Feedback(models.Model):
    """What the owner of a conversation thinks of one answer in it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="feedback")
    verdict = models.CharField(_("verdict"), max_length=10, choices=Verdict)
    created_at = models.DateTimeField(_("when"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("feedback")
        verbose_name_plural = _("feedback")

    def __str__(self) -> str:
        return f"{self.verdict} {self.message_id}"
