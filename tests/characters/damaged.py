"""Damaged cards by the thousand: bytes changed, cut, doubled and put in, at the same places in every run."""

import base64
import io
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator

from characters.cards import png
from characters.cards.jsons import dump
from tests.characters.cards import in_png, picture


def sound_files() -> list[bytes]:
    """One card in every kind of file."""
    card = {
        "spec": "chara_card_v3",
        "spec_version": "3.0",
        "data": {
            "name": "Ida",
            "description": "A ferryman's daughter.",
            "first_mes": "Come aboard.",
            "tags": ["water"],
            "assets": [{"type": "icon", "uri": "embeded://a.png", "name": "main", "ext": "png"}],
            "character_book": {
                "entries": [{"keys": ["ferry"], "content": "@@depth 2\nIt leaks.", "enabled": True}]
            },
            "extensions": {"depth_prompt": {"prompt": "x", "depth": 4}},
        },
    }
    compressed = zlib.compress(base64.b64encode(dump(card).encode()))
    chunk = b"chara\0\0" + compressed
    ztxt = struct.pack(">I", len(chunk)) + b"zTXt" + chunk + struct.pack(">I", zlib.crc32(b"zTXt" + chunk))
    with_ztxt = picture()[:33] + ztxt + picture()[33:]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as charx:
        charx.writestr("card.json", dump(card))
        charx.writestr("a.png", picture())
    return [dump(card).encode(), in_png(card), in_png(card, "ccv3"), with_ztxt, archive.getvalue()]


def damaged_files(count: int) -> Iterator[bytes]:
    chance, seeds = random.Random(5), sound_files()
    for n in range(count):
        data = _mutated(seeds[n % len(seeds)], chance)
        if n % 2 and png.is_png(data):
            data = _mended(data)
        if n % 3 == 0:
            # Damage inside the card, where the picture around it is sound.
            data = png.with_texts(picture(), {"ccv3": base64.b64encode(_mutated(seeds[0], chance)).decode()})
        yield data


def _mutated(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        if not changed:
            break
        at = chance.randrange(len(changed))
        match chance.randrange(5):
            case 0:
                changed[at] = chance.randrange(256)
            case 1:
                del changed[at : at + chance.randint(1, 30)]
            case 2:
                changed[at:at] = chance.randbytes(chance.randint(1, 12))
            case 3:
                changed[at:at] = changed[at : at + chance.randint(1, 60)]
            case _:
                changed[at : at + 4] = chance.choice(
                    [b"\xff\xff\xff\xff", b"\0\0\0\0", b'":[]', b"null", b"1e99"]
                )
    return bytes(changed)


def _mended(data: bytes) -> bytes:
    """The chunks as they are claimed, with right checksums: what gets past the first check."""
    parts, at = [png.SIGNATURE], len(png.SIGNATURE)
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + min(length, len(data))]
        parts.append(struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)))
        at += 12 + length
    return b"".join(parts)
