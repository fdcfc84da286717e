"""The administration of documents: everything can be looked at, and deleting is whole."""

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import User
from documents.models import Chunk, Document, Embedding, Page
from tests.documents import files
from tests.documents.conftest import Upload


@pytest.fixture
def office(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("office@example.org"))
    return client


def test_administrator_sees_documents_collections_and_spaces(office: Client, ingest: Upload) -> None:
    document = ingest("\n\n".join(files.SENTENCES).encode(), "harbour.txt")
    failed = ingest(files.make_pdf([[]]), "scan.pdf")
    for model in ("document", "collection", "vectorspace"):
        assert office.get(reverse(f"admin:documents_{model}_changelist")).status_code == 200
    page = office.get(reverse("admin:documents_document_change", args=[document.pk]))
    assert "harbour.txt" in page.text
    page = office.get(reverse("admin:documents_document_change", args=[failed.pk]))
    assert "No text was found" in page.text
    assert office.get(reverse("admin:documents_document_add")).status_code == 403


def test_administrator_deletes_documents_and_rows_vectors_and_files_are_gone(
    office: Client, ingest: Upload, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    document = ingest("\n\n".join(files.SENTENCES).encode())
    with django_capture_on_commit_callbacks(execute=True):
        office.post(
            reverse("admin:documents_document_changelist"),
            {"action": "delete_documents", "_selected_action": [str(document.pk)]},
        )
    for rows in (Document, Page, Chunk, Embedding):
        assert not rows.objects.exists()
    assert not default_storage.exists(document.blob_name)
