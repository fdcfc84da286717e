"""The other ways in: pages of the web, the watched container, large files in parts; and how they go again."""

import http.server
import io
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.storage import default_storage, storages
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts.models import User
from documents import blobs
from documents.errors import UrlRefused
from documents.ingest.pipeline import ingest_next
from documents.intake import fetching
from documents.intake.watching import look_at_container
from documents.models import Document, OrphanBlob, Page, Upload
from documents.services import create_collection
from tests.documents import office
from tests.documents.conftest import Upload as StoreUpload
from tests.openai_server import ScriptedServer

PAGE = office.HTML


class _Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/ferries")
            self.end_headers()
            return
        self.send_response(200 if self.path.startswith("/ferries") else 404)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def add_url(program: Client, url: str) -> Document:
    answer = program.post("/api/v1/documents/url", {"url": url}, content_type="application/json")
    assert answer.status_code == 202, answer.content
    while ingest_next() is not None:
        continue
    return Document.objects.get(pk=answer.json()["id"])


def test_person_names_a_page_and_the_worker_reads_it(
    program: Client, site: str, embedder: ScriptedServer, settings: Settings
) -> None:
    settings.FETCH_PRIVATE_ADDRESSES = True
    document = add_url(program, f"{site}/ferries#top")
    assert (document.status, document.media_type, document.title) == ("ready", "text/html", "Linden harbour")
    assert document.size_bytes == len(PAGE)
    assert default_storage.exists(document.blob_name)


@pytest.mark.parametrize(
    ("path", "code"),
    [("/moved", "url_unreachable"), ("/nowhere", "url_unreachable")],
    ids=["redirect", "absent"],
)
def test_page_that_is_not_there_fails_with_what_to_do(
    program: Client, site: str, embedder: ScriptedServer, settings: Settings, path: str, code: str
) -> None:
    settings.FETCH_PRIVATE_ADDRESSES = True
    document = add_url(program, site + path)
    assert (document.status, document.error_code, document.blob_name) == ("failed", code, "")


def test_page_of_our_own_network_is_not_fetched(program: Client, site: str, embedder: ScriptedServer) -> None:
    port = site.rpartition(":")[2]
    for host in (
        "127.0.0.1",
        "localhost",
        "[::1]",
        "169.254.169.254",
        "10.0.0.1",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
    ):
        document = add_url(program, f"http://{host}:{port}/ferries")
        assert document.status == "failed"
        assert document.error_code in ("url_refused", "url_unreachable"), host
    with pytest.raises(UrlRefused):
        fetching.fetch(f"http://localhost:{port}/ferries", io.BytesIO())


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/x",
        "file:///etc/passwd",
        "http://",
        "https://me:pw@example.org/",
        "http://a b/",
        "x",
    ],
)
def test_address_that_is_none_is_refused_at_once(program: Client, url: str) -> None:
    answer = program.post("/api/v1/documents/url", {"url": url}, content_type="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "url_refused")


def test_watched_container_is_followed(
    ada: User, embedder: ScriptedServer, settings: Settings, tmp_path: Path
) -> None:
    collection = create_collection(actor=ada, name="Watched")
    settings.WATCHED_CONTAINER, settings.WATCHED_COLLECTION = "inbox", str(collection.pk)
    settings.STORAGES = {
        **settings.STORAGES,
        "watched": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path},
        },
    }
    assert storages["watched"].listdir("") == ([], [])
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "ferry.txt").write_text("The ferry leaves at noon.")
    (tmp_path / ".hidden").write_text("no")
    assert look_at_container() == 1
    assert look_at_container() == 0
    while ingest_next() is not None:
        continue
    document = collection.documents.get()
    assert (document.name, document.status) == ("ferry.txt", "ready")
    first_blob = document.blob_name

    (tmp_path / "sub" / "ferry.txt").write_text("The ferry leaves at one o'clock now.")
    assert look_at_container() == 1
    while ingest_next() is not None:
        continue
    assert "one o'clock" in Page.objects.get(document=document).text
    document.refresh_from_db()
    assert document.blob_name != first_blob

    (tmp_path / "sub" / "ferry.txt").unlink()
    look_at_container()
    assert not collection.documents.exists()
    assert blobs.remove_orphans() == 2


def begin(program: Client, size_bytes: int, name: str = "large.txt", **fields: object) -> dict:
    body = {"name": name, "size_bytes": size_bytes, **fields}
    answer = program.post("/api/v1/uploads", body, content_type="application/json")
    assert answer.status_code == 201, answer.content
    return answer.json()


def put(program: Client, upload: str, offset: int, data: bytes) -> tuple[int, dict]:
    answer = program.put(
        f"/api/v1/uploads/{upload}",
        data,
        content_type="application/octet-stream",
        headers={"Upload-Offset": str(offset)},
    )
    return answer.status_code, answer.json()


