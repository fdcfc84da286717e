"""What people do with documents: every write that a person starts is a verb here."""

import hashlib
import uuid
from collections.abc import Iterable
from functools import partial

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.translation import gettext

from accounts import audit
from accounts.errors import InvalidInput, NotAllowed
from accounts.ids import uuid7
from accounts.models import User
from documents import tasks
from documents.blobs import FOLDER, are_known_bytes, find_same_bytes
from documents.errors import (
    DocumentBusy,
    DocumentDone,
    ReadingStopped,
)
from documents.ingest.contents import remove_contents
from documents.ingest.progress import announce
from documents.intake.checks import check_file, clean_name
from documents.intake.fetching import check_page_url, name_from_url
from documents.models import Collection, CollectionKind, Document, DocumentStatus
from documents.queries import find_manageable_collection, find_writable_collection, find_writable_document
from documents.removal import remove_documents


def create_collection(*, actor: User, name: str, kind: CollectionKind = CollectionKind.NAMED) -> Collection:
    """A new, empty collection of the actor's."""
    name = clean_name(name)
    if not name:
        raise InvalidInput(gettext("A collection needs a name."))
    with transaction.atomic():
        collection = Collection.objects.create(owner=actor, name=name, kind=kind)
        audit.record(actor=actor, verb="create_collection", target=collection)
    return collection


def ensure_library(*, actor: User) -> Collection:
    """The actor's own library, where an upload goes that names no collection; made when first needed."""
    return _ensure(actor, CollectionKind.LIBRARY, gettext("My library"))


def _ensure(actor: User, kind: CollectionKind, name: str) -> Collection:
    """The one collection of its kind that the actor has."""
    own = Collection.objects.filter(owner=actor, kind=kind)
    found = own.first()
    if found is not None:
        return found
    with transaction.atomic():
        # Of two first uploads at once the second waits here, and finds what the first has made.
        User.objects.select_for_update().get(pk=actor.pk)
        return own.first() or create_collection(actor=actor, name=name, kind=kind)


def rename_collection(*, actor: User, collection_id: uuid.UUID, name: str) -> Collection:
    """The collection under another name."""
    name = clean_name(name)
    if not name:
        raise InvalidInput(gettext("A collection needs a name."))
    collection = find_manageable_collection(actor=actor, collection_id=collection_id)
    with transaction.atomic():
        collection.name = name
        collection.save(update_fields=["name"])
        audit.record(actor=actor, verb="rename_collection", target=collection)
    return collection


def ensure_inbox(*, actor: User) -> Collection:
    """Where files wait that were put into a chat's composer and not sent yet; made when first needed."""
    return _ensure(actor, CollectionKind.INBOX, gettext("Waiting for a chat"))


def find_target(
    *, actor: User, collection_id: uuid.UUID | None, is_for_chat: bool = False
) -> Collection | None:
    """Where a file goes that names this collection, or is for a chat; None stands for the library."""
    if collection_id is not None:
        return find_writable_collection(actor=actor, collection_id=collection_id)
    return ensure_inbox(actor=actor) if is_for_chat else None


def file_into_chat(
    *, actor: User, collection: Collection | None, name: str, documents: Iterable[uuid.UUID]
) -> Collection | None:
    """Move those of the documents that wait in the actor's inbox into the chat's own collection.

    `collection` is the chat's, None while it has none: then one of that name is made, but only if a document
    needs it.
    """
    waiting = Document.objects.filter(
        pk__in=list(documents), collection__owner=actor, collection__kind=CollectionKind.INBOX
    )
    with transaction.atomic():
        ids = list(waiting.select_for_update(of=("self",)).values_list("pk", flat=True))
        if not ids:
            return collection
        if collection is None:
            collection = Collection.objects.create(
                owner=actor, name=clean_name(name) or gettext("Chat"), kind=CollectionKind.CHAT
            )
        Document.objects.filter(pk__in=ids).update(collection=collection)
    return collection


def store_upload(
    *,
    actor: User,
    file: File[bytes],
    name: str,
    collection_id: uuid.UUID | None = None,
    is_for_chat: bool = False,
) -> Document:
    """The file in storage and its document, queued to be read; it goes where `find_target` says.

    Raises a `DocumentError` for what can be told from size and first bytes, before anything is stored. Bytes that
    another document has are not stored again. The blob is written first: a row never names a file that is not
    there.
    """
    target = find_target(actor=actor, collection_id=collection_id, is_for_chat=is_for_chat)
    name = clean_name(name) or gettext("Untitled")
    media_type = check_file(file, name)
    collection = target or ensure_library(actor=actor)
    document = Document(
        pk=uuid7(),
        collection=collection,
        uploaded_by=actor,
        name=name,
        media_type=media_type,
        size_bytes=file.size,
        sha256=_sha256(file),
    )
    if not _save_beside_twin(document, actor=actor):
        document.blob_name = default_storage.save(f"{FOLDER}/{document.pk.hex}", file)
        try:
            with transaction.atomic():
                queue_document(document, actor=actor)
        except Exception:
            default_storage.delete(document.blob_name)
            raise
    return document


