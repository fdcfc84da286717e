"""What people do with documents: every write that a person starts is a verb here."""

import hashlib
import logging
import uuid
from functools import partial
from pathlib import PurePath, PureWindowsPath

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.translation import gettext

from accounts import audit
from accounts.errors import InvalidInput, NotAllowed
from accounts.ids import uuid7
from accounts.models import User
from documents import tasks
from documents.errors import DocumentBusy, FileEmpty, FileTooLarge, error_for
from documents.extraction.formats import HEAD_BYTES, TAIL_BYTES, MediaType, Unreadable, detect_media_type
from documents.models import Chunk, Collection, CollectionKind, Document, DocumentStatus, Embedding, Page
from documents.progress import announce
from documents.queries import find_collection, find_document

logger = logging.getLogger(__name__)

NAME_CHARACTERS_MAX = 200


def create_collection(*, actor: User, name: str, kind: CollectionKind = CollectionKind.NAMED) -> Collection:
    """A new, empty collection of the actor's."""
    name = _clean_name(name)
    if not name:
        raise InvalidInput(gettext("A collection needs a name."))
    with transaction.atomic():
        collection = Collection.objects.create(owner=actor, name=name, kind=kind)
        audit.record(actor=actor, verb="create_collection", target=collection)
    return collection


def ensure_library(*, actor: User) -> Collection:
    """The actor's own library, where an upload goes that names no collection; made when first needed."""
    libraries = Collection.objects.filter(owner=actor, kind=CollectionKind.LIBRARY)
    found = libraries.first()
    if found is not None:
        return found
    with transaction.atomic():
        # Of two first uploads at once the second waits here, and finds what the first has made.
        User.objects.select_for_update().get(pk=actor.pk)
        return libraries.first() or create_collection(
            actor=actor, name=gettext("My library"), kind=CollectionKind.LIBRARY
        )


def store_upload(
    *, actor: User, file: File[bytes], name: str, collection: Collection | None = None
) -> Document:
    """The file in storage and its document, queued to be read.

    Raises a `DocumentError` for what can be told from size and first bytes, before anything is stored. The blob
    is written first: a row never names a file that is not there.
    """
    if collection is not None:
        collection = find_collection(actor=actor, collection_id=collection.pk)
    name = _clean_name(name) or gettext("Untitled")
    media_type = _check_file(file, name)
    collection = collection or ensure_library(actor=actor)
    document_id = uuid7()
    digest = _sha256(file)
    blob_name = default_storage.save(f"documents/{document_id.hex}", file)
    try:
        with transaction.atomic():
            document = Document.objects.create(
                pk=document_id,
                collection=collection,
                name=name,
                blob_name=blob_name,
                media_type=media_type,
                size_bytes=file.size,
                sha256=digest,
            )
            audit.record(actor=actor, verb="upload_document", target=document)
            transaction.on_commit(lambda: _start_ingest(document, actor.pk))
    except Exception:
        default_storage.delete(blob_name)
        raise
    return document


def retry_document(*, actor: User, document_id: uuid.UUID) -> Document:
    """A failed document queued once more; `DocumentBusy` if it is not a failed one."""
    document = find_document(actor=actor, document_id=document_id)
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
        document.refresh_from_db()
        transaction.on_commit(lambda: _start_ingest(document, actor.pk))
    return document


def delete_document(*, actor: User, document_id: uuid.UUID) -> None:
    """Remove the document with its pages, chunks, vectors and file, at any moment, also while it is read."""
    _delete_documents([find_document(actor=actor, document_id=document_id)], actor=actor)


def delete_any_document(*, actor: User, document_id: uuid.UUID) -> None:
    """The same for an administrator, whosever it is."""
    if not actor.is_staff:
        raise NotAllowed
    _delete_documents(list(Document.objects.filter(pk=document_id)), actor=actor)


def delete_collection(*, actor: User, collection_id: uuid.UUID) -> None:
    """Remove a collection and every document in it."""
    collection = find_collection(actor=actor, collection_id=collection_id)
    with transaction.atomic():
        _delete_documents(list(collection.documents.all()), actor=actor)
        audit.record(actor=actor, verb="delete_collection", target=collection)
        collection.delete()


def _delete_documents(documents: list[Document], *, actor: User) -> None:
    ids = [document.pk for document in documents]
    with transaction.atomic():
        # The rows first: an ingest at work locks its row to write, so none can add what is being removed.
        list(Document.objects.filter(pk__in=ids).order_by("pk").select_for_update().values_list("pk"))
        Embedding.objects.filter(document_id__in=ids).delete()
        Chunk.objects.filter(document_id__in=ids).delete()
        Page.objects.filter(document_id__in=ids).delete()
        for document in documents:
            audit.record(actor=actor, verb="delete_document", target=document)
            transaction.on_commit(partial(_delete_blob, document.blob_name))
        Document.objects.filter(pk__in=ids).delete()


def _start_ingest(document: Document, owner_id: uuid.UUID) -> None:
    tasks.ingest_next_document.delay()
    announce(document, owner_id)


def _delete_blob(name: str) -> None:
    """At once if storage answers; else a task goes on trying, for the row that named the file is gone."""
    try:
        default_storage.delete(name)
    except Exception:  # noqa: BLE001 - every storage has errors of its own, and the rows are gone already
        logger.warning("blob not deleted yet", extra={"blob": name})
        tasks.delete_blob.delay(name)


def _check_file(file: File[bytes], name: str) -> MediaType:
    if not file.size:
        raise FileEmpty
    if file.size > settings.UPLOAD_MAX_BYTES:
        raise FileTooLarge
    file.seek(0)
    head = file.read(HEAD_BYTES)
    file.seek(max(0, file.size - TAIL_BYTES))
    tail = file.read(TAIL_BYTES)
    file.seek(0)
    try:
        return detect_media_type(head, tail, name)
    except Unreadable as error:
        raise error_for(error.code) from error


def _sha256(file: File[bytes]) -> str:
    digest = hashlib.sha256()
    for part in file.chunks():
        digest.update(part)
    file.seek(0)
    return digest.hexdigest()


def _clean_name(name: str) -> str:
    """The last part of what may be a path of any system, without control characters, bounded in length."""
    last = PurePath(PureWindowsPath(name).name).name
    kept = "".join(letter for letter in last if letter.isprintable()).strip(" .")
    if len(kept) > NAME_CHARACTERS_MAX:
        suffix = PurePath(kept).suffix[:20]
        kept = kept[: NAME_CHARACTERS_MAX - len(suffix)] + suffix
    return kept
