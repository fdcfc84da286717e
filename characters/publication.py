"""Who sees a character, and how it stands in the gallery. No IO here."""

from django.contrib.postgres.search import SearchQuery
from django.db import models
from django.utils.translation import gettext_lazy as _


class Visibility(models.TextChoices):
    PRIVATE = "private", _("Only its owner")
    GROUP = "group", _("Groups")
    EVERYONE = "everyone", _("Everyone")


def prefix_query(words: str) -> SearchQuery | None:
    """A full-text query for texts in which every one of `words` begins a word; None without any letter or digit.

    Words are cut at everything that is neither, so nothing of the query's own syntax can come in from outside.
    """
    parts = "".join(sign if sign.isalnum() else " " for sign in words).split()
    if not parts:
        return None
    return SearchQuery(" & ".join(f"{part}:*" for part in parts), config="simple", search_type="raw")


class Publication(models.Model):
    """What a character has besides its words: its audience, its place, and where it comes from."""

    visibility = models.CharField(
        _("who may see them"), max_length=20, choices=Visibility, default=Visibility.EVERYONE
    )
    is_published = models.BooleanField(
        _("published"), default=True, help_text=_("Unpublished characters are seen by their owner only.")
    )
    shown_to = models.ManyToManyField(
        "auth.Group", verbose_name=_("groups that see them"), blank=True, related_name="characters"
    )
    position = models.PositiveSmallIntegerField(
        _("place in the gallery"),
        default=100,
        help_text=_("Small numbers come first; equal ones go by name."),
    )
    featured_at = models.DateTimeField(_("featured since"), null=True, blank=True)
    hidden_at = models.DateTimeField(_("hidden since"), null=True, blank=True)
    hidden_reason = models.CharField(
        _("why they are hidden"), max_length=500, blank=True, help_text=_("Their owner reads this.")
    )
    review_requested_at = models.DateTimeField(_("waits for review since"), null=True, blank=True)
    is_remixable = models.BooleanField(
        _("may be remixed"),
        default=False,
        help_text=_("Whoever sees them may make a copy of their own, and so read what the model is told."),
    )
    remixed_from = models.ForeignKey(
        "characters.Character",
        verbose_name=_("remixed from"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="remixes",
    )
    # Outlives the character and its owner.
    remix_credit = models.CharField(_("credit"), max_length=300, blank=True)
    # People who talked with them in the last thirty days, as the hourly roll-up found them.
    popularity = models.PositiveIntegerField(_("popularity"), default=0, editable=False)

    class Meta:
        abstract = True

    @property
    def is_hidden(self) -> bool:
        return self.hidden_at is not None

    @property
    def is_shown_to_everyone(self) -> bool:
        return self.visibility == Visibility.EVERYONE and self.is_published and not self.is_hidden

    @property
    def is_shown(self) -> bool:
        """To anybody but the owner."""
        return self.visibility != Visibility.PRIVATE and self.is_published and not self.is_hidden
