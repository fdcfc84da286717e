"""Lorebooks: what a character knows of its world, told to the model when the chat comes to speak of it. No IO here."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.ids import uuid7

if TYPE_CHECKING:
    from accounts.models import User

# What one person may need for a large world; the scan is measured with as many.
MAX_ENTRIES = 10_000


class LorebookQuerySet(models.QuerySet["Lorebook"]):
    def visible_to(self, user: "User") -> "LorebookQuerySet":
        """A lorebook is its owner's to read and change; a character that has it uses it for everyone."""
        return self.filter(owner=user)


class Lorebook(models.Model):
    """A set of entries that characters share, or that came with one character's card."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="lorebooks",
    )
    character = models.OneToOneField(
        "characters.Character",
        verbose_name=_("came with"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="card_lorebook",
        help_text=_("The character in whose card this lorebook is exported."),
    )
    name = models.CharField(_("name"), max_length=200)
    description = models.TextField(_("description"), max_length=8_000, blank=True)
    scan_depth = models.PositiveIntegerField(
        _("messages to look at"),
        null=True,
        blank=True,
        help_text=_("How many of the newest messages are searched for keys. Empty: the newest four."),
    )
    token_budget = models.PositiveIntegerField(
        _("at most, tokens"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("What its entries may take of a prompt. Empty: a quarter of what the model reads."),
    )
    is_recursive = models.BooleanField(
        _("entries bring up others"),
        default=False,
        help_text=_("The words of an entry that is told are searched for keys too."),
    )
    # The book as it was imported, in ASCII JSON: what Parlour does not know of is exported again.
    source = models.TextField(blank=True, editable=False)
    # Grows with every change of the book or its entries: what processes keep of a book is kept by it.
    revision = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    objects = LorebookQuerySet.as_manager()

    class Meta:
        verbose_name = _("lorebook")
        verbose_name_plural = _("lorebooks")
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class EntryPlace(models.TextChoices):
    BEFORE = "before_char", _("Before the character")
    AFTER = "after_char", _("After the character")


class Logic(models.TextChoices):
    """How second keys count beside a first one."""

    ANY = "any", _("One of the second keys")
    ALL = "all", _("All second keys")
    NONE = "none", _("None of the second keys")
    NOT_ALL = "not_all", _("Not all second keys")


class LorebookEntry(models.Model):
    """A piece of lore and what brings it up."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    lorebook = models.ForeignKey(Lorebook, on_delete=models.CASCADE, related_name="entries", db_index=False)
    place_in_book = models.PositiveIntegerField(default=0, editable=False)
    name = models.CharField(_("name"), max_length=500, blank=True)
    keys = ArrayField(models.TextField(blank=True), verbose_name=_("keys"), default=list, blank=True)
    secondary_keys = ArrayField(
        models.TextField(blank=True), verbose_name=_("second keys"), default=list, blank=True
    )
    is_selective = models.BooleanField(
        _("minds second keys"), default=False, help_text=_("The keys alone do not bring it up.")
    )
    logic = models.CharField(_("second keys"), max_length=20, choices=Logic, default=Logic.ANY)
    uses_regex = models.BooleanField(_("keys are regular expressions"), default=False)
    is_case_sensitive = models.BooleanField(_("minds capitals"), default=False)
    is_whole_words = models.BooleanField(_("whole words only"), default=False)
    is_constant = models.BooleanField(_("always told"), default=False)
    is_enabled = models.BooleanField(_("enabled"), default=True)
    content = models.TextField(_("what is told"), blank=True)
    insertion_order = models.IntegerField(
        _("order"), default=100, help_text=_("Small numbers are told first.")
    )
    priority = models.IntegerField(
        _("priority"),
        null=True,
        blank=True,
        help_text=_("When room runs out, small numbers are left out first."),
    )
    position = models.CharField(_("where"), max_length=20, choices=EntryPlace, default=EntryPlace.BEFORE)
    # The entry as it was imported, in ASCII JSON.
    source = models.TextField(blank=True, editable=False)

    class Meta:
        verbose_name = _("entry")
        verbose_name_plural = _("entries")
        ordering = ["place_in_book", "id"]
        indexes = [models.Index(fields=["lorebook", "place_in_book"], name="lorebook_entry_in_order")]

    def __str__(self) -> str:
        return self.name or ", ".join(self.keys[:3]) or f"entry {self.place_in_book + 1}"
