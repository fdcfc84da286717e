"""Files of cards, in and out: bytes that came with a card go out with it again; in Azurite, as all of this folder."""

import base64
import dataclasses
import io
import json
import zipfile
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import AsyncClient, Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from accounts.models import User
from accounts.services import create_api_key
from characters.assets.models import AssetKind
from characters.assets.services import add_picture, remove_asset, set_portrait
from characters.assets.sweeping import list_files, remove_unnamed_files
from characters.cards import Card, CardAsset, png, read_card, read_card_file
from characters.cards.charx import MOST_FILE_BYTES
from characters.cards.jsons import dump
from characters.cards.reading import MAX_ASSETS
from characters.cards.services import export_charx, export_json, export_png, import_card
from characters.errors import CardRefused
from characters.gallery.services import copy_character
from characters.models import CardFile, Character
from characters.services import create_character, delete_character
from tests.characters.cards import CARD, in_png, picture
from tests.characters.test_asset_sweep import AT_ONCE

pytestmark = pytest.mark.django_db

# Type, name, ext, and the bytes; or the URI of what is not in the file.
Entry = tuple[str, str, str, bytes | str]
SOUND = b"ID3\0\xff not looked at"


def paint(colour: str, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16), colour).save(buffer, kind)
    return buffer.getvalue()


def colour_of(data: bytes | None) -> tuple[int, ...]:
    """Of the middle, in steps that WebP's losses do not cross."""
    with Image.open(io.BytesIO(data or b"")) as image:
        return tuple(round(value / 64) for value in image.convert("RGB").getpixel((8, 8)))  # type: ignore[union-attr]


def pack(way: str, entries: list[Entry]) -> bytes:
    """The card with these files, as a PNG, a CHARX or a JSON."""
    card: dict[str, Any] = json.loads(dump(CARD))
    files: dict[str, bytes] = {}
    listed = card["data"]["assets"] = []
    for n, (kind, name, ext, content) in enumerate(entries):
        uri = content if isinstance(content, str) else ""
        if isinstance(content, bytes):
            encoded = base64.b64encode(content).decode()
            uri = {"png": f"__asset:{n}", "charx": f"embeded://a/{n}", "json": f"data:x/y;base64,{encoded}"}[
                way
            ]
            files[f"a/{n}" if way == "charx" else f"chara-ext-asset_:{n}"] = content
        listed.append({"type": kind, "uri": uri, "name": name, "ext": ext, "x_more": n})
    if way == "json":
        return dump(card).encode()
    if way == "png":
        texts = {keyword: base64.b64encode(data).decode() for keyword, data in files.items()}
        return png.with_texts(in_png(card, "ccv3"), texts)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as charx:
        for name, data in {"card.json": dump(card).encode(), **files}.items():
            charx.writestr(name, data)
    return archive.getvalue()


def named(card: Card, name: str) -> CardAsset:
    return next(asset for asset in card.assets if asset.name == name)


def export(actor: User, character: Character) -> Card:
    return read_card(export_png(actor=actor, character_id=character.pk))


PICTURES = st.sampled_from([paint("red"), paint("blue"), paint("lime", "JPEG"), paint("black", "WEBP")])
ELSEWHERE = st.sampled_from(
    [
        "ccdefault:",
        "https://example.org/a.png",
        "__asset:1",
        "__asset:77",
        "file:///etc/passwd",
        "data:,x",
        "",
    ]
)
ENTRIES = st.tuples(
    st.sampled_from(["icon", "emotion", "background", "user_icon", "x_sound"]),
    st.sampled_from(["main", "joy", "  joy ", "", "../../etc/passwd", "C:\\a", "\ud800\0", "x" * 300]),
    st.sampled_from(["png", "webp", "mp3", "unknown", "../png"]),
    PICTURES | st.binary(min_size=1, max_size=40) | ELSEWHERE,
)


