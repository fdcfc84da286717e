"""Characters from cards, and cards from characters."""

import io
import uuid
from contextlib import suppress

from django.db import transaction
from PIL import Image

from accounts.models import User
from characters.access import find_own
from characters.assets.models import AssetKind
from characters.assets.services import add_picture, set_portrait
from characters.cards.card import Card
from characters.cards.rows import card_of, fields_of
from characters.cards.writing import CardVersion, write_card, write_json, write_png
from characters.errors import CharacterInvalid, PictureRefused
from characters.lorebooks.services import import_lorebook
from characters.models import CardSource, Character
from characters.pictures import read_file
from characters.services import create_character

# V3's kinds of assets that have a place here; the card keeps the others.
_KINDS = {"emotion": AssetKind.EXPRESSION, "background": AssetKind.BACKGROUND}
# Of a card's picture without a portrait: a plain sheet.
_BLANK = (512, 512)
_BLANK_COLOUR = "#d9d4cc"


def import_card(*, actor: User, card: Card) -> Character:
    """A new character of the actor's, with everything the card says: words, lorebook, portrait, pictures.

    A picture that cannot be kept is left out; the words never are. Raises `CharacterInvalid`.
    """
    with transaction.atomic():
        character = create_character(actor=actor, name=card.name, **fields_of(card))
        CardSource.objects.create(character=character, json=card.source)
        if card.book is not None:
            import_lorebook(actor=actor, book=card.book, character=character)
    # After it: encoding takes half a second, and storing may be a network call.
    if card.picture is not None:
        with suppress(PictureRefused):
            character = set_portrait(actor=actor, character_id=character.pk, data=card.picture)
    for asset in card.assets:
        kind = _KINDS.get(asset.type)
        if kind is not None and asset.data is not None:
            with suppress(PictureRefused, CharacterInvalid):
                add_picture(
                    actor=actor,
                    character_id=character.pk,
                    kind=kind,
                    name=asset.name or asset.ext,
                    data=asset.data,
                )
    return character


def export_json(*, actor: User, character_id: uuid.UUID, version: CardVersion = "v3") -> bytes:
    """The character's card as a JSON file; only for who may change the character, since it holds its prompts."""
    character = find_own(actor, character_id, is_locked=False)
    return write_json(write_card(card_of(character), version))


def export_png(*, actor: User, character_id: uuid.UUID) -> bytes:
    """The character's portrait as a PNG, with its card in it for readers of V2 and of V3."""
    character = find_own(actor, character_id, is_locked=False)
    return write_png(card_of(character), _portrait_png(character))


def _portrait_png(character: Character) -> bytes:
    whole = character.assets.filter(kind=AssetKind.PORTRAIT).first()
    name = str(whole.file.name) if whole is not None else str(character.avatar.name or "")
    buffer = io.BytesIO()
    try:
        with Image.open(io.BytesIO(read_file(name)) if name else io.BytesIO()) as picture:
            picture.save(buffer, "PNG", optimize=True)
    except OSError:
        Image.new("RGB", _BLANK, _BLANK_COLOUR).save(buffer, "PNG")
    return buffer.getvalue()
