"""Characters from cards, and cards from characters."""

import io
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress

from django.db import transaction
from django.utils.translation import gettext as _
from PIL import Image

from accounts.models import User
from characters.access import find_own
from characters.assets.models import AssetKind
from characters.assets.services import add_picture, set_portrait, tidy_name
from characters.cards.card import Card, CardAsset, main_icon
from characters.cards.charx import MOST_FILE_BYTES, write_charx
from characters.cards.parts import as_data_urls
from characters.cards.rows import KINDS, card_of, fields_of, load_parts, parts_of
from characters.cards.writing import CardVersion, write_card, write_json, write_png
from characters.errors import CardRefused, CharacterInvalid, PictureRefused
from characters.lorebooks.services import import_lorebook
from characters.models import CardFile, CardSource, Character
from characters.pictures import count_pixels, read_file, store_card_file
from characters.services import create_character

# Bytes of files that go with a card. In base64 they are a third longer, and beside the portrait and the words they
# stay below what `characters.cards.reading` takes: 32 MB of PNG, 16 MB of JSON.
MOST_PNG_BYTES = 18 * 1024 * 1024
MOST_JSON_BYTES = 10 * 1024 * 1024
# Of all pictures in a card together, as they are decoded: 200 expressions of 800 by 1,000 fit. What fits at the most
# takes a minute of one core.
MOST_MEGAPIXELS = 160
# Of a card's picture without a portrait: a plain sheet.
_BLANK = (512, 512)
_BLANK_COLOUR = "#d9d4cc"


def import_card(*, actor: User, card: Card) -> Character:
    """A new character of the actor's, with everything the card says: words, lorebook, portrait, pictures.

    A file that has no place here, or cannot be shown, is kept as it came, for the export. Raises `CharacterInvalid`,
    and `CardRefused` for one whose pictures would take minutes to encode.
    """
    _check_effort(card)
    with transaction.atomic():
        character = create_character(actor=actor, name=card.name, **fields_of(card))
        CardSource.objects.create(character=character, json=card.source)
        if card.book is not None:
            import_lorebook(actor=actor, book=card.book, character=character)
    # After it: encoding takes half a second, and storing may be a network call.
    character, icon = _wear_picture(actor, character, card)
    CardFile.objects.bulk_create(_keep_files(actor, character, card.assets, icon))
    return character


def export_json(*, actor: User, character_id: uuid.UUID, version: CardVersion = "v3") -> bytes:
    """The character's card as a JSON file; only for who may change the character, since it holds its prompts.

    In V3 its files are data URLs, 10 MB of them at the most: what does not fit is named as the imported card named
    it, without its bytes, and a picture that was added here is left out. V2 knows no files: its list is as it came.
    """
    character = find_own(actor, character_id, is_locked=False)
    card = card_of(character)
    if version == "v2":
        return write_json(write_card(card, version))
    parts = load_parts(parts_of(character, card, has_picture=False), MOST_JSON_BYTES)
    return write_json(write_card(card, version, as_data_urls(parts)))


def export_png(*, actor: User, character_id: uuid.UUID, most_bytes: int = MOST_PNG_BYTES) -> bytes:
    """The character's portrait as a PNG, with its card in it for readers of V2 and of V3.

    Its files are texts beside it, `most_bytes` of them; what does not fit is treated as in `export_json`.
    """
    character = find_own(actor, character_id, is_locked=False)
    card = card_of(character)
    parts = load_parts(parts_of(character, card, has_picture=True), most_bytes)
    return write_png(card, _portrait_png(character), parts)


def export_charx(*, actor: User, character_id: uuid.UUID) -> Iterator[bytes]:
    """The character's card and all its files as a CHARX, in pieces of one file each.

    Raises `CardRefused` at once for files of more than 200 MB, which no import would take.
    """
    character = find_own(actor, character_id, is_locked=False)
    card = card_of(character)
    parts = parts_of(character, card, has_picture=False)
    total = sum({part.file: part.size_bytes for part in parts}.values())
    if total > MOST_FILE_BYTES:
        raise CardRefused(
            _(
                "This character's files have %(found)d MB together, and a CHARX file takes %(most)d. Take some"
                " pictures off, or save it as PNG, which leaves out what does not fit."
            )
            % {"found": -(-total >> 20), "most": MOST_FILE_BYTES >> 20}
        )
    return write_charx(card, parts, read_file)


def copy_card(source: Character, copy: Character) -> None:
    """Give a copied character what the original's card said beside its words, and its files; they are shared."""
    text = CardSource.objects.filter(character=source).values_list("json", flat=True).first()
    if text is None:
        return
    CardSource.objects.create(character=copy, json=text)
    CardFile.objects.bulk_create(
        [
            CardFile(
                character=copy,
                position=row.position,
                kind=row.kind,
                name=row.name,
                file=row.file.name,
                size_bytes=row.size_bytes,
            )
            for row in source.card_files.all()
        ]
    )


def _check_effort(card: Card) -> None:
    """Before anything is stored: what the headers of its pictures promise. Entries may name one file many times."""
    icon = main_icon(card.assets)
    entries = [asset for asset in card.assets if asset.size_bytes and (asset is icon or asset.type in KINDS)]
    # The same file is read once, and the sizes are all the same counted for each entry.
    files = {asset.uri: asset for asset in entries}
    sizes = {uri: count_pixels(asset.data or b"") for uri, asset in files.items()}
    total = sum(sizes[asset.uri] for asset in entries) + count_pixels(card.picture or b"")
    if total > MOST_MEGAPIXELS * 1_000_000:
        raise CardRefused(
            _(
                "The pictures in that card have %(found)d megapixels together, and %(most)d can be read at once."
                " Save it with smaller or fewer pictures."
            )
            % {"found": total // 1_000_000, "most": MOST_MEGAPIXELS}
        )


def _wear_picture(actor: User, character: Character, card: Card) -> tuple[Character, CardAsset | None]:
    """The character with its portrait: the card's main icon, else the picture the card is in; and that icon."""
    icon = main_icon(card.assets)
    for entry, data in ((icon, icon.data if icon else None), (None, card.picture)):
        if data:
            with suppress(PictureRefused):
                worn = set_portrait(actor=actor, character_id=character.pk, data=data, joins_version=True)
                return worn, entry
    return character, None


def _keep_files(
    actor: User, character: Character, assets: Sequence[CardAsset], icon: CardAsset | None
) -> Iterator[CardFile]:
    """A row for every entry whose bytes came: the character's own picture, or the file as it is.

    Of two entries with the same kind and name the first becomes the picture.
    """
    taken: set[tuple[AssetKind, str]] = set()
    # Many entries may name the same bytes, which are one object then.
    stored: dict[str, str] = {}
    for asset in assets:
        row = CardFile(character=character, position=asset.position)
        kind, name = KINDS.get(asset.type), tidy_name(asset.name or asset.ext)
        if not (data := asset.data):
            continue
        if asset is icon:
            row.kind = AssetKind.PORTRAIT
        elif kind and (kind, name) not in taken and _add(actor, character, kind, name, data):
            taken.add((kind, name))
            row.kind, row.name = kind, name
        else:
            if asset.uri not in stored:
                stored[asset.uri] = store_card_file(data)
            row.file, row.size_bytes = stored[asset.uri], len(data)
        yield row


def _add(actor: User, character: Character, kind: AssetKind, name: str, data: bytes) -> bool:
    """Whether the picture could become one of the character's."""
    try:
        add_picture(actor=actor, character_id=character.pk, kind=kind, name=name, data=data)
    except (PictureRefused, CharacterInvalid):
        return False
    return True


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
