"""Pages as they look, for the viewer: the picture, and where a passage stands on it."""

import uuid
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from ninja import Query, Router, Schema

from accounts.api_auth import caller
from documents import queries
from documents.extraction.picture import WIDTH_MAX
from documents.viewer.pictures import WIDTH, picture_of

router = Router(tags=["documents"])

# A page of a stored file never changes; who may see it may, so nobody but the reader's browser keeps it.
KEEP = "private, max-age=3600"


class MarksOut(Schema):
    """`marks` are left, top, width and height as shares of the picture's width and height."""

    width: int
    height: int
    marks: list[tuple[float, float, float, float]]


@router.get(
    "/documents/{document_id}/pages/{number}/marks", response=MarksOut, summary="A passage's place on a page"
)
def read_marks(
    request: HttpRequest,
    document_id: uuid.UUID,
    number: int,
    start: Annotated[int | None, Query(ge=0)] = None,
    end: Annotated[int | None, Query(ge=0)] = None,
) -> dict[str, object]:
    page = queries.find_page(actor=caller(request), document_id=document_id, number=number)
    answer = picture_of(page, start=start, end=end).answer
    return {"width": answer.pixels[0], "height": answer.pixels[1], "marks": answer.marks}


@router.get("/documents/{document_id}/pages/{number}/picture", summary="A page of a PDF as a picture")
def read_picture(
    request: HttpRequest,
    document_id: uuid.UUID,
    number: int,
    width: Annotated[int, Query(ge=200, le=WIDTH_MAX)] = WIDTH,
) -> HttpResponse:
    """WebP. 422 `page_picture_missing` for a document that has no pages to see."""
    page = queries.find_page(actor=caller(request), document_id=document_id, number=number)
    etag = f'"{page.document.sha256[:32]}-{number}-{width}"'
    unchanged = get_conditional_response(request, etag=etag)
    if unchanged is not None and unchanged.status_code == 304:
        return unchanged
    response = HttpResponse(
        picture_of(page, start=None, end=None, width=width).image, content_type="image/webp"
    )
    response["ETag"] = etag
    response["Cache-Control"] = KEEP
    response["X-Content-Type-Options"] = "nosniff"
    return response
