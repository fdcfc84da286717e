"""The chat page: one shell for a new chat and for every conversation; the elements on it do the rest."""

import uuid

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie

from accounts.models import User
from characters.api import CharacterOut
from characters.queries import list_characters
from inference.queries import has_language_model, list_chat_models


@login_required
@ensure_csrf_cookie
def show_chat(request: HttpRequest, conversation_id: uuid.UUID | None = None) -> HttpResponse:
    """The page, with whom one can talk to in it. Whether the conversation exists is for the page to find out:
    the shell is the same."""
    assert isinstance(request.user, User)
    cast = list_characters(user=request.user)
    bootstrap = {
        "cast": [CharacterOut.from_orm(character).model_dump(mode="json") for character in cast],
        "models": [
            {"name": model.name, "label": model.label or model.name, "is_default": model.is_default}
            for model in list_chat_models()
        ],
    }
    context = {
        "bootstrap": bootstrap,
        "conversation_id": conversation_id,
        "has_language_model": has_language_model(),
    }
    return render(request, "chat/page.html", context)
