"""Two hundred bad files, in by the API and through the ingest: no answer of 5xx, nothing hangs, nobody dies."""

import time

import pytest
from django.test import Client

from documents.errors import failure_message
from documents.ingest.pipeline import ingest_next
from documents.models import Document
from tests.documents.hostile import hostile_files
from tests.openai_server import ScriptedServer

# The slowest takes some seconds of a core, and cores are shared.
FILE_SECONDS_MAX = 60


BOUNDARY = "between-the-parts"


def _form(name: str, data: bytes) -> bytes:
    """As a program would send it that takes no care of names."""
    quoted = name.replace('"', "%22").replace("\r", " ").replace("\n", " ").encode("utf-8", "replace")
    head = b'Content-Disposition: form-data; name="file"; filename="' + quoted + b'"\r\n\r\n'
    boundary = BOUNDARY.encode()
    return b"--" + boundary + b"\r\n" + head + data + b"\r\n--" + boundary + b"--\r\n"


@pytest.fixture(scope="module")
def bad_files() -> list[tuple[str, bytes]]:
    return hostile_files()


# With transactions of its own: the heartbeat looks at the rows from another connection.
@pytest.mark.django_db(transaction=True)
def test_two_hundred_hostile_files_are_refused_or_read_and_harm_nobody(
    program: Client,
    embedder: ScriptedServer,
    bad_files: list[tuple[str, bytes]],
) -> None:
    assert len(bad_files) >= 200
    statuses = []
    for name, data in bad_files:
        response = program.post(
            "/api/v1/documents",
            _form(name, data),
            content_type=f"multipart/form-data; boundary={BOUNDARY}",
        )
        statuses.append(response.status_code)
        assert response.status_code in (202, 413, 415, 422), (name, response.content)
        if response.status_code != 202:
            assert response.json()["error"]["message"]
    assert statuses.count(202) > 100

    while True:
        started = time.monotonic()
        if ingest_next() is None:
            break
        assert time.monotonic() - started < FILE_SECONDS_MAX
    for document in Document.objects.all():
        assert document.status in ("ready", "failed"), (document.name, document.status)
        assert document.claim is None
        assert "/" not in document.name
        assert "\\" not in document.name
        assert document.name.isprintable()
        if document.status == "failed":
            assert failure_message(document.error_code), document.error_code
    assert not any("root:" in text for text in _texts())


def _texts() -> list[str]:
    return [page.text for document in Document.objects.all() for page in document.pages.all()]