def test_program_sends_a_file_in_parts_goes_on_after_a_break_and_it_is_read(
    program: Client, stranger: Client, embedder: ScriptedServer
) -> None:
    data = b"The harbour of Linden opens at six. " * 5_000
    upload = begin(program, len(data))["id"]
    assert put(program, upload, 0, data[:100_000])[1]["offset"] == 100_000
    assert put(program, upload, 0, data[:100_000])[1]["error"]["code"] == "upload_mismatch"
    assert put(program, upload, 120_000, data[120_000:])[0] == 409
    head = program.head(f"/api/v1/uploads/{upload}")
    assert (head["Upload-Offset"], head["Upload-Length"]) == ("100000", str(len(data)))
    assert program.post(f"/api/v1/uploads/{upload}/complete").status_code == 409
    assert stranger.get(f"/api/v1/uploads/{upload}").status_code == 404
    assert put(program, upload, 100_000, data[100_000:])[0] == 200
    done = program.post(f"/api/v1/uploads/{upload}/complete")
    assert done.status_code == 202
    assert program.post(f"/api/v1/uploads/{upload}/complete").status_code == 404
    while ingest_next() is not None:
        continue
    document = Document.objects.get(pk=done.json()["id"])
    assert (document.status, document.size_bytes, len(document.sha256)) == ("ready", len(data), 64)
    with default_storage.open(document.blob_name) as blob:
        assert blob.read() == data
    assert blobs.remove_orphans() == 0
    assert default_storage.exists(document.blob_name)


def test_program_begins_with_a_file_that_cannot_be_read_and_hears_it_with_the_first_part(
    program: Client,
) -> None:
    upload = begin(program, 10_000, "film.bin")["id"]
    status, body = put(program, upload, 0, b"\x7fELF" + bytes(4_996))
    assert (status, body["error"]["code"]) == (415, "type_unsupported")


def test_upload_over_the_limit_or_of_nothing_is_refused(program: Client, settings: Settings) -> None:
    settings.UPLOAD_MAX_BYTES = 1000
    for size_bytes, status in ((1001, 413), (0, 422)):
        body = {"name": "x.txt", "size_bytes": size_bytes}
        assert program.post("/api/v1/uploads", body, content_type="application/json").status_code == status


def test_upload_that_is_given_up_leaves_nothing(program: Client) -> None:
    upload = begin(program, 1000)["id"]
    put(program, upload, 0, b"x" * 500)
    blob_name = Upload.objects.get().blob_name
    assert default_storage.exists(blob_name)
    assert program.delete(f"/api/v1/uploads/{upload}").status_code == 204
    assert blobs.remove_orphans() == 1
    assert not default_storage.exists(blob_name)


def test_same_bytes_twice_are_stored_and_embedded_once_and_stay_while_one_is_left(
    ingest: StoreUpload,
    embedder: ScriptedServer,
    program: Client,
    eve: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    text = b"The harbour of Linden opens at six in the morning, and closes at ten. " * 40
    first = ingest(text, "a_first.txt")
    asked = len(embedder.embedding_requests)
    second = ingest(text, "a second.txt", actor=eve)
    assert len(embedder.embedding_requests) == asked
    assert (second.status, second.blob_name, second.title) == ("ready", first.blob_name, "a second")
    assert second.chunks.count() == first.chunks.count() > 0
    words = [chunk.search for chunk in second.chunks.all()]
    assert all("'second':" in each and "'first':" not in each for each in words)
    with django_capture_on_commit_callbacks(execute=True):
        program.delete(f"/api/v1/documents/{first.pk}")
    assert default_storage.exists(second.blob_name)
    second.refresh_from_db()
    assert second.chunks.exists()


def test_user_who_is_deleted_takes_their_files_along(upload: StoreUpload, eve: User) -> None:
    document = upload(b"Eve's own words.", actor=eve)
    eve.delete()
    assert OrphanBlob.objects.filter(name=document.blob_name).exists()
    assert blobs.remove_orphans() == 1
    assert not default_storage.exists(document.blob_name)
    assert not OrphanBlob.objects.exists()


def test_reading_is_stopped_and_tried_again(
    program: Client, upload: StoreUpload, embedder: ScriptedServer
) -> None:
    document = upload(b"The ferry leaves at noon.")
    stopped = program.post(f"/api/v1/documents/{document.pk}/cancel").json()
    assert (stopped["status"], stopped["error_code"]) == ("failed", "reading_stopped")
    assert ingest_next() is None
    assert program.post(f"/api/v1/documents/{document.pk}/cancel").status_code == 409
    assert program.post(f"/api/v1/documents/{document.pk}/retry").status_code == 202
    assert ingest_next() == document.pk
    document.refresh_from_db()
    assert document.status == "ready"
