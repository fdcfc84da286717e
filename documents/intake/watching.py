"""The watched container: its files become documents of one collection, follow their changes, and go when they go.

The container is only read. Each file is known by its name, and by its ETag (on a laptop its size and time), so a
look costs one listing. The worker that looks calls nobody: new documents are taken up by the next sweep.
"""

import logging
import uuid
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.files.storage import Storage, storages
from django.db import transaction

from documents.ingest.contents import remove_contents
from documents.intake.checks import clean_name
from documents.intake.fetching import BLOB_SCHEME
from documents.models import Collection, Document, DocumentStatus
from documents.removal import remove_documents

logger = logging.getLogger(__name__)

# What one look takes on; the next one comes within a minute.
NEW_MAX = 2000
_DEPTH_MAX = 32


def look_at_container() -> int:
    """How many documents are new or have changed."""
    collection = _find_collection()
    if collection is None:
        return 0
    listed = dict(_list_files(storages["watched"]))
    known = {
        source.removeprefix(BLOB_SCHEME): (pk, version)
        for pk, source, version in collection.documents.filter(source__startswith=BLOB_SCHEME).values_list(
            "pk", "source", "source_version"
        )
    }
    changed = 0
    for name, version in listed.items():
        if changed >= NEW_MAX:
            break
        if name not in known:
            _add(collection, name, version)
        elif known[name][1] != version:
            _read_anew(known[name][0], version)
        else:
            continue
        changed += 1
    gone = [pk for name, (pk, _) in known.items() if name not in listed]
    remove_documents(list(Document.objects.filter(pk__in=gone)), actor=None)
    return changed


def _find_collection() -> Collection | None:
    if not settings.WATCHED_CONTAINER:
        return None
    try:
        collection = Collection.objects.filter(pk=uuid.UUID(settings.WATCHED_COLLECTION)).first()
    except ValueError:
        collection = None
    if collection is None:
        logger.warning("WATCHED_COLLECTION names no collection; the container is not read")
    return collection


def _list_files(storage: Storage) -> Iterator[tuple[str, str]]:
    """The name and version of each file, those that begin with a dot left out."""
    container: Any = getattr(storage, "client", None)
    if container is not None:
        for blob in container.list_blobs():
            if not blob.name.rpartition("/")[2].startswith(".") and blob.size:
                yield blob.name, str(blob.etag)
        return
    yield from _walk(storage, "", 0)


def _walk(storage: Storage, folder: str, depth: int) -> Iterator[tuple[str, str]]:
    try:
        folders, files = storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in files:
        path = f"{folder}/{name}".lstrip("/")
        if not name.startswith(".") and storage.size(path):
            yield path, f"{storage.size(path)}-{storage.get_modified_time(path).timestamp()}"
    for name in folders:
        if depth < _DEPTH_MAX:
            yield from _walk(storage, f"{folder}/{name}".lstrip("/"), depth + 1)


def _add(collection: Collection, name: str, version: str) -> None:
    Document.objects.create(
        collection=collection,
        name=clean_name(name) or name[:200],
        source=f"{BLOB_SCHEME}{name}"[:2000],
        source_version=version[:200],
    )


def _read_anew(document_id: uuid.UUID, version: str) -> None:
    with transaction.atomic():
        row = Document.objects.filter(pk=document_id)
        row.select_for_update().first()
        remove_contents(document_id)
        row.update(
            source_version=version[:200],
            blob_name="",
            sha256="",
            status=DocumentStatus.QUEUED,
            error_code="",
            progress=0,
            attempts=0,
            page_count=0,
            pages_done=0,
            chunk_count=0,
            claim=None,
            claim_expires_at=None,
        )
