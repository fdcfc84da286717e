"""Cards through the door: a program uploads one, and gets it back."""

import io
import json
import os
import time
import zipfile
from collections import Counter

import pytest
from asgiref.sync import async_to_sync
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import AsyncClient, Client
from PIL import Image

from accounts.models import User
from accounts.services import create_api_key
from characters.cards import read_card, write_card
from characters.cards.jsons import dump
from characters.models import Character
from characters.publishing import publish_character
from characters.services import create_character, update_character
from tests.characters.cards import CARD, GONE, in_png, missing, picture
from tests.characters.damaged import damaged_files, sound_files

pytestmark = pytest.mark.django_db
# docs/character-cards.md has the command that sends ten thousand.
DAMAGED_CARDS = int(os.environ.get("DAMAGED_CARDS", "60"))


def upload(client: Client, data: bytes, name: str = "card.png") -> HttpResponse:
    return client.post("/api/v1/characters/import", {"file": SimpleUploadedFile(name, data)})


def test_a_program_imports_a_card_and_gets_all_of_it_back(program: Client, bo: User) -> None:
    response = upload(program, in_png(CARD, "ccv3"))

    assert response.status_code == 201
    slug = response.json()["slug"]
    ida = Character.objects.get(slug=slug)
    assert (ida.owner, ida.name, ida.nickname, ida.tagline) == (bo, "Ida Ferry", "Ida", "Rows at night.")
    assert ida.tags == ["water", "night"]
    assert ida.sampling == {"top_p": 0.9}
    assert ida.alternate_greetings == ["Mind the step.", ""]
    assert ida.avatar
    # One version, which has all that came.
    assert (ida.version.number, ida.version.avatar) == (1, ida.avatar.name)
    assert ida.has_lore
    assert ida.lorebooks.get().entries.get().keys == ["ferry"]
    as_json = json.loads(program.get(f"/api/v1/characters/{slug}/card.json").content)
    # The picture that the card was in goes along.
    [icon] = as_json["data"].pop("assets")
    assert (icon["uri"][:23], icon["name"], icon["ext"]) == ("data:image/webp;base64,", "main", "webp")
    assert missing({**CARD, "data": {**CARD["data"], "assets": GONE}}, as_json) == []  # type: ignore[dict-item]
    as_png = program.get(f"/api/v1/characters/{slug}/card.png").content
    assert missing(CARD["data"], write_card(read_card(as_png))["data"]) == []
    assert Image.open(io.BytesIO(as_png)).format == "PNG"


def test_what_a_person_changes_is_exported_and_the_rest_stays(program: Client, bo: User) -> None:
    slug = upload(program, dump(CARD).encode(), "card.json").json()["slug"]
    row = Character.objects.get(slug=slug)
    update_character(actor=bo, character_id=row.pk, scenario="Noon.", tags=["Water", "day"])

    data = json.loads(program.get(f"/api/v1/characters/{slug}/card.json?spec=v2").content)["data"]

    assert data["scenario"] == "Noon."
    assert data["tags"] == ["water", "day"]
    assert data["extensions"] == CARD["data"]["extensions"]  # type: ignore[index]
    assert data["character_book"]["entries"][0]["content"] == "It leaks."


def test_nobody_else_gets_the_card_of_a_published_character(page: Client, ada: User) -> None:
    row = create_character(actor=ada, name="Keeper", system_prompt="A secret.")
    publish_character(actor=ada, character_id=row.pk)

    assert page.get("/api/v1/characters/keeper").status_code == 200
    for path in ("card.json", "card.png"):
        response = page.get(f"/api/v1/characters/keeper/{path}")
        assert response.status_code == 403
        assert b"secret" not in response.content


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no character card"),
        (b"\x89PNG\r\n\x1a\nnonsense", "damaged"),
        (picture(), "no character card in that picture"),
        (b'{"entries": {}}', "lorebook"),
        (b'{"name": "", "description": ""}', "no name"),
        (b'{"name": "A", "first_mes": "' + b"x" * 100_001 + b'"}', "longer than 100,000"),
        (b"[" * 5000, "no character card"),
        (b'{"name": "A", "first_mes": "x", "n": 1e999}', "no character card"),
        (b"PK\x03\x04" + bytes(50), "damaged or encrypted"),
    ],
)
def test_a_file_that_is_no_card_is_refused_in_words(program: Client, data: bytes, words: str) -> None:
    response = upload(program, data or b" ")

    assert response.status_code == 422
    assert response.json()["error"]["code"] == "card_refused"
    assert words in response.json()["error"]["message"]


def test_a_charx_brings_its_pictures(program: Client) -> None:
    card = json.loads(dump(CARD))
    card["data"]["assets"] = [
        {"type": "icon", "uri": "embeded://assets/icon/main.png", "name": "main", "ext": "png"},
        {"type": "emotion", "uri": "embeded://assets/emotion/joy.png", "name": "joy", "ext": "png"},
        {"type": "emotion", "uri": "embeded://../../etc/passwd", "name": "no", "ext": "png"},
    ]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as charx:
        charx.writestr("card.json", dump(card))
        charx.writestr("assets/icon/main.png", picture())
        charx.writestr("assets/emotion/joy.png", picture())

    slug = upload(program, archive.getvalue(), "ida.charx").json()["slug"]

    ida = Character.objects.get(slug=slug)
    assert ida.avatar
    assert list(ida.assets.filter(kind="expression").values_list("name", flat=True)) == ["joy"]


def test_a_program_sends_damaged_cards_each_is_taken_or_refused_in_words(bo: User) -> None:
    key = create_api_key(actor=bo, name="Test")[1]
    # What the house does not catch is an answer 500 here, as it is outside.
    client, bearer = AsyncClient(raise_request_exception=False), {"authorization": f"Bearer {key}"}
    answers, longest = Counter[int](), 0.0
    for data in [*sound_files(), *damaged_files(DAMAGED_CARDS)]:
        begun = time.perf_counter()
        file = SimpleUploadedFile("card", data)
        response = async_to_sync(client.post)("/api/v1/characters/import", {"file": file}, headers=bearer)
        longest = max(longest, time.perf_counter() - begun)
        answers[response.status_code] += 1
        if response.status_code != 201:
            error = response.json().get("error", {"message": ""})
            assert (response.status_code, error["message"][-1:]) == (422, "."), (data, response.content)
    assert answers.keys() == {201, 422}, answers
    assert longest < 20
