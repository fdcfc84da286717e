"""PNG files as chunks (W3C PNG, third edition): texts in, texts out, every other byte as it was.

A chunk is its length (4 bytes), its type (4 letters), its data, and the CRC-32 of type and data.
"""

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# What all texts of a file may unfold to: more than a file may be long, and no bomb.
MAX_TEXT_BYTES = 64 * 1024 * 1024
_TEXTS = {b"tEXt", b"zTXt", b"iTXt"}


class BrokenPng(ValueError):
    """The bytes break the standard; the message says where."""


@dataclass(frozen=True, slots=True)
class Chunk:
    type: bytes
    data: bytes


def is_png(data: bytes) -> bool:
    return data.startswith(SIGNATURE)


def read_chunks(data: bytes) -> Iterator[Chunk]:
    """The chunks in order, up to and with IEND. Raises BrokenPng for a wrong length, order or checksum."""
    if not is_png(data):
        raise BrokenPng("no PNG signature")
    view, at, is_first = memoryview(data), len(SIGNATURE), True
    while True:
        if at + 12 > len(data):
            raise BrokenPng("the file ends before its IEND chunk")
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 8 + length
        if length > 0x7FFFFFFF or end + 4 > len(data):
            raise BrokenPng(f"chunk {kind!r} is longer than the file")
        if not kind.isalpha():
            raise BrokenPng(f"{kind!r} is no chunk type")
        if is_first != (kind == b"IHDR"):
            raise BrokenPng("IHDR is not the first chunk, or not the only one")
        if zlib.crc32(view[at + 4 : end]) != struct.unpack_from(">I", data, end)[0]:
            raise BrokenPng(f"the checksum of chunk {kind!r} is wrong")
        yield Chunk(kind, data[at + 8 : end])
        if kind == b"IEND":
            return
        at, is_first = end + 4, False


def read_texts(data: bytes, keywords: frozenset[str], prefix: str) -> dict[str, str]:
    """The texts of these keywords (in small letters, whatever the file's), and of those that begin with `prefix`.

    Of one keyword the first counts. Raises BrokenPng.
    """
    texts: dict[str, str] = {}
    left_bytes = MAX_TEXT_BYTES
    for chunk in read_chunks(data):
        if chunk.type not in _TEXTS:
            continue
        keyword = chunk.data.partition(b"\0")[0].decode("latin-1")
        key = keyword if keyword.startswith(prefix) else keyword.lower()
        if key not in texts and (key in keywords or key.startswith(prefix)):
            texts[key] = _text(chunk, left_bytes)
            left_bytes -= len(texts[key])
    return texts


def with_texts(data: bytes, texts: Mapping[str, str]) -> bytes:
    """The file with these texts (ASCII), as tEXt chunks before IEND, instead of any of the same keywords."""
    replaced = {keyword.lower() for keyword in texts}
    parts = [SIGNATURE]
    for chunk in read_chunks(data):
        if chunk.type in _TEXTS and chunk.data.partition(b"\0")[0].decode("latin-1").lower() in replaced:
            continue
        if chunk.type == b"IEND":
            for keyword, text in texts.items():
                parts.append(_chunk(b"tEXt", keyword.encode("latin-1") + b"\0" + text.encode("ascii")))
        parts.append(_chunk(chunk.type, chunk.data))
    return b"".join(parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _text(chunk: Chunk, most_bytes: int) -> str:
    separator, rest = chunk.data.partition(b"\0")[1:]
    if not separator:
        raise BrokenPng("a text chunk has no keyword")
    if chunk.type == b"tEXt":
        return rest.decode("latin-1")
    if chunk.type == b"zTXt":
        if rest[:1] != b"\0":
            raise BrokenPng("a text is compressed in an unknown way")
        return _inflate(rest[1:], most_bytes).decode("latin-1")
    # iTXt: compressed?, method, language, NUL, translated keyword, NUL, UTF-8 text.
    is_compressed, body = rest[:1], rest[2:].split(b"\0", 2)
    if len(body) != 3 or is_compressed not in {b"\0", b"\1"}:
        raise BrokenPng("an international text is cut off")
    text = _inflate(body[2], most_bytes) if is_compressed == b"\1" else body[2]
    return text.decode("utf-8", "replace")


def _inflate(data: bytes, most_bytes: int) -> bytes:
    stream = zlib.decompressobj()
    try:
        text = stream.decompress(data, max(most_bytes, 1))
    except zlib.error as error:
        raise BrokenPng("a compressed text is damaged") from error
    if stream.unconsumed_tail:
        raise BrokenPng("the compressed texts are too long")
    return text
