"""Collections that several people use: each level allows what it says and no more, to whom it was given."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from accounts.models import User
from characters.publishing import publish_character
from characters.services import create_character
from documents.models import Collection, Document
from documents.removal import UNSENT_KEPT_FOR, remove_unsent
from documents.retrieval.search import search
from documents.services import create_collection, ensure_inbox
from tests.documents.conftest import Upload, program_of

TEXT = b"The ferry to Linden leaves at noon from the northern pier."


@pytest.fixture
def ports(ada: User) -> Collection:
    return create_collection(actor=ada, name="Ports")


def share(program: Client, collection: Collection, **grant: object) -> int:
    response = program.put(
        f"/api/v1/collections/{collection.pk}/grants", grant, content_type="application/json"
    )
    assert response.status_code in (200, 422), response.content
    return response.json().get("id", 0)


def post(program: Client, collection: Collection) -> int:
    from django.core.files.uploadedfile import SimpleUploadedFile

    fields = {"file": SimpleUploadedFile("more.txt", b"More of it."), "collection": str(collection.pk)}
    return program.post("/api/v1/documents", fields).status_code


@pytest.mark.parametrize(
    ("level", "may_write", "may_manage"),
    [("read", False, False), ("write", True, False), ("manage", True, True)],
)
def test_person_whom_a_collection_is_shared_with_may_do_what_the_level_says(
    program: Client,
    stranger: Client,
    eve: User,
    ports: Collection,
    ingest: Upload,
    level: str,
    may_write: bool,
    may_manage: bool,
) -> None:
    document = ingest(TEXT, "ferry.txt", collection=ports)
    assert stranger.get(f"/api/v1/documents/{document.pk}").status_code == 404
    share(program, ports, email="Eve@example.org", level=level)
    assert stranger.get(f"/api/v1/documents/{document.pk}").status_code == 200
    listed = stranger.get("/api/v1/collections").json()
    assert [(row["name"], row["access"], row["owner"]) for row in listed] == [("Ports", level, "ada")]
    assert [hit.document_id for hit in search(user=eve, query="ferry noon")] == [document.pk]
    assert post(stranger, ports) == (202 if may_write else 403)
    renamed = stranger.patch(
        f"/api/v1/collections/{ports.pk}", {"name": "Piers"}, content_type="application/json"
    )
    assert renamed.status_code == (200 if may_manage else 403)
    assert stranger.get(f"/api/v1/collections/{ports.pk}/grants").status_code == (200 if may_manage else 403)
    deleted = stranger.delete(f"/api/v1/documents/{document.pk}")
    assert deleted.status_code == (204 if may_write else 403)


def test_group_shares_what_its_members_may_see_and_those_who_leave_see_nothing(
    program: Client, stranger: Client, ada: User, eve: User, ports: Collection, ingest: Upload
) -> None:
    document = ingest(TEXT, "ferry.txt", collection=ports)
    crew = Group.objects.create(name="Crew")
    assert share(program, ports, group=crew.pk, level="read") == 0
    ada.groups.add(crew)
    eve.groups.add(crew)
    share(program, ports, group=crew.pk, level="read")
    assert stranger.get(f"/api/v1/documents/{document.pk}/pages/1").status_code == 200
    eve.groups.remove(crew)
    assert stranger.get(f"/api/v1/documents/{document.pk}/pages/1").status_code == 404
    assert search(user=eve, query="ferry") == []


def test_owner_takes_access_back_and_it_is_gone_at_once(
    program: Client, stranger: Client, ports: Collection, ingest: Upload
) -> None:
    document = ingest(TEXT, "ferry.txt", collection=ports)
    grant = share(program, ports, email="eve@example.org", level="manage")
    assert share(program, ports, email="eve@example.org", level="read") == grant
    assert program.delete(f"/api/v1/collections/{ports.pk}/grants/{grant}").status_code == 204
    assert stranger.get(f"/api/v1/documents/{document.pk}").status_code == 404
    assert stranger.get("/api/v1/collections").json() == []


def test_person_who_may_not_see_a_collection_cannot_share_or_delete_it(
    stranger: Client, ports: Collection
) -> None:
    path = f"/api/v1/collections/{ports.pk}"
    grant = {"email": "eve@example.org", "level": "manage"}
    assert stranger.put(f"{path}/grants", grant, content_type="application/json").status_code == 404
    assert stranger.delete(path).status_code == 404


def test_whoever_may_talk_to_a_character_finds_what_it_answers_from_but_does_not_list_it(
    stranger: Client, ada: User, eve: User, ports: Collection, ingest: Upload
) -> None:
    document = ingest(TEXT, "ferry.txt", collection=ports)
    character = create_character(actor=ada, name="Moreau", collections=[ports])
    assert search(user=eve, query="ferry", collections=[ports.pk]) == []
    ada.is_superuser = True
    ada.save()
    publish_character(actor=ada, character_id=character.pk)
    hits = search(user=eve, query="When does the ferry leave?", collections=[ports.pk])
    assert [hit.document_id for hit in hits] == [document.pk]
    assert stranger.get(f"/api/v1/documents/{document.pk}/pages/1").status_code == 200
    assert stranger.delete(f"/api/v1/documents/{document.pk}").status_code == 403
    assert search(user=eve, query="ferry") == []
    assert stranger.get("/api/v1/documents").json()["items"] == []
    assert stranger.get("/api/v1/collections").json() == []


def test_reader_of_a_collection_cannot_lend_it_to_everybody_through_a_character(
    program: Client, ada: User, eve: User, ports: Collection
) -> None:
    share(program, ports, email="eve@example.org", level="read")
    character = create_character(actor=eve, name="Leak", collections=[ports])
    assert not character.collections.exists()


def test_file_for_a_chat_waits_in_the_inbox_and_not_in_the_library(program: Client, ada: User) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    body = program.post(
        "/api/v1/documents", {"file": SimpleUploadedFile("note.txt", TEXT), "chat": "true"}
    ).json()
    assert Document.objects.get(pk=body["id"]).collection.kind == "inbox"
    assert program.get("/api/v1/collections").json() == []


def test_file_that_was_never_sent_goes_after_a_week_and_others_stay(upload: Upload, ada: User) -> None:
    inbox = ensure_inbox(actor=ada)
    forgotten = upload(TEXT, "forgotten.txt", collection=inbox)
    kept = [upload(TEXT, "fresh.txt", collection=inbox), upload(TEXT, "library.txt")]
    a_week_ago = timezone.now() - UNSENT_KEPT_FOR - timedelta(minutes=1)
    Document.objects.filter(pk__in=[forgotten.pk, kept[1].pk]).update(created_at=a_week_ago)

    assert remove_unsent() == 1
    assert set(Document.objects.values_list("pk", flat=True)) == {document.pk for document in kept}
    assert remove_unsent() == 0


def test_two_people_with_the_same_file_each_see_their_own_only(ingest: Upload, ada: User, eve: User) -> None:
    mine = ingest(TEXT, "ferry.txt")
    theirs = ingest(TEXT, "ferry.txt", actor=eve)
    assert program_of(eve).get(f"/api/v1/documents/{mine.pk}").status_code == 404
    assert [hit.document_id for hit in search(user=eve, query="ferry")] == [theirs.pk]
