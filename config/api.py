"""The REST API at /api/v1/: one router per room, errors translated here and nowhere else."""

import math

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import ValidationError
from ninja.security import SessionAuth

from accounts.api import router as accounts_router
from accounts.api_auth import ApiKeyAuth
from accounts.errors import ParlourError
from characters.api import router as characters_router
from characters.cards.api import router as cards_router
from characters.lorebooks.api import router as lorebooks_router
from characters.personas.api import router as personas_router
from chat.api import router as chat_router
from chat.scenes.api import router as scene_router
from documents.api.documents import router as documents_router
from inference.api import router as inference_router

api = NinjaAPI(title="Parlour", version="1", urls_namespace="api", auth=[ApiKeyAuth(), SessionAuth()])
api.add_router("", accounts_router)
# Before the characters' own, whose paths take any word for a short name.
api.add_router("", cards_router)
api.add_router("", characters_router)
api.add_router("", lorebooks_router)
api.add_router("", personas_router)
api.add_router("", chat_router)
api.add_router("", scene_router)
api.add_router("", documents_router)
api.add_router("", inference_router)


@api.exception_handler(ParlourError)
def answer_error(request: HttpRequest, error: ParlourError) -> HttpResponse:
    body = {"error": {"code": error.code, "message": str(error.user_message)}}
    response = api.create_response(request, body, status=error.status)
    if (seconds := error.retry_after_seconds) is not None:
        response["Retry-After"] = str(math.ceil(seconds))
    return response


@api.exception_handler(ValidationError)
def answer_invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Which values do not fit, in the same shape as every other error."""
    places = (".".join(str(part) for part in problem["loc"]) for problem in error.errors)
    fields = "; ".join(
        f"{place}: {problem['msg']}" for place, problem in zip(places, error.errors, strict=True)
    )
    body = {"error": {"code": "invalid", "message": fields}}
    return api.create_response(request, body, status=422)
