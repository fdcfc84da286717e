"""What people do in the gallery: keep favourites, and take a character home as a copy of their own."""

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import User
from characters.access import may_change
from characters.assets.services import copy_assets
from characters.cards.services import copy_card
from characters.errors import CharacterNotAllowed, CharacterNotFound
from characters.lorebooks.services import copy_lorebooks
from characters.models import Character, CharacterUsage, Favourite
from characters.services import create_character
from characters.versions.services import keep_version
from characters.versions.snapshot import take_snapshot

_RANK = """
UPDATE characters_character SET popularity = coalesce(counted.people, 0)
FROM characters_character own LEFT JOIN characters_characterusage counted ON counted.character_id = own.id
WHERE own.id = characters_character.id AND characters_character.popularity <> coalesce(counted.people, 0)
"""


@dataclass(frozen=True, slots=True)
class UsageFigures:
    """The last thirty days of one character."""

    character_id: uuid.UUID
    people: int
    conversations: int
    replies: int
    tokens: int
    liked: int
    disliked: int


@transaction.atomic
def note_usage(figures: Sequence[UsageFigures]) -> None:
    """Keep what was counted, forget what was counted before, and rank the characters by people."""
    with connection.cursor() as cursor:
        # Two counts at once would each delete what the other keeps.
        cursor.execute("LOCK TABLE characters_characterusage IN SHARE ROW EXCLUSIVE MODE")
        CharacterUsage.objects.all().delete()
        known = set(Character.objects.values_list("pk", flat=True))
        rows = [CharacterUsage(**asdict(row)) for row in figures if row.character_id in known]
        CharacterUsage.objects.bulk_create(rows, batch_size=1000)
        cursor.execute(_RANK)


def set_favourite(*, actor: User, slug: str, is_favourite: bool) -> None:
    """Keep a character the actor may meet near, or no longer. Raises `CharacterNotFound`."""
    character = Character.objects.visible_to(actor).filter(slug=slug).only("pk").first()
    if character is None:
        raise CharacterNotFound
    if is_favourite:
        Favourite.objects.get_or_create(user=actor, character=character)
    else:
        Favourite.objects.filter(user=actor, character=character).delete()


def may_copy(user: User, character: Character) -> bool:
    """Whether this user may make a copy: it shows all that the model is told, so its owner has a say."""
    return character.is_remixable or may_change(user, character)


@transaction.atomic
def copy_character(*, actor: User, character_id: uuid.UUID) -> Character:
    """The actor's own private copy, with words, pictures and knowledge; somebody else's is credited as a remix.

    Raises `CharacterNotFound`, or `CharacterNotAllowed` where the owner does not want copies.
    """
    source = (
        Character.objects.visible_to(actor).select_related("owner", "model").filter(pk=character_id).first()
    )
    if source is None:
        raise CharacterNotFound
    if not may_copy(actor, source):
        raise CharacterNotAllowed(_("Its owner keeps what the model is told to themselves."))
    words = take_snapshot(source)
    is_own = source.owner_id == actor.pk
    words["name"] = _("%(name)s, a copy") % {"name": source.name[:100]} if is_own else source.name
    copy = create_character(
        actor=actor,
        model=source.model,
        collections=list(source.collections.all()),
        **words,  # type: ignore[arg-type]
    )
    copy.avatar = source.avatar.name
    if not is_own:
        copy.remixed_from, copy.remix_credit = source, _credit(source)
    copy.save()
    copy_assets(source, copy)
    copy_card(source, copy)
    copy_lorebooks(source, copy, actor=actor)
    keep_version(copy, actor=actor)
    record(actor=actor, verb="copy character", target=copy)
    return copy


def _credit(source: Character) -> str:
    author = source.creator or (source.owner.display_name if source.owner else "")
    words = _("%(name)s by %(author)s") if author else "%(name)s"
    return (words % {"name": source.name, "author": author})[:300]
