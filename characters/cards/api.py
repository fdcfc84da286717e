"""Cards over REST: a file in makes a character, a character out makes a file."""

from typing import Literal

from django.http import HttpRequest, HttpResponse
from ninja import File, Router, Status, UploadedFile

from accounts.api_auth import caller
from characters.api import CharacterOut
from characters.cards.reading import MAX_BYTES, read_card
from characters.cards.services import export_json, export_png, import_card
from characters.models import Character
from characters.queries import find_character

router = Router(tags=["characters"])


@router.post("/characters/import", response={201: CharacterOut}, summary="A character from a card")
def post_card(request: HttpRequest, file: File[UploadedFile]) -> Status[Character]:
    """A PNG, JSON or CHARX file of Character Card V1, V2 or V3. The character is seen by you only."""
    # One byte more than allowed is enough to refuse.
    return Status(201, import_card(actor=caller(request), card=read_card(file.read(MAX_BYTES + 1))))


@router.get("/characters/{slug}/card.json", summary="A character of yours as a card")
def get_card(request: HttpRequest, slug: str, spec: Literal["v2", "v3"] = "v3") -> HttpResponse:
    row = find_character(user=caller(request), slug=slug)
    body = export_json(actor=caller(request), character_id=row.pk, version=spec)
    return _file(body, "application/json", f"{slug}.json")


@router.get("/characters/{slug}/card.png", summary="A character of yours as a picture with its card inside")
def get_picture_card(request: HttpRequest, slug: str) -> HttpResponse:
    row = find_character(user=caller(request), slug=slug)
    return _file(export_png(actor=caller(request), character_id=row.pk), "image/png", f"{slug}.png")


def _file(body: bytes, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(body, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    return response
