"""Large files in parts: begin, send part after part, ask how far it is after a break, complete.

A part goes to storage as it comes, so the web process holds no more of a file than one part. What nobody goes on
with is dropped by the sweep (`documents.blobs`).
"""

import uuid

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext

from accounts.errors import InvalidInput, NotFound
from accounts.ids import uuid7
from accounts.models import User
from documents.blobs import FOLDER
from documents.errors import FileEmpty, FileTooLarge, UploadMismatch
from documents.extraction.formats import HEAD_BYTES, TAIL_BYTES
from documents.intake import parts
from documents.intake.checks import check_head, clean_name
from documents.models import Document, Upload
from documents.queries import find_writable_collection
from documents.services import ensure_library, find_target, queue_document

# What a client is asked to send at once, and the most that is taken: a part is in memory while it travels.
PART_BYTES = 8 * 1024 * 1024
PART_BYTES_MAX = 16 * 1024 * 1024
_ZIP = b"PK\x03\x04"


def begin_upload(
    *,
    actor: User,
    name: str,
    size_bytes: int,
    collection_id: uuid.UUID | None = None,
    is_for_chat: bool = False,
) -> Upload:
    """An upload of a file of that size, nothing of it received yet."""
    if size_bytes <= 0:
        raise FileEmpty
    if size_bytes > settings.UPLOAD_MAX_BYTES:
        raise FileTooLarge
    target = find_target(actor=actor, collection_id=collection_id, is_for_chat=is_for_chat)
    upload_id = uuid7()
    return Upload.objects.create(
        pk=upload_id,
        owner=actor,
        collection=target or ensure_library(actor=actor),
        name=clean_name(name) or gettext("Untitled"),
        blob_name=f"{FOLDER}/{upload_id.hex}",
        size_bytes=size_bytes,
    )


def find_upload(*, actor: User, upload_id: uuid.UUID) -> Upload:
    """The upload with how far it is; `NotFound` if it is absent, over, or somebody else's."""
    upload = Upload.objects.visible_to(actor).select_related("collection").filter(pk=upload_id).first()
    if upload is None:
        raise NotFound
    return upload


def receive_part(
    *, actor: User, upload_id: uuid.UUID, offset: int, part: parts.Stream, length: int
) -> Upload:
    """The upload with this part stored. `UploadMismatch` unless the part begins where the last one ended."""
    upload = find_upload(actor=actor, upload_id=upload_id)
    if length > PART_BYTES_MAX:
        raise FileTooLarge(gettext("A part may have 16 MB at most. Send the file in smaller parts."))
    if offset != upload.received_bytes or length <= 0 or offset + length > upload.size_bytes:
        raise UploadMismatch
    written = parts.write_part(upload.blob_name, offset, part, length)
    if written != length:
        raise UploadMismatch
    if offset == 0:
        _refuse_early(upload)
    is_next = Upload.objects.filter(pk=upload.pk, received_bytes=offset)
    if not is_next.update(received_bytes=F("received_bytes") + length, changed_at=timezone.now()):
        raise UploadMismatch
    upload.received_bytes += length
    return upload


def complete_upload(*, actor: User, upload_id: uuid.UUID) -> Document:
    """The document made of all parts, queued. `UploadMismatch` while some are missing."""
    upload = find_upload(actor=actor, upload_id=upload_id)
    if upload.received_bytes != upload.size_bytes:
        raise UploadMismatch(gettext("The file is not whole yet. Ask how far it is and send the rest."))
    collection = find_writable_collection(actor=actor, collection_id=upload.collection_id)
    parts.join_parts(upload.blob_name)
    head = parts.read_range(upload.blob_name, 0, HEAD_BYTES)
    tail = parts.read_range(upload.blob_name, max(0, upload.size_bytes - TAIL_BYTES), TAIL_BYTES)
    document = Document(
        collection=collection,
        uploaded_by=actor,
        name=upload.name,
        blob_name=upload.blob_name,
        media_type=check_head(head, tail, upload.name),
        size_bytes=upload.size_bytes,
    )
    with transaction.atomic():
        if not Upload.objects.filter(pk=upload.pk).delete()[0]:
            raise NotFound
        queue_document(document, actor=actor)
    return document


def cancel_upload(*, actor: User, upload_id: uuid.UUID) -> None:
    """The upload is gone; what was stored of it goes with the next sweep."""
    find_upload(actor=actor, upload_id=upload_id).delete()


def parse_bytes(value: str) -> int:
    """The number in a header that counts bytes."""
    if not value.isdecimal() or len(value) > 18:
        raise InvalidInput(
            gettext("Upload-Offset and Content-Length must say where a part begins and how long it is.")
        )
    return int(value)


def _refuse_early(upload: Upload) -> None:
    """Say at once what can be told from the first bytes. What is in an archive only its end tells."""
    head = parts.read_first(upload.blob_name, HEAD_BYTES)
    if head and not head.startswith(_ZIP):
        check_head(head, head, upload.name)
