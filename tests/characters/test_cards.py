"""Cards in and out: nothing is lost, nothing breaks."""

import base64
import io
import json
import struct
import time
import zlib
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from characters.cards import png, read_book, read_card, write_book, write_card, write_json, write_png
from characters.cards.jsons import dump
from characters.errors import CardRefused
from tests.characters.cards import CARD, in_png, missing, picture
from tests.characters.damaged import damaged_files, sound_files

# Everything JSON can say, NULs and lone surrogates included; and floats as they are.
WORDS = st.text(max_size=40)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
EXTENSIONS = st.dictionaries(WORDS, PLAIN, max_size=3)
NAMES = WORDS.filter(lambda text: bool(text.replace("\0", "").split()))
LISTS = st.lists(WORDS, max_size=4)

ENTRY = st.fixed_dictionaries(
    {
        "keys": LISTS,
        "content": WORDS,
        "extensions": EXTENSIONS,
        "enabled": st.booleans(),
        "insertion_order": st.integers(-(2**40), 2**40) | st.floats(-1e6, 1e6),
        "use_regex": st.booleans(),
    },
    optional={
        "case_sensitive": st.booleans() | st.none(),
        "constant": st.booleans(),
        "name": WORDS,
        "priority": st.integers() | st.floats(-1e6, 1e6),
        "id": st.integers() | WORDS,
        "comment": WORDS,
        "selective": st.booleans(),
        "secondary_keys": LISTS,
        "position": st.sampled_from(["before_char", "after_char", "elsewhere"]),
        "x_unknown": PLAIN,
    },
)
BOOK = st.fixed_dictionaries(
    {"extensions": EXTENSIONS, "entries": st.lists(ENTRY, max_size=3)},
    optional={
        "name": WORDS,
        "description": WORDS,
        "scan_depth": st.integers(),
        "token_budget": st.integers(),
        "recursive_scanning": st.booleans(),
        "x_unknown": PLAIN,
    },
)
V1 = dict.fromkeys(("description", "personality", "scenario", "first_mes", "mes_example"), WORDS)
V2 = {
    "name": NAMES,
    **V1,
    "creator_notes": WORDS,
    "system_prompt": WORDS,
    "post_history_instructions": WORDS,
    "alternate_greetings": LISTS,
    "tags": LISTS,
    "creator": WORDS,
    "character_version": WORDS,
    "extensions": EXTENSIONS,
}
ASSET = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["icon", "background", "emotion", "user_icon", "x_other"]),
        "uri": st.sampled_from(
            ["ccdefault:", "embeded://a.png", "https://example.org/a", "data:,", "data:;base64,A="]
        ),
        "name": WORDS,
        "ext": st.sampled_from(["png", "webp", "unknown"]),
    }
)
CARDS = st.one_of(
    st.fixed_dictionaries({"name": NAMES, **V1}, optional={"x_unknown": PLAIN}),
    st.fixed_dictionaries(
        {
            "spec": st.just("chara_card_v2"),
            "spec_version": st.just("2.0"),
            "data": st.fixed_dictionaries(V2, optional={"character_book": BOOK, "x_unknown": PLAIN}),
        },
        optional={"x_unknown": PLAIN, "create_date": WORDS},
    ),
    st.fixed_dictionaries(
        {
            "spec": st.just("chara_card_v3"),
            "spec_version": st.sampled_from(["3.0", "3.1"]),
            "data": st.fixed_dictionaries(
                {**V2, "group_only_greetings": LISTS},
                optional={
                    "character_book": BOOK,
                    "assets": st.lists(ASSET, max_size=3),
                    "nickname": WORDS,
                    "creator_notes_multilingual": st.dictionaries(st.sampled_from(["en", "de"]), WORDS),
                    "source": LISTS,
                    "creation_date": st.integers(0, 2**40),
                    "modification_date": st.integers(0, 2**40),
                    "x_unknown": PLAIN,
                },
            ),
        },
    ),
)


@given(CARDS, st.sampled_from(["json", "chara", "ccv3"]))
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_card_keeps_every_field_on_a_round_trip(card: dict[str, Any], way: str) -> None:
    data = dump(card).encode() if way == "json" else in_png(card, way)
    read = read_card(data)

    as_json = json.loads(write_json(write_card(read)))
    texts = png.read_texts(write_png(read, picture()), frozenset({"chara", "ccv3"}), "none")
    as_ccv3 = json.loads(base64.b64decode(texts["ccv3"]))
    as_chara = json.loads(base64.b64decode(texts["chara"]))

    expected = {key: value for key, value in card.items() if key not in {"spec", "spec_version"}}
    assert missing(expected, as_json) == []
    assert as_ccv3 == as_json
    assert as_json["spec"] == "chara_card_v3"
    assert as_chara["spec"] == "chara_card_v2"
    if "data" not in card:
        assert missing(expected, as_json["data"] | {"x_unknown": as_json.get("x_unknown")}) == []
    again = read_card(write_json(as_json))
    assert write_card(again) == as_json


@given(BOOK)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_lorebook_keeps_every_field_on_a_round_trip(book: dict[str, Any]) -> None:
    read = read_book(dump({"spec": "lorebook_v3", "data": book}).encode())
    assert missing(book, write_book(read)) == []


def test_10000_damaged_files_are_read_or_refused_in_time() -> None:
    for seed in sound_files():
        assert read_card(seed).name == "Ida"
    read = refused = 0
    longest = 0.0
    for data in damaged_files(10_000):
        begun = time.perf_counter()
        try:
            write_png(read_card(data), picture())
            read += 1
        except CardRefused as error:
            refused += bool(str(error.user_message))
        longest = max(longest, time.perf_counter() - begun)
    assert read + refused == 10_000
    assert refused > 1_000
    assert read > 200
    assert longest < 5


def test_the_texts_of_a_picture_are_read_however_they_are_kept() -> None:
    encoded = base64.b64encode(dump(CARD).encode())

    def with_chunk(kind: bytes, body: bytes) -> bytes:
        chunk = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        return picture()[:33] + chunk + picture()[33:]

    for data in (
        with_chunk(b"tEXt", b"CCV3\0" + encoded),
        with_chunk(b"zTXt", b"ccv3\0\0" + zlib.compress(encoded)),
        with_chunk(b"iTXt", b"ccv3\0\0\0en\0Card\0" + encoded),
        with_chunk(b"iTXt", b"ccv3\0\1\0\0\0" + zlib.compress(encoded)),
    ):
        assert read_card(data).name == "Ida Ferry"


def test_a_written_picture_keeps_every_other_byte_and_the_standards_order() -> None:
    before = in_png({"name": "old", "first_mes": ""})
    after = write_png(read_card(in_png(CARD)), before)

    chunks = list(png.read_chunks(after))
    assert [chunk.type for chunk in chunks[-3:]] == [b"tEXt", b"tEXt", b"IEND"]
    assert [chunk.data.split(b"\0")[0] for chunk in chunks[-3:-1]] == [b"chara", b"ccv3"]
    kept = [chunk for chunk in png.read_chunks(picture()) if chunk.type != b"IEND"]
    assert chunks[:-3] == kept
    with Image.open(io.BytesIO(after)) as image:
        image.load()
        assert set(image.text) == {"chara", "ccv3"}  # type: ignore[attr-defined]
