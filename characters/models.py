"""The cast: who people talk to. No IO here."""

from functools import lru_cache

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Func, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.ids import uuid7
from accounts.models import User
from characters.assets.models import Asset, AssetKind
from characters.gallery.models import CharacterUsage, Favourite
from characters.lorebooks.models import Lorebook, LorebookEntry
from characters.personas.models import Persona
from characters.publication import Publication, Visibility, prefix_query
from characters.versions.models import Draft, Version

__all__ = [
    "Asset",
    "AssetKind",
    "CardFile",
    "CardSource",
    "CastRecord",
    "Character",
    "CharacterQuerySet",
    "CharacterUsage",
    "Draft",
    "Favourite",
    "Lorebook",
    "LorebookEntry",
    "Persona",
    "Version",
    "Visibility",
]

# What fits on a card and on the first screen of a chat.
MAX_SUGGESTIONS = 6
MAX_TAGS = 8
# Characters. A prompt of this length is some 8,000 tokens, which is all the context many models have.
MAX_PROMPT_LENGTH = 32_000
MAX_WORDS_LENGTH = 8_000
# Cards from elsewhere have texts of this length, however little of them a small model can read.
MAX_CARD_TEXT_LENGTH = 100_000


class CharacterQuerySet(models.QuerySet["Character"]):
    def visible_to(self, user: User) -> "CharacterQuerySet":
        """The user's own, and what is published for everyone or for a group of theirs and not hidden."""
        groups = user.groups.through.objects.filter(user_id=user.pk).values("group_id")
        shown = self.model.shown_to.through.objects.filter(group_id__in=groups).values("character_id")
        audience = Q(visibility=Visibility.EVERYONE) | Q(visibility=Visibility.GROUP, pk__in=shown)
        return self.filter(Q(owner=user) | Q(audience, is_published=True, hidden_at=None))

    def shown_to_everyone(self) -> "CharacterQuerySet":
        """The part of `visible_to` that is the same for all."""
        return self.filter(visibility=Visibility.EVERYONE, is_published=True, hidden_at=None)

    def matching(self, query: str) -> "CharacterQuerySet":
        """Those in whose name, tags, tagline or description every word of `query` begins a word; all for no words."""
        if not query.strip():
            return self
        search = prefix_query(query)
        return self.none() if search is None else self.filter(search=search)


