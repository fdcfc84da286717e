"""Cards between files and rows."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, cast

from characters.assets.models import Asset, AssetKind
from characters.cards.card import Card
from characters.cards.fields import LISTS, TEXTS, data_of
from characters.cards.jsons import as_list, as_object, parse_object
from characters.cards.parts import DEFAULT_ICON, LoadedPart, Part
from characters.lorebooks.models import Lorebook
from characters.lorebooks.rows import book_of
from characters.models import CardFile, CardSource, Character
from characters.pictures import read_file
from characters.services import CharacterFields

# V3's kinds of assets that have a place here, beside the main icon.
KINDS = {"emotion": AssetKind.EXPRESSION, "background": AssetKind.BACKGROUND}
_TYPES = {kind: name for name, kind in KINDS.items()}
# Columns of a character that a card has too, beside TEXTS and LISTS.
_OWN = ("tagline", "description", "temperature", "max_tokens", "is_grounded", "sampling")


def fields_of(card: Card) -> CharacterFields:
    """What `create_character` is told, but the name."""
    names = [name for name in (*TEXTS, *_OWN) if name != "name"]
    fields: dict[str, Any] = {name: getattr(card, name) for name in names}
    lists: dict[str, Any] = {name: list(getattr(card, name)) for name in (*LISTS, "suggestions")}
    return cast(CharacterFields, fields | lists)


def card_of(character: Character) -> Card:
    """The character as a card, with its own lorebook and all that its imported card said."""
    source = CardSource.objects.filter(character=character).values_list("json", flat=True).first()
    lorebook = Lorebook.objects.filter(character=character).first()
    texts: dict[str, Any] = {name: getattr(character, name) for name in (*TEXTS, *_OWN)}
    lists: dict[str, Any] = {name: tuple(getattr(character, name)) for name in (*LISTS, "suggestions")}
    return Card(
        spec="v3", book=book_of(lorebook) if lorebook else None, source=source or "", **texts, **lists
    )


def parts_of(character: Character, card: Card, *, has_picture: bool) -> list[Part]:
    """The entries of the character's assets: those of its imported card, in their order, then what it has besides.

    The character's own pictures are as they are now, and one that was taken off is gone from the list. A file that
    `has_picture` is the icon where the list names none or the default one; into another the portrait goes as one.
    """
    listed = as_list(data_of(parse_object(card.source)).get("assets"))
    rows = {row.position: row for row in CardFile.objects.filter(character=character)}
    known = character.assets.filter(kind__in=[AssetKind.PORTRAIT, *_TYPES])
    own = {(row.kind, row.name): row for row in known}
    if character.avatar:
        # Of the house's own cast there is only the square: some 20 kB, too little to count.
        square = Asset(kind=AssetKind.PORTRAIT, file=character.avatar.name, size_bytes=0)
        own.setdefault((AssetKind.PORTRAIT, ""), square)
    portrait = own.get((AssetKind.PORTRAIT, ""))
    # The first icon that is the picture of a file which has one: elsewhere the portrait stands for it.
    needs_portrait = not has_picture and all(row.kind != AssetKind.PORTRAIT for row in rows.values())
    default = next(
        (n for n, entry in enumerate(listed) if needs_portrait and portrait and _is_default_icon(entry)), None
    )
    parts = []
    for position, entry in enumerate(listed):
        row = rows.get(position)
        if position == default and portrait is not None:
            parts.append(_part(entry, portrait))
        elif row is None:
            parts.append(Part(entry))
        elif row.file:
            parts.append(Part(entry, str(row.file.name), row.size_bytes))
        elif (picture := own.pop((row.kind, row.name), None)) is not None:
            parts.append(_part(entry, picture))
    own.pop((AssetKind.PORTRAIT, ""), None)
    further = [_part({"type": _TYPES[AssetKind(row.kind)], "name": row.name}, row) for row in own.values()]
    has_icon = any(as_object(entry).get("type") == "icon" for entry in listed)
    if portrait is not None and not has_picture and not has_icon:
        further.insert(0, _part({"type": "icon", "name": "main"}, portrait))
    elif further and not listed:
        further.insert(0, Part(DEFAULT_ICON))
    return parts + further


def load_parts(parts: Iterable[Part], most_bytes: int) -> list[LoadedPart]:
    """The parts with their bytes, as many as fit. The others, and what storage has lost, go out as they came."""
    loaded, left_bytes = [], most_bytes
    for part in parts:
        data = None
        if part.file and part.size_bytes <= left_bytes:
            with suppress(FileNotFoundError):
                data = read_file(part.file)
                left_bytes -= len(data)
        if data is not None or not part.is_new:
            loaded.append(LoadedPart(part, data))
    return loaded


def _is_default_icon(entry: object) -> bool:
    fields = as_object(entry)
    return fields.get("type") == "icon" and fields.get("uri") == DEFAULT_ICON["uri"]


def _part(entry: object, picture: Asset) -> Part:
    name = str(picture.file.name)
    is_new = "uri" not in as_object(entry)
    return Part(entry, name, picture.size_bytes, ext=name.rpartition(".")[2], is_new=is_new)
