"""Who meets whom: groups, review, featuring, hiding, and cards by the zip."""

import io
import zipfile

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry, User
from characters.assets.services import set_portrait
from characters.models import Character, Favourite, Visibility
from characters.publishing import hide_character, publish_character, share_character, unhide_character
from characters.services import create_character, seed_cast, update_character
from tests.characters.conftest import picture

pytestmark = pytest.mark.django_db
JSON = {"content_type": "application/json"}
LIST = "admin:characters_character_changelist"


@pytest.fixture
def mira(bo: User) -> Character:
    return create_character(actor=bo, name="Mira", system_prompt="A secret.")


@pytest.fixture
def cy() -> User:
    return User.objects.create_user("cy@example.org")


def sees(person: User, slug: str = "mira") -> bool:
    client = Client()
    client.force_login(person)
    return client.get(f"/characters/{slug}/").status_code == 200


def test_owner_shares_with_a_group_only_its_members_meet_her(
    mira: Character, bo: User, cy: User, page: Client
):
    choir, band = Group.objects.create(name="Choir"), Group.objects.create(name="Band")
    bo.groups.add(choir)
    cy.groups.add(choir)
    stranger = User.objects.create_user("di@example.org")
    stranger.groups.add(band)
    url = "/api/v1/characters/mira/audience"
    # Not a group of theirs.
    assert page.put(url, {"visibility": "group", "groups": ["Band"]}, **JSON).status_code == 422

    shared = page.put(url, {"visibility": "group", "groups": ["Choir", "Band"]}, **JSON).json()

    assert (shared["groups"], shared["is_shown"]) == (["Choir"], True)
    assert sees(cy)
    assert not sees(stranger)
    gallery = Client()
    gallery.force_login(cy)
    shown = gallery.get("/characters/", {"scope": "groups"}).context["characters"]
    assert [row.name for row in shown] == ["Mira"]
    page.put(url, {"visibility": "private"}, **JSON)
    assert not sees(cy)


def test_owner_without_the_right_asks_and_administrator_grants(
    mira: Character, bo: User, cy: User, office: Client, page: Client
):
    asked = page.put("/api/v1/characters/mira/audience", {"visibility": "everyone"}, **JSON).json()
    assert (asked["waits_for_review"], asked["is_shown"]) == (True, False)
    assert "Waits for an administrator" in page.get("/characters/mira/").content.decode()
    waiting = office.get(reverse(LIST), {"state": "review"}).context["cl"].queryset
    assert list(waiting) == [mira]

    office.post(reverse(LIST), {"action": "publish", "_selected_action": [str(mira.pk)]})

    assert sees(cy)
    assert not office.get(reverse(LIST), {"state": "review"}).context["cl"].queryset


def test_administrator_hides_with_a_reason_the_owner_reads_it(
    mira: Character, bo: User, cy: User, ada: User, office: Client, page: Client
):
    publish_character(actor=ada, character_id=mira.pk)
    chosen = {"action": "hide", "_selected_action": [str(mira.pk)]}

    asked = office.post(reverse(LIST), chosen)
    assert "Why" in asked.content.decode()
    assert sees(cy)
    office.post(reverse(LIST), {**chosen, "reason": "The picture is of a real person."})

    assert not sees(cy)
    assert "The picture is of a real person." in page.get("/characters/mira/").content.decode()
    # Editing does not bring her back.
    update_character(actor=bo, character_id=mira.pk, greeting="Hello.")
    share_character(actor=bo, character_id=mira.pk, visibility=Visibility.EVERYONE, groups=[])
    assert not sees(cy)
    unhide_character(actor=ada, character_id=mira.pk)
    assert sees(cy)
    verbs = AuditEntry.objects.filter(actor=ada).values_list("verb", flat=True)
    assert {"hide character", "unhide character"} <= set(verbs)