class Character(Publication):
    """Somebody to talk to: a portrait, a voice and, for some, a shelf of documents."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.SlugField(
        _("short name"),
        max_length=80,
        unique=True,
        help_text=_("In addresses and for programs, as character/short-name. Links break when it changes."),
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="characters",
        help_text=_("Empty for the house's own."),
    )
    name = models.CharField(_("name"), max_length=120)
    tagline = models.CharField(
        _("tagline"),
        max_length=200,
        blank=True,
        help_text=_("One line under the name: what talking to them is like."),
    )
    description = models.TextField(
        _("description"),
        max_length=MAX_WORDS_LENGTH,
        blank=True,
        help_text=_("Two to four sentences for people, on the character's page. The model does not read it."),
    )
    system_prompt = models.TextField(
        _("system prompt"),
        max_length=MAX_CARD_TEXT_LENGTH,
        blank=True,
        help_text=_(
            "For the model: who they are, how they work, what they will not do. Nobody else sees it."
        ),
    )
    definition = models.TextField(
        _("who they are"),
        max_length=MAX_CARD_TEXT_LENGTH,
        blank=True,
        help_text=_(
            "For the model, as in a character card's description. {{char}} and {{user}} are the names."
        ),
    )
    personality = models.TextField(
        _("personality"),
        max_length=MAX_CARD_TEXT_LENGTH,
        blank=True,
        help_text=_("For the model: in a few words, what they are like."),
    )
    scenario = models.TextField(
        _("scenario"),
        max_length=MAX_CARD_TEXT_LENGTH,
        blank=True,
        help_text=_("For the model: where the chat takes place, and what has happened before."),
    )
    example_dialogue = models.TextField(
        _("example dialogue"),
        max_length=MAX_CARD_TEXT_LENGTH,
        blank=True,
        help_text=_(
            "For the model: how they talk. <START> begins an example, then {{user}}: and {{char}}: lines."
        ),
    )
    post_history_instructions = models.TextField(
        _("last words to the model"),
        max_length=MAX_CARD_TEXT_LENGTH,
        blank=True,
        help_text=_(
            "Stands after the chat, where a model minds it most. {{original}} keeps the house's own."
        ),
    )
    greeting = models.TextField(
        _("greeting"),
        max_length=MAX_CARD_TEXT_LENGTH,
        blank=True,
        help_text=_("The first thing they say in a new chat. Markdown is welcome."),
    )
    alternate_greetings = ArrayField(
        models.TextField(max_length=MAX_CARD_TEXT_LENGTH, blank=True),
        verbose_name=_("other greetings"),
        default=list,
        blank=True,
        help_text=_("To choose from instead of the first one."),
    )
    group_greetings = ArrayField(
        models.TextField(max_length=MAX_CARD_TEXT_LENGTH, blank=True),
        verbose_name=_("greetings in a group"),
        default=list,
        blank=True,
        help_text=_("Said in group chats only."),
    )
    nickname = models.CharField(
        _("nickname"), max_length=120, blank=True, help_text=_("What {{char}} stands for, if not the name.")
    )
    creator = models.CharField(_("creator"), max_length=200, blank=True)
    creator_notes = models.TextField(
        _("creator's notes"),
        max_length=MAX_CARD_TEXT_LENGTH,
        blank=True,
        help_text=_("For people who use the character. The model never reads them."),
    )
    character_version = models.CharField(_("version"), max_length=100, blank=True)
    lorebooks = models.ManyToManyField(
        Lorebook, verbose_name=_("lorebooks"), blank=True, related_name="characters"
    )
    # Set before the first lorebook is added; without it a chat looks for none.
    has_lore = models.BooleanField(default=False, editable=False)
    suggestions = ArrayField(
        models.CharField(max_length=200),
        verbose_name=_("suggestions"),
        size=MAX_SUGGESTIONS,
        default=list,
        blank=True,
        help_text=_("Things to start with, one a line, written as the person would say them."),
    )
    tags = ArrayField(
        models.CharField(max_length=40),
        verbose_name=_("tags"),
        size=MAX_TAGS,
        default=list,
        blank=True,
        help_text=_("Single words, separated by commas; people search by them."),
    )
    avatar = models.FileField(_("portrait"), upload_to="characters/", max_length=200, blank=True)
    model = models.ForeignKey(
        "inference.Model",
        verbose_name=_("model"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="characters",
        help_text=_("Empty: the one chosen in the chat, or the house's default."),
    )
    temperature = models.FloatField(
        _("temperature"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(2)],
        help_text=_("From 0, the same every time, to 2, wild. Empty: the model's own."),
    )
    max_tokens = models.PositiveIntegerField(
        _("longest reply, tokens"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Empty: as long as the model allows."),
    )
    sampling = models.JSONField(
        _("sampling"),
        default=dict,
        blank=True,
        help_text=_(
            "Further settings as the model's server knows them, such as top_p. They go over the model's own."
        ),
    )
    is_grounded = models.BooleanField(
        _("answers from documents"),
        default=False,
        help_text=_("Searches the documents of the person who asks, even when none is attached."),
    )
    collections = models.ManyToManyField(
        "documents.Collection", verbose_name=_("collections"), blank=True, related_name="characters"
    )
    version = models.ForeignKey(
        Version,
        verbose_name=_("current version"),
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    search = models.GeneratedField(
        expression=SearchVector("name", config="simple", weight="A")
        + SearchVector(
            Func("tags", function="character_tags_text", output_field=models.TextField()),
            config="simple",
            weight="B",
        )
        + SearchVector("tagline", config="simple", weight="C")
        + SearchVector("description", config="simple", weight="D"),
        output_field=SearchVectorField(),
        db_persist=True,
        editable=False,
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    objects = CharacterQuerySet.as_manager()

    class Meta:
        verbose_name = _("character")
        verbose_name_plural = _("characters")
        ordering = ["position", "name"]
        permissions = [("publish_character", _("Can show a character to everyone"))]
        constraints = [
            models.CheckConstraint(condition=~Q(name="") & ~Q(slug=""), name="character_has_a_name"),
            models.CheckConstraint(
                condition=Q(temperature=None) | Q(temperature__range=(0, 2)),
                name="character_temperature_0_to_2",
            ),
            models.CheckConstraint(
                condition=Q(max_tokens=None) | Q(max_tokens__gte=1), name="character_max_tokens_positive"
            ),
        ]
        indexes = [
            models.Index(fields=["position", "name"], name="character_in_gallery_order"),
            models.Index(
                F("featured_at").desc(nulls_last=True),
                "position",
                "name",
                "id",
                name="character_featured_first",
            ),
            models.Index(fields=["-created_at", "id"], name="character_newest_first"),
            models.Index(fields=["-popularity", "name", "id"], name="character_popular_first"),
            GinIndex(fields=["search"], name="character_search"),
            GinIndex(fields=["tags"], name="character_tags"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("characters:detail", args=[self.slug])

    @property
    def plain_greeting(self) -> str:
        """The greeting without the stars of Markdown's emphasis, for places that render none."""
        return self.greeting.replace("*", "")

    @property
    def avatar_url(self) -> str:
        """Where the portrait is served, new whenever the picture is; empty without one."""
        if not self.avatar:
            return ""
        # The file is named after its content (`characters.pictures`).
        digest = str(self.avatar.name).rpartition("/")[2].partition(".")[0]
        return f"{_avatar_path(self.slug)}?v={digest[:12]}"

    @property
    def small_avatar_url(self) -> str:
        """The same picture for lists; empty without one."""
        return f"{self.avatar_url}&size=small" if self.avatar else ""


