"""Drafts and versions: what is typed, what is saved, and how it comes back."""

from datetime import timedelta

import pytest
from django.contrib.postgres.fields import ArrayField
from django.core.cache import cache
from django.db import models
from django.test import Client

from accounts.models import User
from characters.assets.models import AssetKind
from characters.assets.services import add_picture, remove_asset, set_portrait
from characters.assets.sweeping import remove_unnamed_files
from characters.editor.services import Edited, save_edited
from characters.errors import VersionNotFound
from characters.lorebooks.services import create_lorebook, give_lorebook, take_lorebook
from characters.models import Character, Draft, Version, Visibility
from characters.pictures import read_file
from characters.services import create_character, update_character
from characters.versions.services import restore_version
from characters.versions.snapshot import FIELDS, at_version
from documents.services import create_collection
from tests.characters.conftest import picture

pytestmark = pytest.mark.django_db
JSON = {"content_type": "application/json"}
# What a version leaves out on purpose: names in addresses, audience, and what the house keeps for itself.
OF_THE_ROW = {"slug", "visibility", "hidden_reason", "remix_credit"}


@pytest.fixture
def mira(bo: User) -> Character:
    return create_character(actor=bo, name="Mira", greeting="Look up.", tags=["stars"])


def test_version_has_every_word_of_a_character():
    words = {
        field.name
        for field in Character._meta.concrete_fields
        if isinstance(field, models.CharField | models.TextField | models.JSONField | ArrayField)
        and not isinstance(field, models.FileField)
    }
    assert words - set(FIELDS) == OF_THE_ROW


def test_owner_saves_makes_versions_that_say_what_changed(mira: Character, bo: User, page: Client):
    update_character(actor=bo, character_id=mira.pk, greeting="Look down.", note="Colder")
    update_character(actor=bo, character_id=mira.pk, greeting="Look down.")
    set_portrait(actor=bo, character_id=mira.pk, data=picture())

    rows = page.get("/api/v1/characters/mira/versions").json()

    assert [(row["number"], row["changed"], row["has_new_portrait"]) for row in rows] == [
        (3, [], True),
        (2, ["greeting"], False),
        (1, [], False),
    ]
    assert rows[1]["note"] == "Colder"
    assert rows[0]["is_current"]
    assert page.get("/api/v1/characters/mira/versions/1").json()["fields"]["greeting"] == "Look up."
    assert "Version 3" in page.get("/characters/mira/history/").content.decode()


def test_words_and_portrait_of_one_save_make_one_version(bo: User):
    def save(character: Character | None, greeting: str, portrait: bytes) -> Character:
        words = {"name": "Nils", "greeting": greeting}
        edited = Edited(
            words, style="", portrait=portrait, crop=None, visibility=Visibility.PRIVATE, groups=[]
        )
        return save_edited(actor=bo, character=character, edited=edited)

    nils = save(None, "Hej.", picture())
    first = nils.avatar.name
    assert list(nils.versions.values_list("number", "avatar")) == [(1, first)]
    nils = save(nils, "Hej då.", picture((50, 50)))
    second = nils.avatar.name
    nils = save(nils, "Hej då.", picture((90, 90)))

    kept = nils.versions.order_by("number").values_list("number", "snapshot__greeting", "avatar")
    assert list(kept) == [(1, "Hej.", first), (2, "Hej då.", second), (3, "Hej då.", nils.avatar.name)]
    back = restore_version(actor=bo, character_id=nils.pk, number=1)
    assert (back.greeting, back.avatar.name, back.assets.count()) == ("Hej.", first, 1)


def test_character_from_before_versions_keeps_what_it_was(bo: User):
    row = Character.objects.create(slug="old", name="Old", owner=bo, greeting="Then.")

    update_character(actor=bo, character_id=row.pk, greeting="Now.")

    kept = Version.objects.order_by("number").values_list("number", "snapshot__greeting")
    assert list(kept) == [(1, "Then."), (2, "Now.")]


def test_owner_restores_gets_words_and_portrait_back_as_a_new_version(
    mira: Character, bo: User, page: Client
):
    set_portrait(actor=bo, character_id=mira.pk, data=picture())
    before = Character.objects.get(pk=mira.pk)
    update_character(actor=bo, character_id=mira.pk, greeting="Look down.", tags=["soil"], temperature=1.0)
    set_portrait(actor=bo, character_id=mira.pk, data=picture((50, 50)))

    assert page.post("/characters/mira/history/2").status_code == 302

    row = Character.objects.get(pk=mira.pk)
    assert (row.greeting, row.tags, row.temperature) == ("Look up.", ["stars"], None)
    assert row.avatar.name == before.avatar.name
    assert row.version is not None
    assert row.version.number == 5
    with pytest.raises(VersionNotFound):
        restore_version(actor=bo, character_id=mira.pk, number=99)


