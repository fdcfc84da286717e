"""Pictures in Blob: every test here stores in Azurite, as the fixture of this folder has it."""

import io
import struct
import urllib.error
import urllib.request
import zlib

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from storages.backends.azure_storage import AzureStorage

from accounts.models import User
from characters.assets.models import Asset, AssetKind
from characters.assets.queries import read_style
from characters.assets.services import add_picture, crop_portrait, remove_asset, set_portrait, set_style
from characters.errors import CharacterNotAllowed, PictureRefused
from characters.models import Character
from characters.pictures import Crop, encode_portrait, encode_whole, keep_file, small_name
from characters.publishing import publish_character
from characters.services import create_character, delete_character, update_character
from tests.characters.conftest import picture, read_stored

pytestmark = pytest.mark.django_db


@pytest.fixture
def mira(bo: User) -> Character:
    return create_character(actor=bo, name="Mira")


def halves() -> bytes:
    """600 × 300: red on the left, blue on the right."""
    image = Image.new("RGB", (600, 300), "#c00000")
    image.paste("#0000c0", (300, 0, 600, 300))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def test_house_stores_in_azurite(blob: str, mira: Character, bo: User):
    row = set_portrait(actor=bo, character_id=mira.pk, data=picture())

    assert default_storage.exists(row.avatar.name)
    assert default_storage.url(row.avatar.name).startswith("http://127.0.0.1:")
    # The container is private: without a signature there is nothing to get.
    plain = default_storage.url(row.avatar.name).partition("?")[0]
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(plain, timeout=10)


def test_owner_sets_portrait_gets_square_small_and_whole(mira: Character, bo: User, page: Client):
    row = set_portrait(actor=bo, character_id=mira.pk, data=halves(), crop=Crop(0.5, 0, 1))

    square = opened(read_stored(row.avatar.name))
    assert square.size == (300, 300)
    assert square.getpixel((10, 150))[2] > 150
    assert square.getpixel((10, 150))[0] < 60
    assert max(opened(read_stored(small_name(row.avatar.name))).size) <= 320
    whole = row.assets.get(kind=AssetKind.PORTRAIT)
    assert (whole.width_px, whole.height_px) == (600, 300)
    small = page.get(row.small_avatar_url)
    assert small["Content-Type"] == "image/webp"
    assert small["Cache-Control"] == "private, max-age=31536000, immutable"
    assert small["ETag"] != page.get(row.avatar_url)["ETag"]


def test_owner_crops_again_gets_another_square(mira: Character, bo: User):
    first = set_portrait(actor=bo, character_id=mira.pk, data=halves(), crop=Crop(0.5, 0, 1)).avatar.name

    second = crop_portrait(actor=bo, character_id=mira.pk, crop=Crop(0, 0, 0.5)).avatar.name

    assert second != first
    assert opened(read_stored(second)).getpixel((10, 10))[0] > 150


def test_chat_with_an_older_version_still_gets_its_portrait(mira: Character, bo: User, page: Client):
    old = set_portrait(actor=bo, character_id=mira.pk, data=picture()).avatar_url
    new = set_portrait(actor=bo, character_id=mira.pk, data=halves()).avatar_url

    assert page.get(old).content != page.get(new).content
    assert "immutable" in page.get(old)["Cache-Control"]
    # An address that names nothing we have is answered with today's, and not for long.
    unknown = page.get("/characters/mira/avatar?v=0123456789ab")
    assert unknown.content == page.get(new).content
    assert "immutable" not in unknown["Cache-Control"]


def test_upload_loses_everything_that_is_no_picture():
    info = PngInfo()
    info.add_text("chara", "c2VjcmV0")
    info.add_text("Comment", "home address")
    exif = Image.Exif()
    exif[0x010E] = "where I live"
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), "#204060").save(buffer, "PNG", pnginfo=info, exif=exif)
    # A program behind the picture's end, which some servers would run.
    data = buffer.getvalue() + b"<?php system('id'); ?><script>alert(1)</script>"

    for encoded in (encode_portrait(data), encode_whole(data).data):
        image = Image.open(io.BytesIO(encoded))
        assert image.format == "WEBP"
        assert not image.getexif()
        for secret in (b"c2VjcmV0", b"home address", b"where I live", b"php", b"script"):
            assert secret not in encoded


