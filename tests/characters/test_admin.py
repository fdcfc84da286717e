"""The administration of characters, for somebody without a shell."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry, User
from characters.models import Character, Visibility
from characters.services import seed_cast
from documents.models import Collection
from tests.characters.conftest import picture

pytestmark = pytest.mark.django_db

FORM = {
    "name": "Mira",
    "slug": "mira",
    "tagline": "Counts stars",
    "suggestions": "How many?\r\n\r\nHow far?",
    "tags": "Stars, sky",
    "position": "50",
    "is_shown": "on",
}


def test_administrator_makes_character_everybody_meets_her(office: Client, page: Client, ada: User):
    shelf = Collection.objects.create(owner=ada, name="Star maps")

    response = office.post(
        reverse("admin:characters_character_add"),
        {**FORM, "collections": [str(shelf.pk)], "portrait": SimpleUploadedFile("m.png", picture())},
    )

    assert response.status_code == 302
    mira = Character.objects.get()
    assert mira.suggestions == ["How many?", "How far?"]
    assert mira.tags == ["stars", "sky"]
    assert list(mira.collections.all()) == [shelf]
    assert page.get("/characters/mira/").status_code == 200
    assert page.get(mira.avatar_url).status_code == 200
    # Whoever may talk to her may read what she answers from.
    assert "Star maps" in page.get("/characters/mira/").content.decode()
    verbs = set(AuditEntry.objects.filter(actor=ada).values_list("verb", flat=True))
    assert verbs == {"create character", "change portrait", "publish character"}


def test_administrator_changes_character_keeps_the_rest(office: Client):
    seed_cast()
    odile = Character.objects.get(slug="odile")
    url = reverse("admin:characters_character_change", args=[odile.pk])
    page = office.get(url)
    assert odile.avatar_url.split("?")[0] in page.content.decode()
    fields = {
        name: value for name, value in page.context["adminform"].form.initial.items() if value is not None
    }
    form = page.context["adminform"].form
    data = {name: form[name].value() for name in fields if form[name].value() not in (None, False)}

    response = office.post(url, {**data, "suggestions": "\n".join(odile.suggestions), "tags": "one, two"})

    assert response.status_code == 302
    changed = Character.objects.get(pk=odile.pk)
    assert changed.tags == ["one", "two"]
    assert (changed.greeting, changed.avatar.name, changed.suggestions) == (
        odile.greeting,
        odile.avatar.name,
        odile.suggestions,
    )


def test_administrator_uploads_broken_portrait_is_told_beside_the_field(office: Client):
    response = office.post(
        reverse("admin:characters_character_add"),
        {**FORM, "portrait": SimpleUploadedFile("m.png", b"nonsense")},
    )

    assert response.status_code == 200
    assert "Upload a PNG" in response.content.decode()
    assert not Character.objects.exists()


def test_administrator_hides_and_shows_from_the_list(office: Client, page: Client):
    seed_cast()
    chosen = [str(pk) for pk in Character.objects.filter(slug="bram").values_list("pk", flat=True)]
    url = reverse("admin:characters_character_changelist")

    office.post(url, {"action": "unpublish", "_selected_action": chosen})
    assert page.get("/characters/bram/").status_code == 404
    office.post(url, {"action": "publish", "_selected_action": chosen})
    assert page.get("/characters/bram/").status_code == 200


def test_administrator_filters_and_searches(office: Client, bo: User):
    seed_cast()
    Character.objects.create(slug="bare", name="Bare", owner=bo, visibility=Visibility.PRIVATE)
    url = reverse("admin:characters_character_changelist")

    for query, expected in (
        ({"audience": "owner"}, ["Bare"]),
        ({"missing": "avatar"}, ["Bare"]),
        ({"q": "lifts"}, ["Bram"]),
        ({"is_grounded__exact": "1"}, ["Odile"]),
    ):
        found = office.get(url, query).context["cl"].queryset
        assert [character.name for character in found] == expected, query


def test_administrator_deletes_character_leaves_audit(office: Client):
    seed_cast()
    bram = Character.objects.get(slug="bram")

    office.post(reverse("admin:characters_character_delete", args=[bram.pk]), {"post": "yes"})

    assert not Character.objects.filter(slug="bram").exists()
    assert AuditEntry.objects.filter(verb="delete character", target_name="Bram").exists()