def test_reader_sees_an_older_version_without_touching_the_row(mira: Character, bo: User):
    first = mira.version
    row = update_character(actor=bo, character_id=mira.pk, greeting="Look down.")

    older = at_version(row, first)

    assert (older.greeting, row.greeting) == ("Look up.", "Look down.")
    assert at_version(row, row.version) is row


def test_editor_keeps_a_draft_until_it_is_saved(mira: Character, bo: User, page: Client):
    url = "/api/v1/characters/mira/draft"
    kept = page.put(url, {"fields": {"greeting": "Hm.", "name": "Mira"}}, **JSON)
    assert kept.json() == {"changed": ["greeting"]}
    assert Character.objects.get(pk=mira.pk).greeting == "Look up."
    opened = page.get("/characters/mira/edit/").content.decode()
    assert "Hm." in opened
    assert "Back to what is saved" in opened
    assert page.put(url, {"fields": {"greeting": "Look up."}}, **JSON).json() == {"changed": []}
    assert not Draft.objects.exists()
    page.put(url, {"fields": {"greeting": "Hm."}}, **JSON)
    update_character(actor=bo, character_id=mira.pk, greeting="Hm!")
    assert not Draft.objects.exists()
    assert page.put(url, {"fields": {"owner": "me"}}, **JSON).status_code == 422


def test_stranger_reaches_no_history(mira: Character, ada: User):
    cy = Client()
    cy.force_login(User.objects.create_user("cy@example.org"))
    for path in ("/characters/mira/history/", "/characters/mira/edit/", "/api/v1/characters/mira/versions"):
        assert cy.get(path).status_code == 404
    Character.objects.update(visibility="everyone", is_published=True)
    for path in ("/characters/mira/history/", "/characters/mira/edit/", "/api/v1/characters/mira/versions"):
        assert cy.get(path).status_code == 403
    assert cy.post("/characters/mira/history/1").status_code == 403
    assert cy.put("/api/v1/characters/mira/draft", {"fields": {}}, **JSON).status_code == 403


def test_browser_sends_lines_its_way_they_are_kept_ours(mira: Character, bo: User):
    row = update_character(actor=bo, character_id=mira.pk, definition="One.\r\nTwo.")

    assert row.definition == "One.\nTwo."


def test_owner_restores_gets_pictures_lore_and_knowledge_back_too(mira: Character, bo: User):
    set_portrait(actor=bo, character_id=mira.pk, data=picture())
    joy = add_picture(
        actor=bo, character_id=mira.pk, kind=AssetKind.EXPRESSION, name="joy", data=picture((9, 9))
    )
    book = create_lorebook(actor=bo, name="Stars")
    give_lorebook(actor=bo, lorebook_id=book.pk, character_id=mira.pk)
    shelf, later = (create_collection(actor=bo, name=name) for name in ("Charts", "Later"))
    update_character(actor=bo, character_id=mira.pk, greeting="Look here.", collections=[shelf])
    whole = mira.assets.get(kind=AssetKind.PORTRAIT).file.name
    number = Character.objects.get(pk=mira.pk).version.number

    update_character(actor=bo, character_id=mira.pk, greeting="Look down.", collections=[later])
    set_portrait(actor=bo, character_id=mira.pk, data=picture((50, 50)))
    remove_asset(actor=bo, asset_id=joy.pk)
    add_picture(actor=bo, character_id=mira.pk, kind=AssetKind.EXPRESSION, name="fear", data=picture((8, 8)))
    take_lorebook(actor=bo, lorebook_id=book.pk, character_id=mira.pk)
    # What only a version remembers is kept in storage.
    remove_unnamed_files(keep=timedelta(0))
    cache.clear()
    remove_unnamed_files(keep=timedelta(0))
    row = restore_version(actor=bo, character_id=mira.pk, number=number)

    assert row.assets.get(kind=AssetKind.PORTRAIT).file.name == whole
    assert [asset.name for asset in row.assets.filter(kind=AssetKind.EXPRESSION)] == ["joy"]
    assert read_file(joy.file.name)
    assert (list(row.lorebooks.all()), row.has_lore) == ([book], True)
    assert list(row.collections.all()) == [shelf]
    # And all the way forth again.
    row = restore_version(actor=bo, character_id=mira.pk, number=row.version.number - 1)
    assert [asset.name for asset in row.assets.filter(kind=AssetKind.EXPRESSION)] == ["fear"]
    assert (list(row.lorebooks.all()), row.has_lore) == ([], False)
    assert list(row.collections.all()) == [later]
