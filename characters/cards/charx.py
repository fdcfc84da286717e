"""CHARX files: a ZIP with `card.json` and the files that it names. Both ways one file after the other, so that what is
in memory at a time is the largest of them.

V3 spells the scheme of a member's address `embeded://`.
"""

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import IO

from characters.cards.card import Card
from characters.cards.jsons import as_object, as_text
from characters.cards.parts import Part, with_uri
from characters.cards.window import Window
from characters.cards.writing import write_card, write_json

CARD_NAME = "card.json"
SCHEME = "embeded://"
# Of all files of a card together, in and out.
MOST_FILE_BYTES = 200 * 1024 * 1024
_SCHEMES = (SCHEME, "embedded://")
# What `zipfile` raises for broken, encrypted or exotic archives.
ZIP_ERRORS = (
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
# The specification's folders below that of an asset's type.
_FOLDERS = {
    "images": {"png", "webp", "jpg", "jpeg", "gif", "avif"},
    "audio": {"mp3", "ogg", "wav", "flac", "m4a"},
    "video": {"mp4", "webm"},
    "fonts": {"ttf", "otf", "woff", "woff2"},
}
_PLAIN = re.compile(r"[a-z0-9_]{1,20}")
_PIECE_BYTES = 1 << 20


class Archive:
    """The members of a CHARX file. All methods raise ZIP_ERRORS."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(file)
        self._left_bytes = MOST_FILE_BYTES
        self.is_too_large = False

    def read_card(self, most_bytes: int) -> bytes | None:
        """None for one that is not there or too large."""
        with suppress(KeyError):
            if (info := self._zip.getinfo(CARD_NAME)).file_size <= most_bytes:
                return self._read(info)
        return None

    def find(self, uri: str) -> tuple[int, Callable[[], bytes]] | None:
        """How long a member is, which is whole, and how to get it; None for one that is not there.

        One that has no room beside those found before counts as not there, and leaves `is_too_large` behind.
        """
        scheme = next((scheme for scheme in _SCHEMES if uri.startswith(scheme)), None)
        if scheme is None or (info := self._zip.NameToInfo.get(uri.removeprefix(scheme))) is None:
            return None
        if info.file_size > self._left_bytes:
            self.is_too_large = True
            return None
        self._left_bytes -= info.file_size
        with self._zip.open(info) as member:
            # What does not fit its checksum raises at its end.
            while member.read(_PIECE_BYTES):
                pass
        return info.file_size, lambda: self._read(info)

    def _read(self, info: zipfile.ZipInfo) -> bytes:
        with self._zip.open(info) as member:
            # What the archive says of a size is a claim; no more than that is unfolded.
            return member.read(info.file_size)


def write_charx(card: Card, parts: Sequence[Part], read: Callable[[str], bytes]) -> Iterator[bytes]:
    """A CHARX file of the card, piece by piece; `read` gets a file from storage.

    The files come first and the list of them last, since storage may have lost one, whose entry goes out as it came.
    """
    window = Window()
    entries: list[object] = []
    given: dict[str, str | None] = {}
    with zipfile.ZipFile(window, "w", zipfile.ZIP_STORED) as archive:
        for part in parts:
            if part.file and part.file not in given:
                given[part.file] = None
                with suppress(FileNotFoundError):
                    data = read(part.file)
                    given[part.file] = name = _member_name(part, len(given))
                    archive.writestr(name, data)
                    yield window.take()
            if (member := given.get(part.file)) is not None:
                entries.append(with_uri(part, SCHEME + member))
            elif not part.is_new:
                entries.append(part.entry)
        archive.writestr(CARD_NAME, write_json(write_card(card, "v3", entries)), zipfile.ZIP_DEFLATED)
    yield window.take()


def _member_name(part: Part, number: int) -> str:
    entry = as_object(part.entry)
    kind, ext = as_text(entry.get("type")).lower(), (part.ext or as_text(entry.get("ext"))).lower()
    kind, ext = (word if _PLAIN.fullmatch(word) else other for word, other in ((kind, "other"), (ext, "bin")))
    folder = next((folder for folder, known in _FOLDERS.items() if ext in known), "other")
    return f"assets/{kind}/{folder}/{number}.{ext}"
