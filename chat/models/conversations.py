"""Conversations and who takes part in them. No IO here."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
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
