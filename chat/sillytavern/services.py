"""A folder that somebody sends through the page: kept in storage until a worker has read it (`reading`)."""

import uuid
from contextlib import closing, suppress
from functools import partial
from typing import Any

from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.errors import InvalidInput
from accounts.models import User
from chat.models import FolderImport
from chat.sillytavern.folder import Folder
from chat.tasks import import_sillytavern

MAX_UPLOAD_BYTES = 512 * 1024 * 1024


def send_folder(*, actor: User, upload: UploadedFile[Any]) -> FolderImport:
    """The import, waiting for a worker. Raises `InvalidInput`."""
    if upload.size is None or upload.size > MAX_UPLOAD_BYTES:
        raise InvalidInput(_("That archive is larger than 512 MB. Leave backgrounds and backups out of it."))
    with suppress(AttributeError):
        upload.seek(0)
    # Refused here, where the person still looks, rather than by the worker.
    with closing(Folder(upload)):
        upload.seek(0)
    row = FolderImport(owner=actor, name=(upload.name or "")[:200])
    # Before the transaction: storing may be a network call.
    row.blob_name = default_storage.save(f"imports/{row.pk.hex}.zip", upload)
    with transaction.atomic():
        row.save()
        transaction.on_commit(partial(_start, row.pk))
    return row


def _start(import_id: uuid.UUID) -> None:
    import_sillytavern.delay(str(import_id))
