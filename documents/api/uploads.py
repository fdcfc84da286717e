"""Large files in parts, for programs and for the page (docs/documents.md has the protocol)."""

import uuid

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema, Status
from pydantic import Field

from accounts.api_auth import caller
from documents.intake import uploads
from documents.models import Document, Upload

router = Router(tags=["uploads"])


class UploadIn(Schema):
    """With `chat` the file waits for the message it is sent with."""

    name: str = Field(max_length=1000)
    size_bytes: int
    collection: uuid.UUID | None = None
    chat: bool = False


class UploadOut(Schema):
    """`offset` is where the next part begins; a part has `part_bytes`, the last one what is left."""

    id: uuid.UUID
    name: str
    size_bytes: int
    offset: int = Field(alias="received_bytes")
    part_bytes: int = uploads.PART_BYTES


class QueuedOut(Schema):
    id: uuid.UUID
    status: str


@router.post("/uploads", response={201: UploadOut}, summary="Begin an upload in parts")
def post_upload(request: HttpRequest, body: UploadIn) -> Status[Upload]:
    upload = uploads.begin_upload(
        actor=caller(request),
        name=body.name,
        size_bytes=body.size_bytes,
        collection_id=body.collection,
        is_for_chat=body.chat,
    )
    return Status(201, upload)


@router.api_operation(
    ["GET", "HEAD"], "/uploads/{upload_id}", response=UploadOut, summary="How far an upload is"
)
def read_upload(request: HttpRequest, response: HttpResponse, upload_id: uuid.UUID) -> Upload:
    """HEAD tells it in `Upload-Offset` and `Upload-Length`."""
    return _told(response, uploads.find_upload(actor=caller(request), upload_id=upload_id))


@router.put("/uploads/{upload_id}", response=UploadOut, summary="Send the next part")
def put_part(request: HttpRequest, response: HttpResponse, upload_id: uuid.UUID) -> Upload:
    """The body is the part as it is; `Upload-Offset` says at which byte it begins."""
    upload = uploads.receive_part(
        actor=caller(request),
        upload_id=upload_id,
        offset=uploads.parse_bytes(request.headers.get("Upload-Offset", "")),
        part=request,
        length=uploads.parse_bytes(request.headers.get("Content-Length", "")),
    )
    return _told(response, upload)


@router.post("/uploads/{upload_id}/complete", response={202: QueuedOut}, summary="All parts are there")
def complete_upload(request: HttpRequest, upload_id: uuid.UUID) -> Status[Document]:
    return Status(202, uploads.complete_upload(actor=caller(request), upload_id=upload_id))


@router.delete("/uploads/{upload_id}", response={204: None}, summary="Give an upload up")
def delete_upload(request: HttpRequest, upload_id: uuid.UUID) -> Status[None]:
    uploads.cancel_upload(actor=caller(request), upload_id=upload_id)
    return Status(204, None)


def _told(response: HttpResponse, upload: Upload) -> Upload:
    response["Upload-Offset"] = str(upload.received_bytes)
    response["Upload-Length"] = str(upload.size_bytes)
    return upload