def _save_beside_twin(document: Document, *, actor: User) -> bool:
    """Whether another document has these bytes already: then the new one names the same blob, and is saved."""
    if not are_known_bytes(sha256=document.sha256, size_bytes=document.size_bytes):
        return False
    with transaction.atomic():
        blob_name = find_same_bytes(sha256=document.sha256, size_bytes=document.size_bytes)
        if blob_name is None:
            return False
        document.blob_name = blob_name
        queue_document(document, actor=actor)
    return True


def add_from_url(*, actor: User, url: str, collection_id: uuid.UUID | None = None) -> Document:
    """A document that the worker fetches from the web, queued. Raises `UrlRefused` for what no page can be."""
    target = find_target(actor=actor, collection_id=collection_id)
    url = check_page_url(url)
    document = Document(
        collection=target or ensure_library(actor=actor),
        uploaded_by=actor,
        name=name_from_url(url),
        source=url,
    )
    with transaction.atomic():
        queue_document(document, actor=actor)
    return document


def retry_document(*, actor: User, document_id: uuid.UUID) -> Document:
    """A failed or stopped document queued once more; `DocumentBusy` if it is neither."""
    document = find_writable_document(actor=actor, document_id=document_id)
    with transaction.atomic():
        is_queued = Document.objects.filter(pk=document.pk, status=DocumentStatus.FAILED).update(
            status=DocumentStatus.QUEUED,
            error_code="",
            progress=0,
            eta_seconds=None,
            attempts=0,
            claim=None,
            claim_expires_at=None,
        )
        if not is_queued:
            raise DocumentBusy
        audit.record(actor=actor, verb="retry_document", target=document)
        document.refresh_from_db(from_queryset=Document.objects.select_related("collection"))
        transaction.on_commit(tasks.call_for_ingest)
        transaction.on_commit(partial(announce, document))
    return document


def cancel_document(*, actor: User, document_id: uuid.UUID) -> Document:
    """Stop reading a document; what was read so far is dropped, the file stays. `DocumentDone` if it is over."""
    document = find_writable_document(actor=actor, document_id=document_id)
    with transaction.atomic():
        is_stopped = (
            Document.objects.unfinished()
            .filter(pk=document.pk)
            .update(
                status=DocumentStatus.FAILED,
                error_code=ReadingStopped.code,
                progress=0,
                eta_seconds=None,
                page_count=0,
                pages_done=0,
                chunk_count=0,
                claim=None,
                claim_expires_at=None,
            )
        )
        if not is_stopped:
            raise DocumentDone
        remove_contents(document.pk)
        audit.record(actor=actor, verb="cancel_document", target=document)
        document.refresh_from_db(from_queryset=Document.objects.select_related("collection"))
        transaction.on_commit(partial(announce, document))
    return document


def delete_document(*, actor: User, document_id: uuid.UUID) -> None:
    """Remove the document with its pages, chunks, vectors and file, at any moment, also while it is read."""
    remove_documents([find_writable_document(actor=actor, document_id=document_id)], actor=actor)


def delete_any_document(*, actor: User, document_id: uuid.UUID) -> None:
    """The same for an administrator, whosever it is."""
    if not actor.is_staff:
        raise NotAllowed
    remove_documents(list(Document.objects.filter(pk=document_id)), actor=actor)


def delete_collection(*, actor: User, collection_id: uuid.UUID) -> None:
    """Remove a collection and every document in it."""
    collection = find_manageable_collection(actor=actor, collection_id=collection_id)
    with transaction.atomic():
        remove_documents(list(collection.documents.all()), actor=actor)
        audit.record(actor=actor, verb="delete_collection", target=collection)
        collection.delete()


def queue_document(document: Document, *, actor: User) -> None:
    """Save a new document and call for somebody to read it; in a transaction."""
    document.save(force_insert=True)
    audit.record(actor=actor, verb="upload_document", target=document)
    transaction.on_commit(tasks.call_for_ingest)


def _sha256(file: File[bytes]) -> str:
    digest = hashlib.sha256()
    for part in file.chunks():
        digest.update(part)
    file.seek(0)
    return digest.hexdigest()
