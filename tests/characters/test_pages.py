"""Gallery, character pages and portraits, by HTTP."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from characters.assets.services import set_portrait
from characters.cards import read_book, read_card
from characters.cards.jsons import dump
from characters.lorebooks.services import import_lorebook
from characters.models import CardFile, CardSource, Character, Visibility
from characters.services import seed_cast
from tests.characters.conftest import picture

pytestmark = pytest.mark.django_db


@pytest.fixture
def private(ada: User) -> Character:
    row = Character.objects.create(
        slug="secret", name="Secret", owner=ada, visibility=Visibility.PRIVATE, is_published=False
    )
    return set_portrait(actor=ada, character_id=row.pk, data=picture())


@pytest.fixture
def cast() -> list[Character]:
    return seed_cast()


def names(client: Client, **query: str) -> list[str]:
    return [
        character.name for character in client.get(reverse("characters:gallery"), query).context["characters"]
    ]


def test_person_opens_gallery_meets_the_cast_in_order(
    page: Client, cast: list[Character], private: Character
):
    assert names(page) == ["Odile", "Bram", "Tove", "Anselm"]


def test_person_searches_gallery_finds_by_name_craft_and_tag(page: Client, cast: list[Character]):
    assert names(page, query="bra") == ["Bram"]
    assert names(page, query="PENCIL tailor") == ["Tove"]
    assert names(page, query="mystery") == ["Anselm"]
    assert names(page, tag="documents") == ["Odile"]
    assert names(page, query="100%_nothing'") == []
    assert "Nobody by that description" in page.get("/characters/", {"query": "zzz"}).content.decode()


def test_gallery_costs_the_same_for_any_number(
    page: Client, cast: list[Character], django_assert_max_num_queries
):
    for n in range(30):
        Character.objects.create(slug=f"extra-{n}", name=f"Extra {n}", tags=["extra"])
    with django_assert_max_num_queries(8):
        assert page.get("/characters/").status_code == 200


def test_person_opens_character_reads_how_to_start(page: Client, cast: list[Character]):
    text = page.get("/characters/odile/").content.decode()

    assert "/?character=odile" in text
    assert "Your documents" in text
    assert "You are Odile" not in text
    assert " style=" not in text
    assert "<script>" not in text


def test_person_opens_private_character_finds_nothing(page: Client, private: Character):
    for path in ("/characters/secret/", "/characters/secret/avatar", "/characters/nobody/"):
        assert page.get(path).status_code == 404
    assert "Secret" not in page.get("/characters/", {"query": "secret"}).content.decode()


def test_owner_opens_private_character_sees_it(page: Client, bo: User):
    Character.objects.create(slug="mine", name="Mine", owner=bo, visibility=Visibility.PRIVATE)

    assert "Only you" in page.get("/characters/").content.decode()
    assert page.get("/characters/mine/").status_code == 200


def test_stranger_opens_gallery_is_sent_to_sign_in(client: Client, cast: list[Character]):
    assert client.get("/characters/")["Location"].startswith(reverse("account_login"))
    assert client.get("/characters/odile/")["Location"].startswith(reverse("account_login"))
    assert client.get("/characters/odile/avatar").status_code == 404


def test_browser_loads_portrait_keeps_it(page: Client, program: Client, cast: list[Character]):
    url = cast[0].avatar_url
    first = page.get(url)

    assert first["Content-Type"] == "image/webp"
    assert first["Cache-Control"] == "private, max-age=31536000, immutable"
    assert "Cookie" in first.get("Vary", "Cookie")
    assert page.get("/characters/odile/avatar")["Cache-Control"] == "private, max-age=300"
    again = page.get(url, headers={"if-none-match": first["ETag"]})
    assert again.status_code == 304
    assert not again.content
    assert again["ETag"] == first["ETag"]
    assert program.get(url).status_code == 200


def test_character_without_portrait_has_none(page: Client, bo: User):
    Character.objects.create(slug="mine", name="Mine", owner=bo)

    assert page.get("/characters/mine/avatar").status_code == 404
    assert page.get("/characters/mine/").status_code == 200


def test_owner_edits_settings_they_are_kept_and_shown_again(page: Client, bo: User):
    row = Character.objects.create(
        slug="mine", name="Mine", owner=bo, sampling={"top_p": 0.5, "seed": 7, "stop": ["END"]}
    )
    url = "/characters/mine/edit/"
    text = page.get(url).content.decode()
    assert 'name="sampling-top_p" value="0.5"' in text
    assert 'name="sampling-seed" value="7"' in text

    words = {"name": "Mine", "visibility": "private"}
    settings = {"sampling-top_p": "0.9", "sampling-top_k": "0", "sampling-stop": "END\r\nBo:"}
    page.post(url, {**words, **settings})
    row.refresh_from_db()
    assert row.sampling == {"top_p": 0.9, "top_k": 0, "stop": ["END", "Bo:"]}

    assert page.post(url, {**words, "sampling-top_p": "1.5"}).status_code == 422
    row.refresh_from_db()
    assert row.sampling["top_p"] == 0.9


def test_owner_saves_a_character_as_a_file_and_nobody_else_can(page: Client, ada: User, bo: User):
    mine = Character.objects.create(slug="mine", name="Mine", owner=bo)
    Character.objects.create(
        slug="hers", name="Hers", owner=ada, visibility=Visibility.EVERYONE, is_published=True
    )

    for kind in ("png", "charx", "json"):
        assert f"/characters/mine/card.{kind}" in page.get("/characters/mine/").content.decode()
        assert f"/characters/hers/card.{kind}" not in page.get("/characters/hers/").content.decode()
        assert page.get(f"/characters/hers/card.{kind}").status_code in (403, 404)
    assert read_card(page.get("/characters/mine/card.png").content).name == "Mine"
    assert page.get("/characters/mine/card.json")["Content-Disposition"] == 'attachment; filename="mine.json"'

    CardFile.objects.create(character=mine, position=0, file="characters/x.bin", size_bytes=300 << 20)
    CardSource.objects.create(
        character=mine, json='{"data": {"assets": [{"type": "x", "uri": "embeded://x"}]}}'
    )
    answer = page.get("/characters/mine/card.charx", follow=True)
    assert "300 MB together, and a CHARX file takes 200" in answer.content.decode()


def test_owner_tries_a_lorebook_sees_what_comes_up_and_what_it_costs(page: Client, ada: User, bo: User):
    entry = {"enabled": True, "insertion_order": 1, "use_regex": False, "extensions": {}}
    entries = [
        {**entry, "name": "Ferry", "keys": ["ferry"], "content": "It leaks by the mill."},
        {**entry, "name": "Mill", "keys": ["mill"], "content": "It stands."},
        {**entry, "name": "Month", "keys": [], "constant": True, "content": "It is November."},
        {**entry, "name": "Far", "keys": ["oldest"], "content": "Too far back."},
    ]
    book = read_book(dump({"name": "River", "entries": entries, "recursive_scanning": True}).encode())
    row = import_lorebook(actor=bo, book=book)
    said = "The oldest.\r\n\r\nTwo.\r\n\r\nThree.\r\n\r\nFour.\r\n\r\nIs the ferry safe?"

    answer = page.post(f"/characters/lorebooks/{row.pk}/try", {"said": said})

    fired = [(one.entry, one.reason, one.because) for one in answer.context["scan"].fired]
    assert sorted(fired) == [
        ("Ferry", "key", "ferry"),
        ("Mill", "recursion", "mill"),
        ("Month", "always", ""),
    ]
    shown = answer.content.decode()
    assert "by another entry, which says “mill”" in shown
    assert "3 came up; what is told has about" in shown
    nothing = page.post(f"/characters/lorebooks/{row.pk}/try", {"said": ""}).context["scan"].fired
    assert [one.entry for one in nothing] == ["Month"]
    other = Client()
    other.force_login(ada)
    assert other.post(f"/characters/lorebooks/{row.pk}/try", {"said": said}).status_code == 404
