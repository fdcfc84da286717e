"""Conversations, the message tree, and replies. No IO here."""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.ids import uuid7
from characters.models import Character
from characters.versions.snapshot import at_version

if TYPE_CHECKING:
    from accounts.models import User


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def visible_to(self, user: "User") -> "ConversationQuerySet":
        """A conversation belongs to one person."""
        return self.filter(owner=user)


class TurnOrder(models.TextChoices):
    """Who answers in a group."""

    TURN = "turn", _("Everyone, in turn")
    MENTION = "mention", _("Whoever is mentioned, or the next in turn")
    CHOICE = "choice", _("Whoever you ask")


class Conversation(models.Model):
    """A thread of messages with one character, with a group of them, or with a bare model."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="conversations", db_index=False
    )
    title = models.CharField(_("title"), max_length=200, blank=True)
    is_titled_by_owner = models.BooleanField(default=False)
    character = models.ForeignKey(
        "characters.Character", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    # What the character was when the chat began, or when its person last moved it on; empty follows the character.
    version = models.ForeignKey(
        "characters.Version", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    model = models.ForeignKey(
        "inference.Model", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    persona = models.ForeignKey(
        "characters.Persona", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    author_note = models.TextField(_("author's note"), max_length=8_000, blank=True)
    author_note_depth = models.PositiveSmallIntegerField(
        _("depth of the note"), default=4, help_text=_("How many of the newest messages come after it.")
    )
    # Empty for a chat that is no group; then `character` is whoever spoke last or will speak first.
    turn_order = models.CharField(_("who answers"), max_length=20, choices=TurnOrder, blank=True)
    collections = models.ManyToManyField("documents.Collection", blank=True, related_name="+")
    documents = models.ManyToManyField("documents.Document", blank=True, related_name="+")
    current_message = models.ForeignKey(
        "chat.Message", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now)

    objects = ConversationQuerySet.as_manager()

    class Meta:
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        ordering = ["-updated_at"]
        indexes = [models.Index(fields=["owner", "-updated_at"], name="conversation_recent")]

    def __str__(self) -> str:
        # Not the title: it is the person's own words, and the audit record keeps what this returns.
        return f"conversation {self.id}"

    @property
    def speaker(self) -> Character | None:
        """The character as this conversation keeps it. Only one that has moved on since costs a look at its version."""
        if self.character is None or self.version_id in {None, self.character.version_id}:
            return self.character
        return at_version(self.character, self.version)


class Member(models.Model):
    """A character in a group chat."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="members")
    character = models.ForeignKey("characters.Character", on_delete=models.CASCADE, related_name="+")
    version = models.ForeignKey(
        "characters.Version", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    place = models.PositiveSmallIntegerField(default=0)
    is_muted = models.BooleanField(default=False, help_text=_("Answers only when asked."))

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        ordering = ["place", "id"]
        constraints = [
            models.UniqueConstraint(fields=["conversation", "character"], name="member_once_per_conversation")
        ]

    def __str__(self) -> str:
        return f"member {self.id}"

    @property
    def speaker(self) -> Character:
        """The character as this conversation keeps it."""
        if self.version_id in {None, self.character.version_id}:
            return self.character
        return at_version(self.character, self.version)


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
