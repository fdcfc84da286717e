"""Documents that go: one by one or by the collection, because somebody said so or because nobody came back for them.

Who may remove what is asked in `documents.services`.
"""

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.models import User
from documents.blobs import remove_orphans
from documents.models import Chunk, CollectionKind, Document, Embedding, Page

# Longer than anybody comes back to a draft after.
UNSENT_KEPT_FOR = timedelta(days=7)
# What one sweep takes on; the next one comes within the hour.
_SWEPT_MAX = 200


def remove_documents(documents: Sequence[Document], *, actor: User | None) -> None:
    """Remove these documents whole; `actor` is None for the house itself."""
    ids = [document.pk for document in documents]
    with transaction.atomic():
        # The rows first: an ingest at work locks its row to write, so none can add what is being removed.
        list(Document.objects.filter(pk__in=ids).order_by("pk").select_for_update().values_list("pk"))
        Embedding.objects.filter(document_id__in=ids).delete()
        Chunk.objects.filter(document_id__in=ids).delete()
        Page.objects.filter(document_id__in=ids).delete()
        for document in documents:
            audit.record(actor=actor, verb="delete_document", target=document)
        Document.objects.filter(pk__in=ids).delete()
        transaction.on_commit(_let_go_of_blobs)


def remove_unsent() -> int:
    """Remove the files that were put into a chat's composer a week ago and never sent; how many went."""
    old = Document.objects.filter(
        collection__kind=CollectionKind.INBOX, created_at__lt=timezone.now() - UNSENT_KEPT_FOR
    )
    with transaction.atomic():
        # One that is being sent just now is held by that, and will not be in the inbox any more.
        unsent = list(old.order_by("pk").select_for_update(of=("self",), skip_locked=True)[:_SWEPT_MAX])
        remove_documents(unsent, actor=None)
    return len(unsent)


def _let_go_of_blobs() -> None:
    """At once if storage answers; what it refuses, the sweep tries again."""
    remove_orphans()