def test_administrator_features_only_what_everyone_sees(mira: Character, office: Client, ada: User):
    chosen = {"_selected_action": [str(mira.pk)]}
    office.post(reverse(LIST), {"action": "feature", **chosen})
    assert Character.objects.get().featured_at is None
    publish_character(actor=ada, character_id=mira.pk)
    office.post(reverse(LIST), {"action": "feature", **chosen})
    assert Character.objects.get().featured_at is not None
    hide_character(actor=ada, character_id=mira.pk, reason="For now.")
    assert Character.objects.get().featured_at is None


def test_person_remixes_only_where_the_owner_lets_them(mira: Character, bo: User, cy: User, ada: User):
    publish_character(actor=ada, character_id=mira.pk)
    client = Client()
    client.force_login(cy)
    assert client.post("/api/v1/characters/mira/copy").status_code == 403
    assert "Remix" not in client.get("/characters/mira/").content.decode()
    Character.objects.update(is_remixable=True)

    answer = client.post("/api/v1/characters/mira/copy")

    assert answer.status_code == 201
    copy = Character.objects.get(owner=cy)
    assert (copy.name, copy.system_prompt, copy.is_shown) == ("Mira", "A secret.", False)
    assert copy.remix_credit == "Mira by bo"
    shown = client.get(f"/characters/{copy.slug}/").content.decode()
    assert "Remixed from Mira by bo" in shown
    mira.delete()
    assert "Remixed from Mira by bo" in client.get(f"/characters/{copy.slug}/").content.decode()


def test_person_keeps_favourites_first(page: Client, bo: User):
    seed_cast()
    assert page.put("/api/v1/characters/tove/favourite").status_code == 204
    assert page.put("/api/v1/characters/tove/favourite").status_code == 204
    assert Favourite.objects.count() == 1

    favourites = page.get("/characters/", {"scope": "favourites"}).context["characters"]
    assert [row.name for row in favourites] == ["Tove"]
    assert next(iter(page.get("/").context["bootstrap"]["cast"]))["name"] == "Tove"
    assert page.post("/characters/tove/favourite", {"is_favourite": "no"}).status_code == 302
    assert not Favourite.objects.exists()
    assert page.put("/api/v1/characters/nobody/favourite").status_code == 404


def test_administrator_takes_cards_out_and_in_again(office: Client, ada: User, mira: Character):
    set_portrait(actor=ada, character_id=mira.pk, data=picture())
    create_character(actor=ada, name="Nils", greeting="Hej.")
    keys = [str(key) for key in Character.objects.values_list("pk", flat=True)]

    packed = office.post(reverse(LIST), {"action": "export_cards", "_selected_action": keys})

    async def read() -> list[bytes]:
        return [piece async for piece in packed.streaming_content]

    assert packed["Content-Type"] == "application/zip"
    pieces = async_to_sync(read)()
    # One for each card, and the list of them.
    assert len(pieces) == 3
    again = io.BytesIO(b"".join(pieces))
    with zipfile.ZipFile(again) as archive:
        assert sorted(archive.namelist()) == ["mira.png", "nils.png"]
    with zipfile.ZipFile(again, "a") as archive:
        archive.writestr("notes.txt", "no card")
        archive.writestr("broken.png", b"\x89PNG\r\n\x1a\nno")
    Character.objects.all().delete()
    url = reverse("admin:characters_character_import")
    shown = office.post(url, {"file": SimpleUploadedFile("cards.zip", again.getvalue())}).content.decode()

    assert "2 of 3 cards came in" in shown
    assert set(Character.objects.values_list("name", "system_prompt", "greeting")) == {
        ("Mira", "A secret.", ""),
        ("Nils", "", "Hej."),
    }
    assert Character.objects.get(name="Mira").avatar
    for data, words in ((b"PK\x03\x04nonsense", "no ZIP archive"), (b"plain", "card")):
        refused = office.post(url, {"file": SimpleUploadedFile("x.zip", data)}).content.decode()
        assert words in refused
