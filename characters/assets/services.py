"""Writes to a character's files: its portrait, its expressions and backgrounds, and how it should be drawn.

Everything is encoded and stored before the transaction, since storing may be a network call. What no row names any
more stays in storage until the sweep (`characters.assets.sweeping`), because versions and copies may share it.
"""

import uuid

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.audit import record
from accounts.models import User
from characters.access import find_own
from characters.assets.models import MAX_ASSETS, Asset, AssetKind
from characters.errors import AssetNotFound, CharacterInvalid
from characters.models import Character
from characters.pictures import (
    Crop,
    encode_portrait,
    encode_whole,
    read_file,
    store_picture,
    store_words,
)
from characters.versions.belongings import note_belongings
from characters.versions.services import amend_version, keep_version

MAX_STYLE_LENGTH = 20_000


def set_portrait(
    *,
    actor: User,
    character_id: uuid.UUID,
    data: bytes,
    crop: Crop | None = None,
    joins_version: bool = False,
) -> Character:
    """The character with this picture, drawn anew (`characters.pictures`). Raises `PictureRefused`.

    The whole picture is kept beside the square, so that it can be cropped again. It makes a version, unless it
    `joins_version`, the one that the same save has just made.
    """
    find_own(actor, character_id, is_locked=False)
    whole = encode_whole(data)
    whole_name = store_picture(whole.data)
    square_name = store_picture(encode_portrait(data, crop))
    with transaction.atomic():
        character = find_own(actor, character_id)
        _put(
            character, AssetKind.PORTRAIT, "", whole_name, len(whole.data), (whole.width_px, whole.height_px)
        )
        return _wear(character, square_name, actor, joins_version=joins_version)


def crop_portrait(
    *, actor: User, character_id: uuid.UUID, crop: Crop, joins_version: bool = False
) -> Character:
    """The character with another square of the picture it has. Raises `AssetNotFound` where there is none."""
    character = find_own(actor, character_id, is_locked=False)
    whole = Asset.objects.filter(character=character, kind=AssetKind.PORTRAIT).first()
    if whole is None:
        raise AssetNotFound
    square_name = store_picture(encode_portrait(read_file(str(whole.file.name)), crop))
    with transaction.atomic():
        return _wear(find_own(actor, character_id), square_name, actor, joins_version=joins_version)


def add_picture(*, actor: User, character_id: uuid.UUID, kind: AssetKind, name: str, data: bytes) -> Asset:
    """An expression or a background of this name, in place of one it had. Raises `PictureRefused`."""
    if kind not in {AssetKind.EXPRESSION, AssetKind.BACKGROUND}:
        raise CharacterInvalid(_("Only expressions and backgrounds can be added here."))
    name = tidy_name(name)
    if not name:
        raise CharacterInvalid(_("Give the picture a name: joy, anger, harbour."))
    find_own(actor, character_id, is_locked=False)
    picture = encode_whole(data)
    stored = store_picture(picture.data)
    with transaction.atomic():
        character = find_own(actor, character_id)
        others = character.assets.exclude(kind=kind, name=name)
        if others.count() >= MAX_ASSETS:
            raise CharacterInvalid(
                _("A character has at most %(most)d files. Remove one first.") % {"most": MAX_ASSETS}
            )
        asset = _put(character, kind, name, stored, len(picture.data), (picture.width_px, picture.height_px))
        note_belongings(character)
        record(actor=actor, verb="add picture", target=character)
    return asset


def tidy_name(name: str) -> str:
    """A picture's name as it is kept."""
    return " ".join(name.split())[:120]


def set_style(*, actor: User, character_id: uuid.UUID, text: str) -> Asset | None:
    """How the character should be drawn, as Markdown; None where the text is empty and nothing is kept."""
    text = text.replace("\r\n", "\n").strip()
    if len(text) > MAX_STYLE_LENGTH:
        raise CharacterInvalid(
            _("A style description has at most %(most)d characters.") % {"most": MAX_STYLE_LENGTH}
        )
    find_own(actor, character_id, is_locked=False)
    stored = store_words(text) if text else ""
    with transaction.atomic():
        character = find_own(actor, character_id)
        if text:
            asset = _put(character, AssetKind.STYLE, "", stored, len(text.encode()), (0, 0))
        else:
            asset = None
            character.assets.filter(kind=AssetKind.STYLE).delete()
        note_belongings(character)
        record(actor=actor, verb="change style", target=character)
    return asset


@transaction.atomic
def remove_asset(*, actor: User, asset_id: uuid.UUID) -> None:
    """Take a picture off its character. Raises `AssetNotFound`."""
    asset = Asset.objects.filter(pk=asset_id).first()
    if asset is None:
        raise AssetNotFound
    character = find_own(actor, asset.character_id)
    asset.delete()
    note_belongings(character)
    record(actor=actor, verb="remove picture", target=character)


def copy_assets(source: Character, copy: Character) -> None:
    """Give a copied character the same files; they are shared in storage."""
    Asset.objects.bulk_create(
        [
            Asset(
                character=copy,
                kind=row.kind,
                name=row.name,
                file=row.file.name,
                size_bytes=row.size_bytes,
                width_px=row.width_px,
                height_px=row.height_px,
            )
            for row in source.assets.all()
        ]
    )


def _put(
    character: Character, kind: AssetKind, name: str, stored: str, size_bytes: int, size_px: tuple[int, int]
) -> Asset:
    asset, _made = Asset.objects.update_or_create(
        character=character,
        kind=kind,
        name=name,
        defaults={"file": stored, "size_bytes": size_bytes, "width_px": size_px[0], "height_px": size_px[1]},
    )
    return asset


def _wear(character: Character, square_name: str, actor: User, *, joins_version: bool) -> Character:
    if character.version_id is None:
        keep_version(character, actor=None)
    character.avatar = square_name
    character.save(update_fields=["avatar", "updated_at"])
    if joins_version:
        amend_version(character)
    else:
        keep_version(character, actor=actor)
    record(actor=actor, verb="change portrait", target=character)
    return character