def test_upload_that_lies_on_its_side_is_put_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    Image.new("RGB", (80, 40), "#204060").save(buffer, "JPEG", exif=exif)

    whole = encode_whole(buffer.getvalue())

    assert (whole.width_px, whole.height_px) == (40, 80)


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes that says it has this many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 99))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "PNG, JPEG or WebP"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "PNG, JPEG or WebP"),
        (bomb(60_000, 60_000), "24 megapixels"),
        (bomb(20_000, 10), "16,383"),
        (bomb(400, 400), "PNG, JPEG or WebP"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * (8 * 1024 * 1024), "8 MB"),
        (b"RIFF\xff\xff\xff\xffWEBPVP8 ", "PNG, JPEG or WebP"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 64, "PNG, JPEG or WebP"),
    ],
    ids=["empty", "svg", "bomb", "strip", "cut", "heavy", "webp", "jpeg"],
)
def test_hostile_picture_is_refused_with_a_sentence(data: bytes, words: str):
    for encode in (encode_portrait, encode_whole):
        with pytest.raises(PictureRefused) as refusal:
            encode(data)
        assert words in str(refusal.value.user_message)


def test_program_adds_lists_and_removes_pictures(program: Client, page: Client, mira: Character):
    url = "/api/v1/characters/mira/pictures"
    body = {"kind": "expression", "name": "joy", "file": SimpleUploadedFile("joy.png", picture())}
    made = program.post(url, body)
    assert made.status_code == 201
    again = {**body, "file": SimpleUploadedFile("joy.png", halves())}
    assert program.post(url, again).json()["id"] == made.json()["id"]
    assert program.post(url, {**body, "kind": "style"}).status_code == 422

    listed = program.get(url).json()
    assert [(row["kind"], row["name"], row["width_px"]) for row in listed] == [("expression", "joy", 600)]
    assert page.get(listed[0]["url"])["Cache-Control"] == "private, max-age=31536000, immutable"
    assert max(opened(page.get(listed[0]["thumbnail_url"]).content).size) == 320
    assert program.delete(f"/api/v1/pictures/{listed[0]['id']}").status_code == 204
    assert page.get(listed[0]["url"]).status_code == 404


def test_style_is_markdown_in_blob(program: Client, mira: Character, page: Client):
    body = {"text": "# Mira\n\nInk, **warm** lamp."}
    done = program.put("/api/v1/characters/mira/style", body, content_type="application/json")
    assert done.status_code == 204
    asset = Asset.objects.get(kind=AssetKind.STYLE)
    assert asset.file.name.endswith(".md")
    assert read_style(mira) == "# Mira\n\nInk, **warm** lamp."
    assert page.get(asset.url)["Content-Type"].startswith("text/markdown")
    program.put("/api/v1/characters/mira/style", {"text": " "}, content_type="application/json")
    assert not Asset.objects.exists()


def test_others_get_no_picture_before_the_character_is_shown(
    mira: Character, bo: User, ada: User, client: Client
):
    asset = add_picture(
        actor=bo, character_id=mira.pk, kind=AssetKind.BACKGROUND, name="harbour", data=picture()
    )
    cy = User.objects.create_user("cy@example.org")
    assert client.get(asset.url).status_code == 404
    client.force_login(cy)
    assert client.get(asset.url).status_code == 404
    publish_character(actor=ada, character_id=mira.pk)
    answer = client.get(asset.url)
    assert answer.status_code == 200
    assert "sandbox" in answer["Content-Security-Policy"]
    assert "Cookie" in answer["Vary"]
    with pytest.raises(CharacterNotAllowed):
        remove_asset(actor=cy, asset_id=asset.pk)
    with pytest.raises(CharacterNotAllowed):
        set_style(actor=cy, character_id=mira.pk, text="mine")


def test_copy_and_version_keep_pictures_that_the_original_drops(mira: Character, bo: User, page: Client):
    url = set_portrait(actor=bo, character_id=mira.pk, data=picture()).avatar_url
    update_character(actor=bo, character_id=mira.pk, is_grounded=True)
    copied = page.post("/characters/mira/remix")["Location"]
    assert copied == "/characters/mira-a-copy/edit/"
    copy = Character.objects.get(slug="mira-a-copy")

    delete_character(actor=bo, character_id=mira.pk)

    assert page.get(copy.avatar_url).content
    assert copy.avatar_url.split("?")[1] == url.split("?")[1]


def test_file_that_another_process_stores_meanwhile_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    name, data = "characters/0123456789abcdef0123456789abcdef.bin", b"the same bytes"
    # Both look before either has stored.
    monkeypatch.setattr(AzureStorage, "exists", lambda storage, name: False)
    assert keep_file(name, data)
    assert not keep_file(name, data)
    with default_storage.open(name) as file:
        assert file.read() == data