@given(st.sampled_from(["png", "charx", "json"]), st.lists(ENTRIES, max_size=6))
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_card_keeps_every_file_on_a_round_trip(bo: User, way: str, entries: list[Entry]):
    before = read_card(pack(way, entries))
    row = import_card(actor=bo, card=before)

    for after in (export(bo, row), read_card(export_json(actor=bo, character_id=row.pk))):
        for old, new in zip(before.assets, after.assets, strict=False):
            assert (new.type, new.name) == (old.type, old.name)
            if old.uri == "ccdefault:" and old.type == "icon" and new.data:
                # What a file without a picture says of it.
                assert new.ext == "webp"
            elif not old.data:
                assert (new.uri, new.ext) == (old.uri, old.ext)
                assert not new.data
            elif new.data != old.data:
                # The character's own by now, encoded anew.
                assert old.type in {"icon", "emotion", "background"}
                assert new.ext == "webp"
                assert colour_of(new.data) == colour_of(old.data)
            else:
                assert new.ext == old.ext
        added = after.assets[len(before.assets) :]
        assert [(one.type, one.name) for one in added] in ([], [("icon", "main")])
    sources = [json.loads(card.source)["data"]["assets"] for card in (before, export(bo, row))]
    assert [one["x_more"] for one in sources[0]] == [one["x_more"] for one in sources[1]]


def test_what_the_editor_changes_is_in_the_next_card(bo: User):
    card = pack(
        "charx",
        [
            ("icon", "main", "png", paint("red")),
            ("emotion", "joy", "png", paint("red")),
            ("emotion", "anger", "png", paint("red")),
            ("x_sound", "hum", "mp3", SOUND),
        ],
    )
    ida = import_card(actor=bo, card=read_card(card))
    set_portrait(actor=bo, character_id=ida.pk, data=paint("blue"))
    for kind, name in ((AssetKind.EXPRESSION, "joy"), (AssetKind.BACKGROUND, "harbour")):
        add_picture(actor=bo, character_id=ida.pk, kind=kind, name=name, data=paint("lime"))
    remove_asset(actor=bo, asset_id=ida.assets.get(name="anger").pk)

    for after in (export(bo, ida), read_card(export_json(actor=bo, character_id=ida.pk))):
        assert [asset.name for asset in after.assets] == ["main", "joy", "hum", "harbour"]
        colours = [colour_of(named(after, name).data) for name in ("main", "joy", "harbour")]
        assert colours == [colour_of(paint(colour)) for colour in ("blue", "lime", "lime")]
        assert named(after, "hum").data == SOUND
        assert named(after, "harbour").type == "background"


def test_a_character_made_here_takes_its_pictures_along(bo: User):
    mira = create_character(actor=bo, name="Mira")
    assert "assets" not in json.loads(export_json(actor=bo, character_id=mira.pk))["data"]
    mira = set_portrait(actor=bo, character_id=mira.pk, data=paint("blue"))
    add_picture(actor=bo, character_id=mira.pk, kind=AssetKind.EXPRESSION, name="joy", data=paint("red"))

    for data in (
        export_png(actor=bo, character_id=mira.pk),
        export_json(actor=bo, character_id=mira.pk),
    ):
        again = import_card(actor=bo, card=read_card(data))
        assert again.avatar
        assert [row.name for row in again.assets.filter(kind=AssetKind.EXPRESSION)] == ["joy"]
    assert "assets" not in json.loads(export_json(actor=bo, character_id=mira.pk, version="v2"))["data"]
    # As the house's own cast: the square without the whole picture.
    mira.assets.get(kind=AssetKind.PORTRAIT).delete()
    square = named(read_card(export_json(actor=bo, character_id=mira.pk)), "main")
    assert colour_of(square.data) == colour_of(paint("blue"))


def test_a_copy_has_the_files_too_and_the_sweep_knows_of_them(bo: User):
    ida = import_card(actor=bo, card=read_card(pack("png", [("x_sound", "hum", "mp3", SOUND)])))
    kept = CardFile.objects.get(character=ida).file.name
    copy = copy_character(actor=bo, character_id=ida.pk)
    delete_character(actor=bo, character_id=ida.pk)

    def sweep() -> None:
        cache.delete_many([f"wanted-file:{name}" for name in list_files()])
        remove_unnamed_files(keep=AT_ONCE)

    sweep()
    after = export(bo, copy)
    assert named(after, "hum").data == SOUND
    assert json.loads(after.source)["data"]["extensions"] == CARD["data"]["extensions"]  # type: ignore[index]
    delete_character(actor=bo, character_id=copy.pk)
    sweep()
    assert kept not in list_files()


