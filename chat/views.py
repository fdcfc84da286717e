"""The chat page: one shell for a new chat and for every conversation; the elements on it do the rest."""

import uuid

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie

from accounts.models import User
from characters.api import CharacterOut
from characters.gallery.queries import list_cast
from characters.models import Persona
from characters.personas.api import PersonaOut
from chat.prompting.macros import fill
from chat.prompting.voice import NAMELESS, greetings_of, names_of
from inference.model_files.services import offers_for
from inference.queries import has_language_model, list_chat_models

# What fits on a first screen and in a menu; the gallery has everybody.
CAST_SIZE = 24
# In greetings the page puts in who the person is.
USER = "{{user}}"


@login_required
@ensure_csrf_cookie
def show_chat(request: HttpRequest, conversation_id: uuid.UUID | None = None) -> HttpResponse:
    """The page, with whom one can talk to in it. Whether the conversation exists is for the page to find out:
    the shell is the same."""
    assert isinstance(request.user, User)
    wanted = request.GET.get("character", "")[:80]
    cast = list_cast(user=request.user, most=CAST_SIZE, wanted=wanted)
    bootstrap = {
        "cast": [
            {
                **CharacterOut.from_orm(character).model_dump(mode="json"),
                "greetings": [fill(text, names_of(character, USER)) for text in greetings_of(character)],
            }
            for character in cast
        ],
        "personas": [
            PersonaOut.from_orm(persona).model_dump(mode="json")
            for persona in Persona.objects.visible_to(request.user)
        ],
        "user_name": request.user.name or NAMELESS,
        "models": [
            {"name": model.name, "label": model.label or model.name, "is_default": model.is_default}
            for model in list_chat_models(request.user)
        ],
    }
    context = {
        "bootstrap": bootstrap,
        "conversation_id": conversation_id,
        "has_language_model": has_language_model(),
        "model_offers": offers_for(request.user),
    }
    return render(request, "chat/page.html", context)
