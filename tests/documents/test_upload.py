"""Uploads through the API: what is taken in, what is refused before anything is stored, and what it is called."""

from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from accounts.models import AuditEntry, User
from documents.models import Collection, CollectionKind, Document
from documents.services import create_collection
from tests.documents import files


def post(program: Client, data: bytes, name: str = "notes.txt", **fields: str) -> tuple[int, dict]:
    response = program.post("/api/v1/documents", {"file": SimpleUploadedFile(name, data), **fields})
    return response.status_code, response.json()


def stored_files() -> int:
    folder = Path(django_settings.MEDIA_ROOT) / "documents"
    return len(list(folder.iterdir())) if folder.exists() else 0


def test_program_uploads_a_file_and_it_is_queued_in_its_library(program: Client, ada: User) -> None:
    status, body = post(program, b"The ferry leaves at noon.")
    assert (status, body["status"]) == (202, "queued")
    document = Document.objects.get(pk=body["id"])
    assert document.collection.kind == CollectionKind.LIBRARY
    assert document.collection.owner == ada
    assert (document.name, document.media_type, document.size_bytes) == ("notes.txt", "text/plain", 25)
    with default_storage.open(document.blob_name) as blob:
        assert blob.read() == b"The ferry leaves at noon."
    assert AuditEntry.objects.filter(verb="upload_document", target_id=body["id"], actor=ada).exists()


def test_program_uploads_into_its_own_collection(program: Client, ada: User) -> None:
    collection = create_collection(actor=ada, name="Ports")
    _, body = post(program, b"Text.", collection=str(collection.pk))
    assert Document.objects.get(pk=body["id"]).collection == collection


def test_program_uploads_into_a_strangers_collection_and_is_told_there_is_none(
    program: Client, eve: User
) -> None:
    collection = create_collection(actor=eve, name="Eve's")
    status, body = post(program, b"Text.", collection=str(collection.pk))
    assert (status, body["error"]["code"]) == (404, "not_found")
    assert not Document.objects.exists()


def test_somebody_without_a_key_uploads_and_is_refused(db: None) -> None:
    assert post(Client(), b"Text.")[0] == 401


@pytest.mark.parametrize(
    ("data", "name", "status", "code"),
    [
        (b"", "empty.txt", 422, "file_empty"),
        (b" \n\t \n", "blank.txt", 422, "file_empty"),
        (b"MZ\x90\x00" + bytes(range(256)), "report.pdf", 415, "type_unsupported"),
        (b"404: there is no such paper.", "report.pdf", 415, "type_mistaken"),
        (b"<html><p>Sign in to download.</p>", "scan.PNG", 415, "type_mistaken"),
        (b"\x7fELF" + bytes(4000), "notes.md", 415, "type_unsupported"),
        (files.make_zip(), "table.docx", 415, "type_unsupported"),
        (files.make_ole(encrypted=False), "old.docx", 415, "type_unsupported"),
        (files.make_ole(encrypted=True), "secret.docx", 422, "file_encrypted"),
    ],
    ids=[
        "empty",
        "blank",
        "program",
        "text for a PDF",
        "page for a picture",
        "another program",
        "archive",
        "old Word",
        "encrypted Word",
    ],
)
def test_program_uploads_what_cannot_be_read_and_is_told_why_before_it_is_stored(
    program: Client, data: bytes, name: str, status: int, code: str
) -> None:
    before = stored_files()
    answered, body = post(program, data, name)
    assert (answered, body["error"]["code"]) == (status, code)
    assert len(body["error"]["message"]) > 30
    assert not Document.objects.exists()
    assert stored_files() == before


def test_program_uploads_a_file_over_the_limit_and_gets_413(program: Client, settings: Settings) -> None:
    settings.UPLOAD_MAX_BYTES = 1000
    before = stored_files()
    status, body = post(program, b"x" * 1001)
    assert (status, body["error"]["code"]) == (413, "file_too_large")
    assert stored_files() == before


def test_program_uploads_a_pdf_named_as_text_and_it_is_taken_for_what_it_is(program: Client) -> None:
    _, body = post(program, files.make_pdf([["Hello."]]), "letter.txt")
    assert Document.objects.get(pk=body["id"]).media_type == "application/pdf"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("..\\..\\windows\\system.txt", "system.txt"),
        ("C:\\papers\\år\u202egnp.txt", "årgnp.txt"),
        ("  .hidden  ", "hidden"),
        ("a" * 400 + ".md", "a" * 197 + ".md"),
        ("...", "Untitled"),
    ],
)
def test_program_names_a_file_oddly_and_only_a_harmless_name_is_kept(
    ada: User, upload: object, given: str, kept: str
) -> None:
    document = upload(b"Text.", given)
    assert document.name == kept
    assert document.blob_name == f"documents/{document.pk.hex}"


def test_two_first_uploads_share_one_library(program: Client, ada: User) -> None:
    post(program, b"One.")
    post(program, b"Two.")
    assert Collection.objects.filter(owner=ada).count() == 1