def test_a_kept_file_has_no_address(bo: User, page: Client):
    ida = import_card(actor=bo, card=read_card(pack("png", [("x_page", "hum", "html", b"<script>")])))
    digest = CardFile.objects.get(character=ida).file.name.removeprefix("characters/").partition(".")[0]

    assert page.get(f"/characters/{ida.slug}/avatar?v={digest}")["Content-Type"] == "image/webp"
    assert page.get(f"/api/v1/characters/{ida.slug}/pictures").json() == []


def test_what_does_not_fit_is_named_as_it_was_and_nothing_else_takes_its_number(bo: User):
    entries: list[Entry] = [("x_a", "large", "bin", b"L" * 900), ("x_b", "small", "bin", b"S" * 90)]
    ida = import_card(actor=bo, card=read_card(pack("png", entries)))
    add_picture(actor=bo, character_id=ida.pk, kind=AssetKind.EXPRESSION, name="joy", data=picture())

    after = read_card(export_png(actor=bo, character_id=ida.pk, most_bytes=100))

    # The expression, which no card had, is left out.
    assert [(asset.name, asset.data) for asset in after.assets] == [("large", None), ("small", b"S" * 90)]
    assert [asset.uri for asset in after.assets] == ["__asset:0", "__asset:1"]


def test_one_file_that_hundreds_of_entries_name_is_read_and_kept_once(bo: User):
    entries: list[Entry] = [("x_a", f"n{n}", "bin", "__asset:0") for n in range(MAX_ASSETS + 10)]
    entries[0] = ("x_a", "n0", "bin", b"L" * 100_000)
    card = read_card(pack("png", entries))
    assert len({id(asset.data) for asset in card.assets}) == 1

    ida = import_card(actor=bo, card=card)

    assert CardFile.objects.filter(character=ida).values("file").distinct().count() == 1
    data = export_png(actor=bo, character_id=ida.pk)
    assert len(data) < 500_000
    assert len(json.loads(read_card(data).source)["data"]["assets"]) == MAX_ASSETS + 10


def test_a_keyword_without_its_colon_is_read_too():
    card = {**CARD, "data": {**CARD["data"], "assets": [{"type": "x_sound", "uri": "__asset:0"}]}}  # type: ignore[dict-item]
    data = png.with_texts(in_png(card, "ccv3"), {"chara-ext-asset_0": base64.b64encode(SOUND).decode()})

    assert [asset.data for asset in read_card(data).assets] == [SOUND]


def test_entries_that_are_no_entries_stay_where_they_are(bo: User):
    odd: list[object] = [7, None, {"uri": []}, {"uri": "__asset:0"}, {"type": "icon", "uri": {"a": 1}}]
    card = {**CARD, "data": {**CARD["data"], "assets": odd}}  # type: ignore[dict-item]
    ida = import_card(actor=bo, card=read_card(in_png(card, "ccv3")))
    add_picture(actor=bo, character_id=ida.pk, kind=AssetKind.EXPRESSION, name="joy", data=picture())

    listed = json.loads(export(bo, ida).source)["data"]["assets"]

    assert listed[:-1] == odd
    assert (listed[-1]["name"], listed[-1]["uri"]) == ("joy", "__asset:1")


def test_a_card_of_too_many_large_pictures_is_refused_before_anything_is_made(bo: User):
    # 24 megapixels in 70 kB: one such picture takes a second and more to encode.
    buffer = io.BytesIO()
    Image.new("L", (6_000, 4_000)).save(buffer, "PNG")
    entries = [
        CardAsset("emotion", f"__asset:{n}", f"joy {n}", "png", 1, buffer.getvalue, n) for n in range(7)
    ]
    card = dataclasses.replace(read_card(dump(CARD).encode()), assets=tuple(entries))
    with pytest.raises(CardRefused) as refused:
        import_card(actor=bo, card=card)
    assert "168 megapixels together, and 160 can be read" in str(refused.value.user_message)
    assert not Character.objects.exists()


