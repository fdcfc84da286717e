"""Cards over REST: a file in makes a character, a character out makes a file."""

from typing import Literal

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja import File, Router, Status, UploadedFile

from accounts.api_auth import caller
from characters.api import CharacterOut
from characters.cards.downloads import download_card
from characters.cards.reading import read_card_file
from characters.cards.services import import_card
from characters.models import Character

router = Router(tags=["characters"])


@router.post("/characters/import", response={201: CharacterOut}, summary="A character from a card")
def post_card(request: HttpRequest, file: File[UploadedFile]) -> Status[Character]:
    """A PNG, JSON or CHARX file of Character Card V1, V2 or V3. The character is seen by you only."""
    assert file.file is not None
    return Status(201, import_card(actor=caller(request), card=read_card_file(file.file)))


@router.get("/characters/{slug}/card.json", summary="A character of yours as a card")
def get_card(request: HttpRequest, slug: str, spec: Literal["v2", "v3"] = "v3") -> HttpResponseBase:
    return download_card(actor=caller(request), slug=slug, kind="json", version=spec)


@router.get("/characters/{slug}/card.png", summary="A character of yours as a picture with its card inside")
def get_picture_card(request: HttpRequest, slug: str) -> HttpResponseBase:
    return download_card(actor=caller(request), slug=slug, kind="png")


@router.get("/characters/{slug}/card.charx", summary="A character of yours with all its files")
def get_archive_card(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Up to 200 MB of files, streamed from storage."""
    return download_card(actor=caller(request), slug=slug, kind="charx")
