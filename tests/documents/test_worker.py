"""A real Celery worker, killed as by a power cut while it embeds: every document ends ready, no chunk twice."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.db import connection

from accounts.models import User
from documents.models import Chunk, Document
from documents.services import store_upload
from documents.tasks import wake_ingest
from tests.documents.conftest import register_embeddings
from tests.documents.test_ingest import LONG_TEXT, assert_whole
from tests.processes import start_worker, stopped_at_end

# The real model needs tens of milliseconds for a chunk, so there is a middle to be killed in.
WAIT_SECONDS = 240


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


@pytest.mark.django_db(transaction=True)
def test_worker_is_killed_in_mid_ingest_and_every_document_ends_ready(
    embedding_server: str, tmp_path: Path
) -> None:
    register_embeddings(embedding_server, "all-MiniLM-L6-v2", 384)
    owner = User.objects.create_user("ada@example.org")
    worker = start_worker(tmp_path)
    with stopped_at_end(worker):
        documents = [
            store_upload(actor=owner, file=ContentFile(LONG_TEXT * length), name=f"{length}.txt")
            for length in (5, 1, 1)
        ]
        wait_for(
            lambda: Document.objects.filter(status="embedding", progress__gt=0.15).exists(),
            "no document is being embedded",
        )
        worker.kill()
    assert Document.objects.unfinished().exists()

    successor = start_worker(tmp_path)
    with stopped_at_end(successor):

        def sweep_and_look() -> bool:
            # What beat does every ten seconds.
            if not Document.objects.unfinished().exists():
                return True
            wake_ingest()
            time.sleep(1)
            return False

        wait_for(sweep_and_look, successor.log_text[-3000:])
    for document in documents:
        assert_whole(document)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), count(DISTINCT (document_id, page, start)) FROM documents_chunk")
        count, distinct = cursor.fetchone()
    assert count == distinct == Chunk.objects.count()