def as_charx(actor: User, character: Character) -> tuple[bytes, list[int]]:
    """The CHARX file, and how long the pieces are that it came in."""
    pieces = list(export_charx(actor=actor, character_id=character.pk))
    return b"".join(pieces), [len(piece) for piece in pieces]


@given(st.lists(ENTRIES, max_size=6))
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_charx_keeps_every_file_on_a_round_trip(bo: User, entries: list[Entry]):
    row = import_card(actor=bo, card=read_card(pack("charx", entries)))
    before = read_card(export_json(actor=bo, character_id=row.pk))

    after = read_card(as_charx(bo, row)[0])

    for old, new in zip(before.assets, after.assets, strict=True):
        assert (new.type, new.name, new.ext, new.data) == (old.type, old.name, old.ext, old.data)
        assert new.data or new.uri == old.uri


def test_the_picture_that_a_card_came_in_goes_out_in_files_without_one(bo: User):
    data = {**CARD["data"], "assets": [{"type": "icon", "uri": "ccdefault:", "name": "main", "ext": "png"}]}  # type: ignore[dict-item]
    ida = import_card(actor=bo, card=read_card(in_png({**CARD, "data": data}, "ccv3")))

    for packed in (as_charx(bo, ida)[0], export_json(actor=bo, character_id=ida.pk)):
        after = read_card(packed)
        assert [(one.type, one.name, one.ext) for one in after.assets] == [("icon", "main", "webp")]
        assert import_card(actor=bo, card=after).avatar.name == ida.avatar.name
    assert export(bo, ida).assets[0].uri == "ccdefault:"


def test_a_card_with_more_files_than_a_png_takes_goes_out_and_in_as_a_charx(bo: User):
    """Five files of 7 MB, one of them named twice: never more than one of them at a time, and each once."""
    entries: list[Entry] = [("x_sound", f"s{n}", "mp3", bytes([n]) * (7 << 20)) for n in range(5)]
    entries.append(("x_sound", "again", "mp3", "embeded://a/0"))
    ida = import_card(actor=bo, card=read_card_file(io.BytesIO(pack("charx", entries))))
    client = AsyncClient()
    bearer = {"authorization": f"Bearer {create_api_key(actor=bo, name='Test')[1]}"}

    async def fetch() -> list[bytes]:
        response = await client.get(f"/api/v1/characters/{ida.slug}/card.charx", headers=bearer)
        return [piece async for piece in response.streaming_content]

    pieces = async_to_sync(fetch)()

    assert max(map(len, pieces)) < 8 << 20
    data = b"".join(pieces)
    assert 35 << 20 < len(data) < 36 << 20
    file = SimpleUploadedFile("ida.charx", data)
    sent = async_to_sync(client.post)("/api/v1/characters/import", {"file": file}, headers=bearer)
    again = Character.objects.get(slug=sent.json()["slug"])
    files = [list(row.card_files.order_by("position").values_list("file", flat=True)) for row in (ida, again)]
    assert files[0] == files[1]
    assert (len(files[0]), len(set(files[0]))) == (6, 5)


def test_a_charx_of_more_than_two_hundred_megabytes_is_refused_on_either_way(bo: User):
    ida = import_card(actor=bo, card=read_card(pack("charx", [("x_sound", "hum", "mp3", SOUND)])))
    ida.card_files.update(size_bytes=MOST_FILE_BYTES + 1)
    with pytest.raises(CardRefused) as refused:
        export_charx(actor=bo, character_id=ida.pk)
    assert "201 MB together, and a CHARX file takes 200" in str(refused.value.user_message)

    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as charx:
        charx.writestr("card.json", dump({"data": {"name": "Ida", "assets": [{"uri": "embeded://a"}]}}))
        with charx.open("a", "w") as member:
            for _ in range(201):
                member.write(bytes(1 << 20))
    with pytest.raises(CardRefused) as refused:
        read_card(archive.getvalue())
    assert "more than 200 MB together" in str(refused.value.user_message)
