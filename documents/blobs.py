"""Files in storage: one for all documents of the same bytes, and none that no document names.

A trigger notes each blob that lost a document (`OrphanBlob`); here it is removed unless another document still
names it. A document that takes over another one's blob holds that one's row meanwhile, so the last document of a
blob cannot go unnoticed in between.
"""

import hashlib
import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.utils import timezone

from documents.errors import FileDamaged
from documents.models import Document, OrphanBlob, Upload

logger = logging.getLogger(__name__)

FOLDER = "documents"
# A laptop closed over night goes on in the morning.
UPLOADS_KEPT_FOR = timedelta(days=1)
_PART_BYTES = 1024 * 1024
_KNOWN_BYTES = "SELECT EXISTS (SELECT 1 FROM documents_document WHERE sha256 = %s AND size_bytes = %s)"
# As many as a sweep takes on at once; the next one comes soon.
_SWEEP_BLOBS_MAX = 1000


def are_known_bytes(*, sha256: str, size_bytes: int) -> bool:
    """Whether a document has these bytes. In words of our own: every upload asks, and Django's took a tenth of it."""
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN_BYTES, [sha256, size_bytes])
        return bool(cursor.fetchone()[0])


def find_same_bytes(*, sha256: str, size_bytes: int, but: UUID | None = None) -> str | None:
    """The blob of a document with these bytes, None if there is none.

    Call it in the transaction that names the blob: until its end that document cannot be deleted.
    """
    same = Document.objects.filter(sha256=sha256, size_bytes=size_bytes).exclude(blob_name="")
    if but is not None:
        same = same.exclude(pk=but)
    row = same.order_by("pk").select_for_update(no_key=True).values_list("blob_name", flat=True).first()
    return str(row) if row else None


@contextmanager
def local_copy(blob_name: str) -> Iterator[Path]:
    """The blob as a file of this machine: the file itself where storage is a folder, else a copy, gone at the end."""
    try:
        path = Path(default_storage.path(blob_name))
    except NotImplementedError:
        path = None
    if path is not None:
        if not path.is_file():
            raise FileDamaged
        yield path
        return
    with tempfile.NamedTemporaryFile(prefix="parlour-document-") as local:
        try:
            with default_storage.open(blob_name, "rb") as blob:
                shutil.copyfileobj(blob, local, _PART_BYTES)
        except FileNotFoundError as error:
            raise FileDamaged from error
        local.flush()
        yield Path(local.name)


def digest_file(path: Path) -> str:
    """The SHA-256 of a file, read in parts."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def drop_stale_uploads() -> int:
    """Forget the uploads that nobody has gone on with for a day; how many."""
    return Upload.objects.filter(changed_at__lt=timezone.now() - UPLOADS_KEPT_FOR).delete()[0]


def remove_orphans() -> int:
    """Remove the files that nothing names any more; how many went. What storage refuses is tried again later."""
    removed = 0
    for name, since in OrphanBlob.objects.order_by("since").values_list("name", "since")[:_SWEEP_BLOBS_MAX]:
        with transaction.atomic():
            row = OrphanBlob.objects.filter(name=name).select_for_update(skip_locked=True).first()
            if row is None:
                continue
            is_named = (
                Document.objects.filter(blob_name=name).exists()
                or Upload.objects.filter(blob_name=name).exists()
            )
            if is_named:
                row.delete()
                continue
        try:
            default_storage.delete(name)
        except Exception:  # noqa: BLE001 - every storage has errors of its own, and the row stays for the next sweep
            logger.warning("blob not deleted yet", extra={"blob": name})
            continue
        OrphanBlob.objects.filter(name=name, since=since).delete()
        removed += 1
    return removed
