"""Documents, collections and search for programs: parse, call one service or query, respond."""

import datetime
import uuid
from typing import Annotated

from django.core.files.storage import default_storage
from django.http import FileResponse, HttpRequest
from ninja import File, Form, Query, Router, Schema, Status, UploadedFile
from pydantic import Field

from accounts.api_auth import caller
from accounts.errors import NotFound
from accounts.streaming import as_they_come
from documents import queries, services
from documents.api.collections import router as collections_router
from documents.api.pictures import router as pictures_router
from documents.api.uploads import router as uploads_router
from documents.errors import failure_message
from documents.models import Document
from documents.retrieval.search import search
from documents.viewer.pictures import has_pictures
from inference.routing.metering import count_query

router = Router(tags=["documents"])
router.add_router("", collections_router)
router.add_router("", pictures_router)
router.add_router("", uploads_router)

RESULTS_MAX = 50
# A file of a gigabyte goes out through so much memory.
DOWNLOAD_PIECE_BYTES = 1 << 20


class DocumentOut(Schema):
    """`status` is queued, extracting, embedding, ready or failed; `progress` goes from 0 to 1."""

    id: uuid.UUID
    name: str
    title: str
    status: str
    progress: float
    eta_seconds: int | None
    pages: int = Field(alias="page_count")
    pages_done: int
    chunks: int = Field(alias="chunk_count")
    size_bytes: int
    media_type: str
    error: str | None
    error_code: str
    created_at: datetime.datetime
    collection: uuid.UUID = Field(alias="collection_id")

    @staticmethod
    def resolve_error(row: Document) -> str | None:
        return failure_message(row.error_code)


class DocumentPage(Schema):
    items: list[DocumentOut]
    next: str | None = Field(description="The `cursor` of the next page; null at the end.")


class QueuedOut(Schema):
    id: uuid.UUID
    status: str


class DocumentName(Schema):
    id: uuid.UUID
    name: str


class DocumentWithPages(DocumentName):
    pages: int


class PageOut(Schema):
    """`text` is what `start` and `end` of a search result count Unicode code points in."""

    document: DocumentWithPages
    page: int
    label: str
    text: str
    has_picture: bool


class SearchIn(Schema):
    query: str = Field(min_length=1, max_length=4000)
    k: int = Field(5, ge=1, le=RESULTS_MAX)
    collections: list[uuid.UUID] | None = None
    documents: list[uuid.UUID] | None = None


class ResultOut(Schema):
    document: DocumentName
    page: int
    text: str
    start: int
    end: int
    score: float


class SearchOut(Schema):
    results: list[ResultOut]


class UrlIn(Schema):
    url: str = Field(max_length=2000)
    collection: uuid.UUID | None = None


@router.post("/documents", response={202: QueuedOut}, summary="Upload a document")
def post_document(
    request: HttpRequest,
    file: File[UploadedFile],
    collection: Form[uuid.UUID | None] = None,
    chat: Form[bool] = False,
) -> Status[Document]:
    """With `chat` the file waits for the message it is sent with, and then belongs to that conversation."""
    document = services.store_upload(
        actor=caller(request), file=file, name=file.name or "", collection_id=collection, is_for_chat=chat
    )
    return Status(202, document)


@router.post("/documents/url", response={202: QueuedOut}, summary="Have a page of the web read")
def post_url(request: HttpRequest, body: UrlIn) -> Status[Document]:
    """The worker fetches it. Redirects are not followed, and addresses of private networks are refused."""
    document = services.add_from_url(actor=caller(request), url=body.url, collection_id=body.collection)
    return Status(202, document)


@router.get("/documents", response=DocumentPage, summary="Your documents, newest first")
def list_documents(
    request: HttpRequest,
    collection: uuid.UUID | None = None,
    query: str = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 40,
    cursor: uuid.UUID | None = None,
) -> dict[str, object]:
    items, following = queries.list_documents(
        actor=caller(request), collection_id=collection, query=query, limit=limit, before=cursor
    )
    return {"items": items, "next": str(following) if following else None}


@router.get("/documents/{document_id}", response=DocumentOut, summary="A document and how far it is")
def read_document(request: HttpRequest, document_id: uuid.UUID) -> Document:
    return queries.find_document(actor=caller(request), document_id=document_id)


@router.delete("/documents/{document_id}", response={204: None}, summary="Delete a document")
def delete_document(request: HttpRequest, document_id: uuid.UUID) -> Status[None]:
    services.delete_document(actor=caller(request), document_id=document_id)
    return Status(204, None)


@router.post("/documents/{document_id}/retry", response={202: QueuedOut}, summary="Try a failed one again")
def retry_document(request: HttpRequest, document_id: uuid.UUID) -> Status[Document]:
    return Status(202, services.retry_document(actor=caller(request), document_id=document_id))


@router.post("/documents/{document_id}/cancel", response={200: DocumentOut}, summary="Stop reading one")
def cancel_document(request: HttpRequest, document_id: uuid.UUID) -> Document:
    return services.cancel_document(actor=caller(request), document_id=document_id)


@router.get("/documents/{document_id}/pages/{number}", response=PageOut, summary="The text of a page")
def read_page(request: HttpRequest, document_id: uuid.UUID, number: int) -> dict[str, object]:
    page = queries.find_page(actor=caller(request), document_id=document_id, number=number)
    document = {"id": document_id, "name": page.document.name, "pages": page.document.page_count}
    return {
        "document": document,
        "page": page.number,
        "label": page.label,
        "text": page.text,
        "has_picture": has_pictures(page.document),
    }


@router.get("/documents/{document_id}/file", summary="The file as it was uploaded")
def download_file(request: HttpRequest, document_id: uuid.UUID) -> FileResponse:
    """Always a download, never shown: an uploaded file must not run as a page of this site."""
    document = queries.find_document(actor=caller(request), document_id=document_id)
    try:
        blob = default_storage.open(document.blob_name, "rb")
    except FileNotFoundError as error:
        raise NotFound from error
    response = FileResponse(
        blob, as_attachment=True, filename=document.name, content_type="application/octet-stream"
    )
    response.streaming_content = as_they_come(blob.chunks(DOWNLOAD_PIECE_BYTES))
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


@router.post("/search", response=SearchOut, summary="The passages that answer a question")
def post_search(request: HttpRequest, body: SearchIn) -> dict[str, object]:
    actor = caller(request)
    count_query(user_id=actor.pk, api_key_id=actor.acting_key_id)
    hits = search(
        user=actor,
        query=body.query,
        k=body.k,
        collections=body.collections,
        documents=body.documents,
    )
    return {
        "results": [
            {
                "document": {"id": hit.document_id, "name": hit.document_name},
                "page": hit.page,
                "text": hit.text,
                "start": hit.start,
                "end": hit.end,
                "score": hit.score,
            }
            for hit in hits
        ]
    }
