"""Reads of a character's files. Every one takes the user who asks; what they may not see does not exist."""

import re
import uuid
from dataclasses import dataclass

from accounts.models import User
from characters.assets.models import Asset, AssetKind
from characters.errors import AssetNotFound, CharacterNotFound
from characters.models import Character, CharacterQuerySet, Version
from characters.pictures import read_file

_DIGEST = re.compile(r"[0-9a-f]{12,32}")


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """A name in storage. `is_exact` says that it is what the address named, and so will never change."""

    name: str
    is_exact: bool


def find_portrait(*, user: User, slug: str, digest: str = "") -> StoredPicture:
    """The portrait of a character this user may meet, or may see in the administration.

    A chat that keeps an older version asks for that one's portrait by the first digits of its digest. Raises
    `CharacterNotFound`, also if there is no portrait.
    """
    row = _met_by(user).filter(slug=slug).values_list("pk", "avatar").first()
    if row is None:
        raise CharacterNotFound
    current = str(row[1])
    if not _DIGEST.fullmatch(digest):
        digest = ""
    beginning = f"characters/{digest}"
    if digest and not current.startswith(beginning):
        older = Version.objects.filter(character_id=row[0], avatar__startswith=beginning)
        name = older.values_list("avatar", flat=True).first()
        if name:
            return StoredPicture(name, is_exact=True)
    if not current:
        raise CharacterNotFound
    return StoredPicture(current, is_exact=bool(digest) and current.startswith(beginning))


def find_asset(*, user: User, asset_id: uuid.UUID) -> Asset:
    """A file of a character this user may meet. Raises `AssetNotFound`."""
    asset = Asset.objects.filter(pk=asset_id, character__in=_met_by(user)).first()
    if asset is None:
        raise AssetNotFound
    return asset


def list_pictures(character: Character) -> list[Asset]:
    """The expressions and backgrounds of a character that the user sees."""
    return list(character.assets.filter(kind__in=[AssetKind.EXPRESSION, AssetKind.BACKGROUND]))


def read_style(character: Character) -> str:
    """How a character that the user sees should be drawn, in Markdown; empty without a description."""
    asset = character.assets.filter(kind=AssetKind.STYLE).first()
    if asset is None:
        return ""
    try:
        return read_file(str(asset.file.name)).decode(errors="replace")
    except FileNotFoundError:
        return ""


def _met_by(user: User) -> CharacterQuerySet:
    may_see_all = user.has_perm("characters.view_character")
    return Character.objects.all() if may_see_all else Character.objects.visible_to(user)
