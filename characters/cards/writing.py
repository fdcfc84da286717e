"""Cards out: the original JSON with what has changed since, as JSON or inside a picture."""

import base64
import json
from collections.abc import Sequence
from typing import Literal

from characters.cards import png
from characters.cards.card import Book, BookEntry, Card
from characters.cards.fields import (
    LISTS,
    LOGIC_NUMBERS,
    OWN,
    TEXTS,
    V1_FIELDS,
    book_from_json,
    card_from_json,
    data_of,
    entry_from_json,
    read_list,
    read_text,
)
from characters.cards.jsons import Json, as_list, as_object, dump, parse_object
from characters.cards.parts import LoadedPart, as_chunks
from characters.lorebooks.decorators import without_decorators

CardVersion = Literal["v2", "v3"]
_SPECS = {"v2": ("chara_card_v2", "2.0"), "v3": ("chara_card_v3", "3.0")}
_ENTRY_FIELDS = {
    "keys": "keys",
    "secondary_keys": "secondary_keys",
    "content": "content",
    "name": "name",
    "is_selective": "selective",
    "uses_regex": "use_regex",
    "is_case_sensitive": "case_sensitive",
    "is_constant": "constant",
    "is_enabled": "enabled",
    "insertion_order": "insertion_order",
    "priority": "priority",
    "position": "position",
}
_ENTRY_DEFAULTS: Json = {
    "keys": [],
    "content": "",
    "enabled": True,
    "insertion_order": 100,
    "use_regex": False,
}
_OWN_FIELDS = (
    "tagline",
    "description",
    "suggestions",
    "temperature",
    "max_tokens",
    "sampling",
    "is_grounded",
)


def write_card(card: Card, version: CardVersion = "v3", assets: list[object] | None = None) -> Json:
    """The card as a JSON object of that version. Of what nobody changed, every value is the original's.

    `assets` stands in place of the original's list (`characters.cards.parts`); None leaves that as it is.
    """
    whole = parse_object(card.source)
    was_flat = bool(whole) and not isinstance(whole.get("data"), dict)
    data = dict(data_of(whole))
    for attribute, field in TEXTS.items():
        text = getattr(card, attribute)
        if read_text(attribute, data) != text or (field not in data and field != "nickname"):
            data[field] = text
    for attribute, field in LISTS.items():
        words = list(getattr(card, attribute))
        if read_list(attribute, data) != words or field not in data:
            data[field] = words
    if "extensions" not in data:
        data["extensions"] = {}
    _add_own(card, data)
    if assets is not None and assets != as_list(data.get("assets")):
        data["assets"] = assets
    if card.book is not None:
        data["character_book"] = write_book(card.book, version)
    spec, number = _SPECS[version]
    is_same = whole.get("spec") == spec
    head: Json = {"spec": spec, "spec_version": whole.get("spec_version", number) if is_same else number}
    # What stood beside `data` stays there, V1's fields among it, with the words of today.
    beside = {key: value for key, value in whole.items() if key not in {"data", "spec", "spec_version"}}
    for field in V1_FIELDS:
        if field in beside:
            beside[field] = data[field]
    if was_flat:
        beside.pop("character_book", None)
    return {**head, "data": data, **beside}


def write_book(book: Book, version: CardVersion = "v3") -> Json:
    """The lorebook as it stands in a card."""
    written = parse_object(book.source)
    known: dict[str, object] = {
        "name": book.name,
        "description": book.description,
        "scan_depth": book.scan_depth,
        "token_budget": book.token_budget,
        "recursive_scanning": book.is_recursive,
    }
    before = book_from_json({**written, "entries": []})
    for field, value in known.items():
        if value != getattr(before, "is_recursive" if field == "recursive_scanning" else field):
            written[field] = value
    written.setdefault("extensions", {})
    written["entries"] = [_write_entry(entry, version) for entry in book.entries]
    return written


def write_json(value: Json) -> bytes:
    """A JSON file, readable by people too."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2)
    try:
        return text.encode()
    except UnicodeEncodeError:
        # Lone surrogates have no UTF-8; as an escape they do.
        return json.dumps(value, ensure_ascii=True, allow_nan=False, indent=2).encode()


def write_png(card: Card, picture: bytes, parts: Sequence[LoadedPart] | None = None) -> bytes:
    """The picture (a PNG) with the card in it twice: `chara` for V2's readers, `ccv3` for V3's.

    Files of the card follow in texts of their own; without `parts` its list of them stands as it is.
    """
    assets, files = (None, {}) if parts is None else as_chunks(parts)
    cards = {"chara": write_card(card, "v2", assets), "ccv3": write_card(card, "v3", assets)}
    encoded = {keyword: base64.b64encode(dump(value).encode()).decode() for keyword, value in cards.items()}
    return png.with_texts(picture, encoded | files)


def _add_own(card: Card, data: Json) -> None:
    """Parlour's own fields, where they differ from what reading the card as it is would give."""
    extensions = as_object(data.get("extensions"))
    before = card_from_json(
        {"data": {"name": "x", "first_mes": "", "extensions": extensions}}, assets=(), picture=None
    )
    changed: Json = {}
    for field in _OWN_FIELDS:
        value = getattr(card, field)
        if value != getattr(before, field):
            changed[field] = list(value) if isinstance(value, tuple) else value
    if changed:
        data["extensions"] = {**extensions, OWN: {**as_object(extensions.get(OWN)), **changed}}


def _write_entry(entry: BookEntry, version: CardVersion) -> Json:
    written = parse_object(entry.source)
    before = entry_from_json(written)
    changed: Json = {}
    for attribute, field in _ENTRY_FIELDS.items():
        value = getattr(entry, attribute)
        if value != getattr(before, attribute):
            changed[field] = list(value) if isinstance(value, tuple) else value
    if "name" in changed and "comment" in written:
        changed["comment"] = entry.name
    extensions = dict(as_object(written.get("extensions")))
    if entry.logic != before.logic:
        extensions["selectiveLogic"] = LOGIC_NUMBERS[entry.logic]
    if entry.is_whole_words != before.is_whole_words:
        extensions["match_whole_words"] = entry.is_whole_words
    written |= changed
    for field, default in _ENTRY_DEFAULTS.items():
        written.setdefault(field, default)
    if extensions or "extensions" not in written:
        written["extensions"] = extensions
    if version == "v2" and isinstance(written["content"], str):
        # The specification: who reads V2 only would take decorators for words.
        written["content"] = without_decorators(written["content"])
    return written
