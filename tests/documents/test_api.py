"""The REST API beside uploading: reading, listing, retrying, deleting, and what strangers get."""

import uuid

import pytest
from asgiref.sync import async_to_sync
from django.core.files.storage import default_storage
from django.http import StreamingHttpResponse
from django.test import AsyncClient, Client
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import User
from accounts.services import create_api_key
from documents.api.documents import DOWNLOAD_PIECE_BYTES
from documents.models import Chunk, Collection, Document, Embedding, Page
from tests.documents import files
from tests.documents.conftest import Upload

TEXT = "\n\n".join(files.SENTENCES).encode()


def test_program_reads_a_documents_state(program: Client, ingest: Upload) -> None:
    document = ingest(TEXT)
    body = program.get(f"/api/v1/documents/{document.pk}").json()
    assert body["status"] == "ready"
    assert (body["progress"], body["pages"], body["chunks"], body["error"]) == (1.0, 1, 1, None)
    assert body["collection"] == str(document.collection_id)


def test_program_lists_documents_newest_first_in_pages(program: Client, upload: Upload) -> None:
    names = [f"note {number}.txt" for number in range(5)]
    for name in names:
        upload(b"Text.", name)
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        address = "/api/v1/documents?limit=2" + (f"&cursor={cursor}" if cursor else "")
        page = program.get(address).json()
        seen += [item["name"] for item in page["items"]]
        cursor = page["next"]
    assert seen == names[::-1]


def test_program_lists_documents_by_name_and_collection(program: Client, upload: Upload) -> None:
    upload(b"Text.", "Budget.txt")
    other = upload(b"Text.", "Minutes.txt")
    names = [item["name"] for item in program.get("/api/v1/documents?query=budg").json()["items"]]
    assert names == ["Budget.txt"]
    address = f"/api/v1/documents?collection={other.collection_id}"
    assert len(program.get(address).json()["items"]) == 2
    assert program.get(f"/api/v1/documents?collection={uuid.uuid4()}").status_code == 404


def test_program_reads_a_page_and_downloads_the_file(ada: User, program: Client, ingest: Upload) -> None:
    document = ingest(TEXT, 'od"d näme.txt')
    body = program.get(f"/api/v1/documents/{document.pk}/pages/1").json()
    assert body["document"] == {"id": str(document.pk), "name": 'od"d näme.txt', "pages": 1}
    assert body["text"] == TEXT.decode()
    assert program.get(f"/api/v1/documents/{document.pk}/pages/2").status_code == 404
    pieces, response = download(ada, document)
    assert b"".join(pieces) == TEXT
    assert response["Content-Length"] == str(len(TEXT))
    assert response["Content-Disposition"].startswith("attachment")
    assert response["X-Content-Type-Options"] == "nosniff"


def test_large_file_is_downloaded_in_pieces(ada: User, upload: Upload) -> None:
    data = TEXT + b"\n" * (3 << 20)
    pieces, response = download(ada, upload(data, "long.txt"))
    assert b"".join(pieces) == data
    assert max(map(len, pieces)) == DOWNLOAD_PIECE_BYTES
    assert response["Content-Length"] == str(len(data))


def download(person: User, document: Document) -> tuple[list[bytes], StreamingHttpResponse]:
    bearer = {"authorization": f"Bearer {create_api_key(actor=person, name='Test')[1]}"}

    async def fetch() -> tuple[list[bytes], StreamingHttpResponse]:
        response = await AsyncClient().get(f"/api/v1/documents/{document.pk}/file", headers=bearer)
        return [piece async for piece in response.streaming_content], response

    return async_to_sync(fetch)()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", ""),
        ("delete", ""),
        ("post", "/retry"),
        ("get", "/pages/1"),
        ("get", "/file"),
    ],
)
def test_stranger_asks_for_a_document_and_it_is_as_if_there_were_none(
    program: Client, stranger: Client, ingest: Upload, method: str, path: str
) -> None:
    document = ingest(TEXT)
    foreign = getattr(stranger, method)(f"/api/v1/documents/{document.pk}{path}")
    absent = getattr(stranger, method)(f"/api/v1/documents/{uuid.uuid4()}{path}")
    assert foreign.status_code == absent.status_code == 404
    assert foreign.json() == absent.json()
    assert Document.objects.filter(pk=document.pk, status="ready").exists()


def test_stranger_lists_and_finds_nothing_of_others(stranger: Client, ingest: Upload, ada: User) -> None:
    document = ingest(TEXT)
    assert stranger.get("/api/v1/documents").json()["items"] == []
    assert stranger.get("/api/v1/collections").json() == []
    for chosen in ({}, {"documents": [str(document.pk)]}, {"collections": [str(document.collection_id)]}):
        answer = stranger.post("/api/v1/search", {"query": "harbour", **chosen}, "application/json")
        assert answer.json() == {"results": []}
    assert stranger.delete(f"/api/v1/collections/{document.collection_id}").status_code == 404


def test_program_deletes_a_document_and_rows_vectors_and_file_are_gone(
    program: Client, ingest: Upload, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    document = ingest(TEXT)
    kept = ingest(TEXT + b" And more.", "other.txt")
    with django_capture_on_commit_callbacks(execute=True):
        assert program.delete(f"/api/v1/documents/{document.pk}").status_code == 204
    for rows in (Page, Chunk, Embedding):
        assert set(rows.objects.values_list("document_id", flat=True)) == {kept.pk}
    assert not default_storage.exists(document.blob_name)
    assert default_storage.exists(kept.blob_name)
    assert program.get(f"/api/v1/documents/{document.pk}").status_code == 404


def test_program_deletes_a_collection_with_all_in_it(
    program: Client, ingest: Upload, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    made = program.post("/api/v1/collections", {"name": "Ports"}, "application/json")
    assert made.status_code == 201
    collection = Collection.objects.get(pk=made.json()["id"])
    document = ingest(TEXT, collection=collection)
    with django_capture_on_commit_callbacks(execute=True):
        assert program.delete(f"/api/v1/collections/{collection.pk}").status_code == 204
    assert not Document.objects.exists()
    assert not default_storage.exists(document.blob_name)


def test_program_retries_a_failed_document_and_a_ready_one_is_refused(
    program: Client, ingest: Upload
) -> None:
    document = ingest(files.make_pdf([[]]), "scan.pdf")
    assert document.status == "failed"
    answer = program.post(f"/api/v1/documents/{document.pk}/retry")
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    ready = ingest(TEXT)
    answer = program.post(f"/api/v1/documents/{ready.pk}/retry")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "document_busy")


def test_program_searches_and_each_result_is_exactly_its_span_of_the_page(
    program: Client, ingest: Upload
) -> None:
    document = ingest("Ümläut 😀 first.\n\n".encode() + TEXT)
    answer = program.post("/api/v1/search", {"query": "ferry to the island", "k": 3}, "application/json")
    results = answer.json()["results"]
    assert results[0]["document"] == {"id": str(document.pk), "name": "notes.txt"}
    for result in results:
        page = program.get(f"/api/v1/documents/{document.pk}/pages/{result['page']}").json()
        assert page["text"][result["start"] : result["end"]] == result["text"]


@pytest.mark.parametrize("body", [{}, {"query": ""}, {"query": "x", "k": 0}, {"query": "x", "k": 1000}])
def test_program_searches_with_nonsense_and_is_told(program: Client, body: dict) -> None:
    answer = program.post("/api/v1/search", body, "application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid")
