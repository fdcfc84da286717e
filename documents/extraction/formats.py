"""What a file really is, told from its bytes; its name only chooses between Markdown and plain text.

Tells types apart and finds text encodings; reading is for the format's own module. No Django here.
"""

import codecs
import re
from enum import StrEnum
from pathlib import PurePath

from charset_normalizer import from_bytes

# Enough for every signature below, for the first names in a zip, and for a fair guess at an encoding.
HEAD_BYTES = 8192
# A zip lists its files at its end; the names that matter are in there with thousands of others.
TAIL_BYTES = 65_536


class MediaType(StrEnum):
    """The types that can be read."""

    PDF = "application/pdf"
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    MARKDOWN = "text/markdown"
    TEXT = "text/plain"


class Unreadable(Exception):
    """Why a file gives no pages: `code` is that of an error in `documents.errors`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# An encrypted DOCX is an OLE container with a stream of this name, in UTF-16 as OLE writes names.
_OLE_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_WORD_MAIN_PART = b"word/document"
_MARKDOWN_SUFFIXES = {".md", ".markdown", ".mdown", ".mkd"}
# Control characters that no text file holds; tab, line feed, form feed and carriage return are fine.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
# Real text in a legacy encoding has a stray one at most.
_CONTROL_SHARE_MAX = 0.002
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def detect_media_type(head: bytes, tail: bytes, name: str) -> MediaType:
    """The type of a file that begins with `head` and ends with `tail`.

    Raises `Unreadable` with `file_empty`, `file_encrypted` or `type_unsupported`.
    """
    if not head.strip(b"\x00\t\n\r\x0c "):
        raise Unreadable("file_empty" if len(head) < HEAD_BYTES else "type_unsupported")
    # ISO 32000 lets readers accept the mark anywhere in the first 1,024 bytes; scanners do put junk before it.
    if b"%PDF-" in head[:1024]:
        return MediaType.PDF
    if head.startswith(_ZIP):
        if _WORD_MAIN_PART in head or _WORD_MAIN_PART in tail:
            return MediaType.DOCX
        raise Unreadable("type_unsupported")
    if head.startswith(_OLE):
        raise Unreadable("file_encrypted" if _OLE_ENCRYPTED in head + tail else "type_unsupported")
    decode_text(head, is_cut=True)
    return MediaType.MARKDOWN if PurePath(name).suffix.lower() in _MARKDOWN_SUFFIXES else MediaType.TEXT


def decode_text(data: bytes, *, is_cut: bool = False) -> str:
    """The text in `data`: by its byte-order mark, as UTF-8, or by the likeliest legacy encoding.

    `is_cut` says that `data` may end inside a character. Raises `Unreadable("type_unsupported")` for bytes that
    are no text.
    """
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return _checked(data.decode(encoding, errors="ignore" if is_cut else "replace"))
    if b"\x00" in data:
        raise Unreadable("type_unsupported")
    try:
        decoder = codecs.getincrementaldecoder("utf-8")("strict")
        return _checked(decoder.decode(data, final=not is_cut))
    except UnicodeDecodeError:
        best = from_bytes(data[: 4 * HEAD_BYTES]).best()
    if best is None:
        raise Unreadable("type_unsupported")
    return _checked(data.decode(best.encoding, errors="replace"))


def _checked(text: str) -> str:
    if len(_CONTROL.findall(text)) > _CONTROL_SHARE_MAX * len(text):
        raise Unreadable("type_unsupported")
    return _CONTROL.sub("", text)
