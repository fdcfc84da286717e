"""Model files for the first-run card and for programs of administrators."""

import uuid
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status

from accounts.api_auth import caller
from accounts.errors import NotAllowed, NotFound
from inference.model_files.services import OFFERS, can_serve_here, cancel_fetch, start_fetch
from inference.models import ModelFile
from inference.queries import has_language_model
from inference.tasks import begin_fetch

router = Router(tags=["models"])


class OfferOut(Schema):
    id: str
    label: str
    about_megabytes: int
    licence: str


class FileOut(Schema):
    id: uuid.UUID
    name: str
    status: str
    received_bytes: int
    size_bytes: int
    error: str


class ModelOffer(Schema):
    """What can be fetched and served here with one click, and how far that is."""

    can_serve: bool
    is_connected: bool
    offers: list[OfferOut]
    file: FileOut | None


class Wanted(Schema):
    id: str


@router.get("/model-offer", response=ModelOffer)
def read_offer(request: HttpRequest) -> dict[str, Any]:
    """The small models on offer, the one that is being fetched, and whether a language model answers yet."""
    if not caller(request).is_staff:
        raise NotAllowed
    newest = ModelFile.objects.filter(is_to_serve=True).exclude(source="").order_by("-touched_at").first()
    return {
        "can_serve": can_serve_here(),
        "is_connected": has_language_model(),
        "offers": OFFERS,
        "file": newest,
    }


@router.post("/model-offer", response={202: FileOut})
def accept_offer(request: HttpRequest, wanted: Wanted) -> Status[ModelFile]:
    """Fetch a model on offer and serve it at once; a second time goes on where the first stopped."""
    offer = next((offer for offer in OFFERS if offer.id == wanted.id), None)
    if offer is None:
        raise NotFound
    row = start_fetch(actor=caller(request), source=offer.source, is_to_serve=True, begin=begin_fetch)
    return Status(202, row)


@router.delete("/model-offer/{file_id}", response={204: None})
def stop_fetching(request: HttpRequest, file_id: uuid.UUID) -> Status[None]:
    """Stop; what is there is kept for the next time."""
    cancel_fetch(actor=caller(request), file_id=file_id)
    return Status(204, None)
