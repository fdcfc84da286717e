"""Characters by REST: meet, keep, publish, and every refusal."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from accounts.models import AuditEntry, User
from accounts.services import create_api_key
from characters.models import Character, Visibility
from characters.pictures import MAX_BYTES
from characters.services import seed_cast
from tests.characters.conftest import picture, read_stored

pytestmark = pytest.mark.django_db
JSON = {"content_type": "application/json"}


@pytest.fixture
def foreign(ada: User) -> Character:
    return Character.objects.create(slug="theirs", name="Theirs", owner=ada, visibility=Visibility.PRIVATE)


def create(client: Client, **fields: object):
    return client.post("/api/v1/characters", {"name": "Mira", **fields}, **JSON)


def test_program_lists_characters_gets_no_prompt(program: Client):
    seed_cast()

    listed = program.get("/api/v1/characters").json()

    assert [item["slug"] for item in listed] == ["odile", "bram", "tove", "anselm"]
    assert listed[0]["is_grounded"] is True
    assert listed[0]["model"] is None
    assert listed[0]["avatar_url"].startswith("/characters/odile/avatar?v=")
    assert "system_prompt" not in listed[0]
    assert program.get("/api/v1/characters/bram").json()["name"] == "Bram"


def test_stranger_lists_characters_is_refused(client: Client):
    assert client.get("/api/v1/characters").status_code == 401


def test_program_keeps_a_character_of_its_own(program: Client, bo: User):
    made = create(
        program, tagline="Counts stars", tags=["Stars", "stars", " "], suggestions=[" How many? ", ""]
    )

    assert made.status_code == 201
    assert made.json()["slug"] == "mira"
    assert made.json()["tags"] == ["stars"]
    assert made.json()["suggestions"] == ["How many?"]
    assert made.json()["is_published"] is False
    assert create(program).json()["slug"] == "mira-2"
    changed = program.patch("/api/v1/characters/mira", {"greeting": "Look up."}, **JSON).json()
    assert (changed["greeting"], changed["tagline"]) == ("Look up.", "Counts stars")
    assert program.delete("/api/v1/characters/mira").status_code == 204
    assert program.get("/api/v1/characters/mira").status_code == 404
    assert AuditEntry.objects.filter(actor=bo, target_type="characters.character").count() == 4


def test_others_do_not_see_a_new_character(program: Client, ada: User):
    create(program)
    other = User.objects.create_user("cy@example.org")
    theirs = Client(headers={"authorization": f"Bearer {create_api_key(actor=other, name='x')[1]}"})

    assert theirs.get("/api/v1/characters").json() == []
    assert theirs.get("/api/v1/characters/mira").status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", ""),
        ("patch", ""),
        ("delete", ""),
        ("post", "/publish"),
        ("post", "/unpublish"),
        ("post", "/portrait"),
    ],
)
def test_program_reaches_for_someone_elses_character_gets_404(
    program: Client, foreign: Character, method: str, path: str
):
    for slug in ("theirs", "nobody"):
        if path == "/portrait":
            answer = program.post(
                f"/api/v1/characters/{slug}/portrait", {"file": SimpleUploadedFile("a.png", picture())}
            )
        else:
            answer = getattr(program, method)(f"/api/v1/characters/{slug}{path}", {}, **JSON)
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "character_not_found"
    assert Character.objects.filter(slug="theirs", name="Theirs").exists()


def test_ordinary_person_changes_the_house_s_character_is_refused(program: Client):
    seed_cast()

    assert program.patch("/api/v1/characters/odile", {"name": "Mine"}, **JSON).status_code == 403
    assert program.delete("/api/v1/characters/odile").status_code == 403
    assert Character.objects.get(slug="odile").name == "Odile"


def test_ordinary_person_publishes_is_refused_administrator_may(program: Client, ada: User):
    create(program)
    assert program.post("/api/v1/characters/mira/publish").status_code == 403

    house = Client()
    house.force_login(ada)
    row = Character.objects.get(slug="mira")
    row.owner = ada
    row.save()
    assert house.post("/api/v1/characters/mira/publish").json()["is_published"] is True
    assert program.get("/api/v1/characters/mira").status_code == 200
    assert house.post("/api/v1/characters/mira/unpublish").json()["is_published"] is False
    assert program.get("/api/v1/characters/mira").status_code == 404


@pytest.mark.parametrize(
    "fields",
    [{"name": ""}, {"temperature": 9}, {"max_tokens": 0}, {"suggestions": ["x"] * 9}, {"tags": ["y" * 41]}],
)
def test_program_sends_nonsense_is_told(program: Client, fields: dict[str, object]):
    assert create(program, **fields).status_code == 422
    assert not Character.objects.exists()


def upload(client: Client, data: bytes):
    return client.post("/api/v1/characters/mira/portrait", {"file": SimpleUploadedFile("face.png", data)})


def test_program_uploads_portrait_gets_it_clean_and_square(program: Client):
    create(program)
    exif = Image.Exif()
    exif[0x010E] = "taken at home"

    answer = upload(program, picture((900, 600), "JPEG", exif=exif))

    assert answer.status_code == 200
    stored = read_stored(Character.objects.get().avatar.name)
    assert b"taken at home" not in stored
    kept = Image.open(io.BytesIO(stored))
    assert (kept.format, kept.size) == ("WEBP", (512, 512))
    assert program.get(answer.json()["avatar_url"])["Content-Type"] == "image/webp"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no picture",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        picture()[:200],
        picture((10, 10), "GIF"),
    ],
    ids=["empty", "text", "svg", "cut", "gif"],
)
def test_program_uploads_no_picture_is_told(program: Client, data: bytes):
    create(program)

    answer = upload(program, data)

    assert answer.status_code == 422
    assert not Character.objects.get().avatar


def test_program_uploads_too_large_picture_is_told_which_limit(program: Client):
    create(program)

    assert "8 MB" in upload(program, picture() + b"\0" * MAX_BYTES).json()["error"]["message"]
    assert "megapixels" in upload(program, picture((6000, 5000))).json()["error"]["message"]
