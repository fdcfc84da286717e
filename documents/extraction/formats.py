"""What a file really is, told from its bytes; its name only chooses among kinds of text.

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
    PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
    XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    ODT = "application/vnd.oasis.opendocument.text"
    ODS = "application/vnd.oasis.opendocument.spreadsheet"
    ODP = "application/vnd.oasis.opendocument.presentation"
    EPUB = "application/epub+zip"
    HTML = "text/html"
    RTF = "application/rtf"
    MAIL = "message/rfc822"
    MARKDOWN = "text/markdown"
    CSV = "text/csv"
    JSON = "application/json"
    JSON_LINES = "application/x-ndjson"
    CODE = "text/x-source"
    TEXT = "text/plain"
    PNG = "image/png"
    JPEG = "image/jpeg"
    WEBP = "image/webp"
    GIF = "image/gif"
    TIFF = "image/tiff"
    BMP = "image/bmp"
    MP3 = "audio/mpeg"
    WAV = "audio/wav"
    OGG = "audio/ogg"
    FLAC = "audio/flac"
    M4A = "audio/mp4"
    WEBM = "audio/webm"

    @property
    def is_picture(self) -> bool:
        return self.startswith("image/")

    @property
    def is_recording(self) -> bool:
        return self.startswith("audio/")


class Unreadable(Exception):
    """Why a file gives no pages: `code` is that of an error in `documents.errors`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# An encrypted DOCX is an OLE container with a stream of this name, in UTF-16 as OLE writes names.
_OLE_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
# By a part that only this kind has. In a macro-enabled file it is the same part; macros are never run.
_ZIP_PARTS = (
    (b"word/document", MediaType.DOCX),
    (b"ppt/presentation", MediaType.PPTX),
    (b"xl/workbook", MediaType.XLSX),
)
# OpenDocument and EPUB say what they are in the archive's first member, which is stored as it is.
_ZIP_TYPES = re.compile(rb"mimetype(application/[a-z0-9.+-]+)")
_STORED_TYPES = {
    kind.value.encode(): kind for kind in (MediaType.ODT, MediaType.ODS, MediaType.ODP, MediaType.EPUB)
}
_MAGIC = (
    (b"{\\rtf", 0, MediaType.RTF),
    (b"\x89PNG\r\n\x1a\n", 0, MediaType.PNG),
    (b"\xff\xd8\xff", 0, MediaType.JPEG),
    (b"GIF87a", 0, MediaType.GIF),
    (b"GIF89a", 0, MediaType.GIF),
    (b"II*\x00", 0, MediaType.TIFF),
    (b"MM\x00*", 0, MediaType.TIFF),
    (b"WEBP", 8, MediaType.WEBP),
    (b"WAVE", 8, MediaType.WAV),
    (b"ID3", 0, MediaType.MP3),
    (b"OggS", 0, MediaType.OGG),
    (b"fLaC", 0, MediaType.FLAC),
    (b"\x1a\x45\xdf\xa3", 0, MediaType.WEBM),
)
# ISO base media: `ftyp` and a brand; films have brands of their own and are not heard here.
_M4A_BRANDS = (b"M4A ", b"M4B ", b"mp42", b"isom", b"dash")
# An MPEG audio frame of layer III without tags before it.
_MP3_FRAME = re.compile(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb]")
_BMP = re.compile(rb"BM.{4}\x00\x00\x00\x00", re.DOTALL)
_HTML = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html[\s>])", re.IGNORECASE | re.DOTALL
)
# A mail as it was sent or saved: headers of which one is a mail's own.
_MAIL = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9-]*:[^\n]*\n(?:[ \t][^\n]*\n)*)*?"
    r"(?:Received|Return-Path|Delivered-To|Message-ID|MIME-Version):",
    re.IGNORECASE,
)
_CODE_SUFFIXES = """
.py .pyi .js .mjs .cjs .jsx .ts .tsx .go .rs .java .kt .kts .c .h .cc .cpp .cxx .hpp .hh .cs .rb
.php .swift .scala .m .sh .bash .zsh .ps1 .sql .r .jl .lua .pl .pm .dart .ex .exs .hs .clj .erl .fs
.vb .sol .tf .bicep .css .scss .vue .svelte
"""
_TEXT_SUFFIXES = {
    **dict.fromkeys((".md", ".markdown", ".mdown", ".mkd"), MediaType.MARKDOWN),
    **dict.fromkeys((".html", ".htm", ".xhtml"), MediaType.HTML),
    **dict.fromkeys((".csv", ".tsv"), MediaType.CSV),
    **dict.fromkeys((".json", ".geojson", ".ipynb"), MediaType.JSON),
    **dict.fromkeys((".jsonl", ".ndjson"), MediaType.JSON_LINES),
    **dict.fromkeys((".eml",), MediaType.MAIL),
    **dict.fromkeys(_CODE_SUFFIXES.split(), MediaType.CODE),
}
# Names that promise something else than text: what holds text under one of these is a page that says why there is no
# file, or a file that was renamed.
_OTHER_SUFFIXES = """
.pdf .docx .docm .pptx .pptm .xlsx .xlsm .odt .ods .odp .epub .png .jpg .jpeg .webp .gif .tif .tiff .bmp .mp3 .wav .ogg
.flac .m4a .webm
"""
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

    Raises `Unreadable` with `file_empty`, `file_encrypted`, `type_mistaken` or `type_unsupported`.
    """
    if not head.strip(b"\x00\t\n\r\x0c "):
        raise Unreadable("file_empty" if len(head) < HEAD_BYTES else "type_unsupported")
    # ISO 32000 lets readers accept the mark anywhere in the first 1,024 bytes; scanners do put junk before it.
    if b"%PDF-" in head[:1024]:
        return MediaType.PDF
    if head.startswith(_ZIP):
        return _detect_archive(head, tail)
    if head.startswith(_OLE):
        raise Unreadable("file_encrypted" if _OLE_ENCRYPTED in head + tail else "type_unsupported")
    binary = _detect_binary(head)
    if binary is not None:
        return binary
    return _detect_text(decode_text(head, is_cut=True), PurePath(name).suffix.lower())


def _detect_archive(head: bytes, tail: bytes) -> MediaType:
    stored = _ZIP_TYPES.match(head[30:200])
    if stored:
        for name, kind in _STORED_TYPES.items():
            # What follows the type is the next member, without anything between.
            if stored[1].startswith(name):
                return kind
    for part, kind in _ZIP_PARTS:
        if part in head or part in tail:
            return kind
    raise Unreadable("type_unsupported")


def _detect_binary(head: bytes) -> MediaType | None:
    for mark, at, kind in _MAGIC:
        if head.startswith(mark, at):
            return kind
    if head.startswith(b"ftyp", 4) and head[8:12] in _M4A_BRANDS:
        return MediaType.M4A
    if _MP3_FRAME.match(head):
        return MediaType.MP3
    return MediaType.BMP if _BMP.match(head) else None


def _detect_text(text: str, suffix: str) -> MediaType:
    if suffix in _OTHER_SUFFIXES.split():
        raise Unreadable("type_mistaken")
    kind = _TEXT_SUFFIXES.get(suffix, MediaType.TEXT)
    if kind is MediaType.TEXT:
        if _HTML.match(text):
            return MediaType.HTML
        if _MAIL.match(text):
            return MediaType.MAIL
    return kind


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
