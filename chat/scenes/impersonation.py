"""The person's next words, written by the model for the composer. Nothing is stored but its usage.

The answer is JSON lines (`chat.json_lines`).
"""

import uuid

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.api_auth import ApiKeyAuth
from accounts.errors import NotAllowed, NotFound, ParlourError
from accounts.models import User
from chat.contexts import load_group, load_history
from chat.database import in_database
from chat.json_lines import answer, refusal
from chat.models import Conversation
from chat.prompt import PromptParts, build_request
from chat.prompting.casting import cast
from inference.queries import resolve_model
from inference.routing.limits import admit
from inference.types import Caller, ChatRequest, ModelTarget

LONGEST_TOKENS = 400


@require_POST
async def stream(request: HttpRequest, conversation_id: uuid.UUID) -> HttpResponseBase:
    """The words as the model writes them."""
    try:
        user = await request.auser()
        if not isinstance(user, User):
            raise NotAllowed
        return await _answer(user, conversation_id)
    except ParlourError as error:
        return refusal(error)


@csrf_exempt
@require_POST
async def stream_for_program(request: HttpRequest, conversation_id: uuid.UUID) -> HttpResponseBase:
    """The same for an API key; a browser's cookie counts for nothing here."""
    try:
        user = await in_database(_find_user, request)
        if user is None:
            raise NotAllowed
        return await _answer(user, conversation_id)
    except ParlourError as error:
        return refusal(error)


def _find_user(request: HttpRequest) -> User | None:
    user = ApiKeyAuth()(request)
    return user if isinstance(user, User) else None


async def _answer(user: User, conversation_id: uuid.UUID) -> HttpResponseBase:
    target, asked = await in_database(_prepare, user, conversation_id)
    caller = Caller(user.pk, user.acting_key_id)
    if target.limits:
        await admit(target.limits, caller)
    return answer(target, asked, caller)


def _prepare(user: User, conversation_id: uuid.UUID) -> tuple[ModelTarget, ChatRequest]:
    conversation = (
        Conversation.objects.visible_to(user)
        .select_related("character__model", "model")
        .filter(pk=conversation_id)
        .first()
    )
    if conversation is None:
        raise NotFound
    character = conversation.speaker
    model = conversation.model or (character.model if character is not None else None)
    target = resolve_model(model.name if model is not None else None, user=user)
    casting = cast(
        conversation=conversation,
        character=character,
        user=user,
        history=load_history(conversation.current_message_id),
        group=load_group(conversation),
        parent_id=conversation.current_message_id,
        context_tokens=target.context_tokens,
    )
    parts = PromptParts(
        system_prompt="",
        history=casting.history,
        passages=None,
        context_tokens=target.context_tokens,
        max_tokens=LONGEST_TOKENS,
        temperature=character.temperature if character is not None else None,
        voice=casting.voice,
        is_impersonation=True,
    )
    return target, build_request(parts)
