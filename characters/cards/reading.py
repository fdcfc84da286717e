"""Files in, cards and lorebooks out. Whatever the bytes are, the answer is a card or a refusal that says why."""

import base64
import binascii
import io
import zipfile
import zlib
from collections.abc import Callable

from django.utils.translation import gettext as _

from characters.cards import png
from characters.cards.card import Book, Card, CardAsset, main_icon
from characters.cards.fields import book_from_json, card_from_json
from characters.cards.jsons import Json, NotJson, as_list, as_object, as_text, parse
from characters.errors import CardRefused, LorebookRefused

# A card with its pictures; texts alone stay below one.
MAX_BYTES = 32 * 1024 * 1024
MAX_ASSETS = 500
# Members of a CHARX unfolded: its card, and everything that is read of it.
MAX_CARD_JSON_BYTES = 16 * 1024 * 1024
MAX_UNFOLDED_BYTES = 96 * 1024 * 1024

_KEYWORDS = frozenset({"chara", "ccv3"})
# The specification has a colon after it; RisuAI once wrote none.
_ASSET_KEYWORD = "chara-ext-asset_"
_ZIP = b"PK\x03\x04"
# What `zipfile` raises for broken, encrypted or exotic archives.
_ZIP_ERRORS = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    NotImplementedError,
    RuntimeError,
    OSError,
    EOFError,
    ValueError,
    OverflowError,
    zlib.error,
    KeyError,
    MemoryError,
)

Fetch = Callable[[str], bytes | None]


def read_card(data: bytes) -> Card:
    """The card in a PNG, JSON or CHARX file, whichever it is. Raises CardRefused."""
    if len(data) > MAX_BYTES:
        raise CardRefused(_("That file is larger than 32 MB. Save the card with smaller pictures."))
    if png.is_png(data):
        return _read_png(data)
    if data.startswith(_ZIP):
        return _read_charx(data)
    value = _parse(data)
    # Nothing lies beside a JSON file, and what lies elsewhere is never fetched: only its data URLs have bytes.
    assets = _assets(value, lambda _uri: None)
    return card_from_json(value, assets=assets, picture=_icon(assets))


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

    def fetch(uri: str) -> bytes | None:
        if not uri.startswith("__asset:"):
            return None
        path = uri.removeprefix("__asset:")
        text = texts.get(f"{_ASSET_KEYWORD}:{path}") or texts.get(f"{_ASSET_KEYWORD}{path}")
        return _from_base64(text) if text else None

    return card_from_json(value, assets=_assets(value, fetch), picture=data)


def _read_charx(data: bytes) -> Card:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            raw = _member(archive, "card.json", MAX_CARD_JSON_BYTES)
            if raw is None:
                raise CardRefused(_("There is no card.json in that CHARX file, or it is too large."))
            value = _parse(raw)
            left_bytes = MAX_UNFOLDED_BYTES

            def fetch(uri: str) -> bytes | None:
                nonlocal left_bytes
                # The specification spells it so; some write it right.
                for scheme in ("embeded://", "embedded://"):
                    if uri.startswith(scheme):
                        found = _member(archive, uri.removeprefix(scheme), left_bytes)
                        left_bytes -= len(found or b"")
                        return found
                return None

            assets = _assets(value, fetch)
    except _ZIP_ERRORS as error:
        raise CardRefused(_("That CHARX file is damaged or encrypted. Export it again.")) from error
    return card_from_json(value, assets=assets, picture=_icon(assets))


def _member(archive: zipfile.ZipFile, name: str, most_bytes: int) -> bytes | None:
    try:
        info = archive.getinfo(name)
    except KeyError:
        return None
    if info.file_size > most_bytes:
        return None
    with archive.open(info) as file:
        # What the archive says of a size is a claim; no more than that is unfolded.
        return file.read(most_bytes)


def _assets(value: object, fetch: Fetch) -> tuple[CardAsset, ...]:
    listed = as_list(as_object(as_object(value).get("data")).get("assets"))
    assets = []
    # Five hundred entries may name one file of many megabytes.
    found: dict[str, bytes | None] = {}
    for position, item in enumerate(listed[:MAX_ASSETS]):
        fields = as_object(item)
        uri = fields.get("uri")
        if isinstance(uri, str):
            kind, name, ext = (as_text(fields.get(key)) for key in ("type", "name", "ext"))
            if uri not in found:
                found[uri] = _from_data_url(uri) if uri.startswith("data:") else fetch(uri)
            assets.append(CardAsset(kind, as_text(uri), name, ext, found[uri], position))
    return tuple(assets)


def _icon(assets: tuple[CardAsset, ...]) -> bytes | None:
    main = main_icon(tuple(asset for asset in assets if asset.data))
    return main.data if main else None


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