@lru_cache(maxsize=4096)
def _avatar_path(slug: str) -> str:
    # A group's first message names a portrait six times, and `reverse` takes longer than all else about it.
    return reverse("characters:avatar", args=[slug])


class CardSource(models.Model):
    """The card a character was imported from: what Parlour does not know of is exported again.

    A row of its own, since a card's unknown parts may be long and nobody but the export needs them.
    """

    character = models.OneToOneField(
        Character, primary_key=True, on_delete=models.CASCADE, related_name="card_source"
    )
    # ASCII JSON without the lorebook, which has rows; a text, since JSON may hold what PostgreSQL's own type refuses.
    json = models.TextField()

    class Meta:
        verbose_name = _("imported card")
        verbose_name_plural = _("imported cards")

    def __str__(self) -> str:
        return f"card of {self.character_id}"


class CardFile(models.Model):
    """What came of the bytes behind one entry of an imported card's assets, so that they are exported again.

    A portrait, expression or background became the character's own: `kind` and `name` find it, as it is by then.
    Anything else is kept as it came, in `file`.
    """

    character = models.ForeignKey(Character, on_delete=models.CASCADE, related_name="card_files")
    # In the list of the card's JSON, from 0.
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=20, choices=AssetKind, blank=True)
    name = models.CharField(max_length=120, blank=True)
    file = models.FileField(upload_to="characters/", max_length=200, blank=True)
    size_bytes = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("file of an imported card")
        verbose_name_plural = _("files of imported cards")
        constraints = [
            models.UniqueConstraint(fields=["character", "position"], name="card_file_once_per_entry"),
            models.CheckConstraint(
                condition=(Q(kind="") & ~Q(file="")) | (~Q(kind="") & Q(file="")),
                name="card_file_kept_or_own",
            ),
        ]

    def __str__(self) -> str:
        return f"file {self.position} of the card of {self.character_id}"


class CastRecord(models.Model):
    """What `seed_cast` once made, so that a deleted character stays deleted and a changed one stays changed."""

    slug = models.SlugField(primary_key=True, max_length=80)
    # SHA-256 of what the release says, and of the row as it was written.
    member_digest = models.CharField(max_length=64)
    row_digest = models.CharField(max_length=64)
    seeded_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("record of the cast")
        verbose_name_plural = _("records of the cast")

    def __str__(self) -> str:
        return self.slug
