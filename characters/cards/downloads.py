"""Cards as answers to a browser or a program."""

from typing import Literal

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from accounts.models import User
from accounts.streaming import as_they_come
from characters.cards.services import export_charx, export_json, export_png
from characters.cards.writing import CardVersion
from characters.queries import find_character

CardKind = Literal["png", "json", "charx"]


def download_card(*, actor: User, slug: str, kind: CardKind, version: CardVersion = "v3") -> HttpResponseBase:
    """The character's card as a file. Raises what the exports raise, and that before the first byte."""
    key = find_character(user=actor, slug=slug).pk
    response: HttpResponseBase
    match kind:
        case "png":
            response = HttpResponse(export_png(actor=actor, character_id=key), content_type="image/png")
        case "json":
            body = export_json(actor=actor, character_id=key, version=version)
            response = HttpResponse(body, content_type="application/json")
        case "charx":
            pieces = export_charx(actor=actor, character_id=key)
            response = StreamingHttpResponse(as_they_come(pieces), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{slug}.{kind}"'
    response["Cache-Control"] = "private, no-store"
    return response
