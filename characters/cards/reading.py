"""Files in, cards and lorebooks out. Whatever the bytes are, the answer is a card or a refusal that says why."""

import base64
import binascii
import io
from collections.abc import Callable
from typing import IO

from django.utils.translation import gettext as _

from characters.cards import png
from characters.cards.card import Book, Card, CardAsset, main_icon
from characters.cards.charx import MOST_FILE_BYTES, ZIP_ERRORS, Archive
from characters.cards.fields import book_from_json, card_from_json
from characters.cards.jsons import Json, NotJson, as_list, as_object, as_text, parse
from characters.errors import CardRefused, LorebookRefused

# A card with its pictures; texts alone stay below one.
MAX_BYTES = 32 * 1024 * 1024
MAX_ASSETS = 500
MAX_CARD_JSON_BYTES = 16 * 1024 * 1024
# What `write_charx` makes at the most, with some room for the archive's own lists.
MAX_CHARX_BYTES = MOST_FILE_BYTES + MAX_CARD_JSON_BYTES + 8 * 1024 * 1024

_KEYWORDS = frozenset({"chara", "ccv3"})
# The specification has a colon after it; RisuAI once wrote none.
_ASSET_KEYWORD = "chara-ext-asset_"
_ZIP = b"PK\x03\x04"
# How long a file of the card is, and how to get it.
Found = tuple[int, Callable[[], bytes]]
Fetch = Callable[[str], Found | None]


def read_card(data: bytes) -> Card:
    """The card in a PNG, JSON or CHARX file, whichever it is. Raises CardRefused."""
    if len(data) > MAX_BYTES:
        raise CardRefused(
            _(
                "That file is larger than 32 MB. Save the card with smaller pictures, or as a CHARX file and import"
                " that by itself: it may have 224 MB."
            )
        )
    if png.is_png(data):
        return _read_png(data)
    if data.startswith(_ZIP):
        return _read_charx(io.BytesIO(data))
    value = _parse(data)
    # Nothing lies beside a JSON file, and what lies elsewhere is never fetched: only its data URLs have bytes.
    assets = _assets(value, lambda _uri: None)
    return card_from_json(value, assets=assets, picture=_icon(assets))


def read_card_file(file: IO[bytes]) -> Card:
    """`read_card` of a file from its beginning, which for a CHARX must stay open as long as the card's files are read.

    A CHARX may be larger than the others, since it is never in memory as a whole.
    """
    if file.read(len(_ZIP)) == _ZIP:
        if file.seek(0, io.SEEK_END) > MAX_CHARX_BYTES:
            raise CardRefused(_("That CHARX file is larger than 224 MB. Save the card with fewer files."))
        return _read_charx(file)
    file.seek(0)
    # One byte more than allowed is enough to refuse.
    return read_card(file.read(MAX_BYTES + 1))


def read_book(data: bytes) -> Book:
    """The lorebook in a JSON file: of V3, of SillyTavern's world info, or that of a card. Raises LorebookRefused."""
    if len(data) > MAX_CARD_JSON_BYTES:
        raise LorebookRefused(_("That file is larger than 16 MB. Split the lorebook."))
    if png.is_png(data) or data.startswith(_ZIP):
        try:
            book = read_card(data).book
        except CardRefused as error:
            raise LorebookRefused(error.user_message) from error
        if book is None:
            raise LorebookRefused(_("That card has no lorebook."))
        return book
    try:
        value = parse(data)
    except NotJson as error:
        raise LorebookRefused from error
    return book_from_json(_find_book(value))


def _find_book(value: object) -> Json:
    """The object with the entries, wherever it is."""
    found = as_object(value)
    data = as_object(found.get("data"))
    for book in (as_object(data.get("character_book")), as_object(found.get("character_book")), data, found):
        if isinstance(book.get("entries"), list | dict):
            return book
    raise LorebookRefused(_("That file has no entries of a lorebook in it."))


def _read_png(data: bytes) -> Card:
    try:
        texts = png.read_texts(data, _KEYWORDS, _ASSET_KEYWORD)
    except png.BrokenPng as error:
        raise CardRefused(_("That picture is damaged: %(problem)s.") % {"problem": error}) from error
    encoded = texts.get("ccv3") or texts.get("chara")
    if not encoded:
        raise CardRefused(_("There is no character card in that picture. It may have been saved without it."))
    raw = _from_base64(encoded)
    if raw is None:
        raise CardRefused(_("The card in that picture is damaged. Export it again where it comes from."))
    value = _parse(raw)

    def fetch(uri: str) -> Found | None:
        if not uri.startswith("__asset:"):
            return None
        path = uri.removeprefix("__asset:")
        text = texts.get(f"{_ASSET_KEYWORD}:{path}") or texts.get(f"{_ASSET_KEYWORD}{path}")
        return _held(_from_base64(text)) if text else None

    return card_from_json(value, assets=_assets(value, fetch), picture=data)


def _read_charx(file: IO[bytes]) -> Card:
    try:
        archive = Archive(file)
        raw = archive.read_card(MAX_CARD_JSON_BYTES)
        if raw is None:
            raise CardRefused(_("There is no card.json in that CHARX file, or it is too large."))
        value = _parse(raw)
        assets = _assets(value, archive.find)
    except ZIP_ERRORS as error:
        raise CardRefused(_("That CHARX file is damaged or encrypted. Export it again.")) from error
    if archive.is_too_large:
        raise CardRefused(
            _(
                "The files in that CHARX file have more than 200 MB together. Save the card with fewer of them."
            )
        )
    return card_from_json(value, assets=assets, picture=_icon(assets))


def _assets(value: object, fetch: Fetch) -> tuple[CardAsset, ...]:
    listed = as_list(as_object(as_object(value).get("data")).get("assets"))
    assets = []
    # Five hundred entries may name one file of many megabytes.
    found: dict[str, Found | None] = {}
    for position, item in enumerate(listed[:MAX_ASSETS]):
        fields = as_object(item)
        uri = fields.get("uri")
        if isinstance(uri, str):
            kind, name, ext = (as_text(fields.get(key)) for key in ("type", "name", "ext"))
            if uri not in found:
                found[uri] = _held(_from_data_url(uri)) if uri.startswith("data:") else fetch(uri)
            size_bytes, read = found[uri] or (0, bytes)
            assets.append(CardAsset(kind, as_text(uri), name, ext, size_bytes, read, position))
    return tuple(assets)


def _icon(assets: tuple[CardAsset, ...]) -> bytes | None:
    main = main_icon(tuple(asset for asset in assets if asset.size_bytes))
    return main.data if main else None


def _held(data: bytes | None) -> Found | None:
    return (len(data), lambda: data) if data else None


def _from_data_url(url: str) -> bytes | None:
    head, separator, body = url.partition(",")
    return _from_base64(body) if separator and head.endswith(";base64") else None


def _from_base64(text: str) -> bytes | None:
    try:
        return base64.b64decode("".join(text.split()) + "==", validate=False)
    except (binascii.Error, ValueError):
        return None


def _parse(data: bytes) -> object:
    if len(data) > MAX_CARD_JSON_BYTES:
        raise CardRefused(_("The card's text is larger than 16 MB. Split its lorebook."))
    try:
        return parse(data)
    except NotJson as error:
        raise CardRefused from error
