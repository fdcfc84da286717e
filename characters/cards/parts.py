"""A card's list of assets on its way out: every entry with its bytes, inside a PNG or inside JSON. No IO.

Inside a PNG they are texts `chara-ext-asset_:N`, which the list calls `__asset:N`; inside JSON they are data URLs;
of a CHARX they are members (`characters.cards.charx`).
"""

import base64
import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

from characters.cards.jsons import Json, as_object

# What the specification takes for the list of a card that has none: the picture that the card is in.
DEFAULT_ICON: Json = {"type": "icon", "uri": "ccdefault:", "name": "main", "ext": "png"}

# What Python's own table lacks before 3.13.
_NEWER_TYPES = {".webp": "image/webp", ".avif": "image/avif"}


@dataclass(frozen=True, slots=True)
class Part:
    """One entry, as the imported card had it, and the file in storage whose bytes go with it.

    `ext` is set for the character's own pictures, which are encoded anew. An entry that no card had is `is_new`:
    it says nothing without its bytes.
    """

    entry: object
    file: str = ""
    size_bytes: int = 0
    ext: str = ""
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class LoadedPart:
    """A part with its bytes; None where it goes out as it came."""

    part: Part
    data: bytes | None = field(repr=False)


def as_chunks(loaded: Sequence[LoadedPart]) -> tuple[list[object], dict[str, str]]:
    """The list for a PNG, and its texts by keyword (base64). Entries of the same file share one."""
    # A number that an entry without bytes still names would give it another's.
    left = {_uri_of(one.part) for one in loaded if one.data is None}
    numbers = (n for n in count() if f"__asset:{n}" not in left)
    entries: list[object] = []
    given: dict[str, int] = {}
    texts: dict[str, str] = {}
    for one in loaded:
        if one.data is None:
            entries.append(one.part.entry)
            continue
        if one.part.file not in given:
            given[one.part.file] = next(numbers)
            texts[f"chara-ext-asset_:{given[one.part.file]}"] = base64.b64encode(one.data).decode()
        entries.append(with_uri(one.part, f"__asset:{given[one.part.file]}"))
    return entries, texts


def as_data_urls(loaded: Sequence[LoadedPart]) -> list[object]:
    """The list for a JSON file. A data URL that nobody has changed stays to the letter."""
    entries: list[object] = []
    for one in loaded:
        is_kept = not one.part.ext and _uri_of(one.part).startswith("data:")
        if one.data is None or is_kept:
            entries.append(one.part.entry)
        else:
            entries.append(with_uri(one.part, _data_url(one.part, one.data)))
    return entries


def _uri_of(part: Part) -> str:
    uri = as_object(part.entry).get("uri")
    return uri if isinstance(uri, str) else ""


def with_uri(part: Part, uri: str) -> Json:
    """The entry with its bytes there."""
    entry = {**as_object(part.entry), "uri": uri}
    return {**entry, "ext": part.ext} if part.ext else entry


def _data_url(part: Part, data: bytes) -> str:
    ext = f".{part.ext or as_object(part.entry).get('ext')}".lower()
    kind = _NEWER_TYPES.get(ext) or mimetypes.types_map.get(ext, "application/octet-stream")
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
