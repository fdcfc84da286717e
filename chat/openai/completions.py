"""The OpenAI-compatible API at /v1/ for any OpenAI client: its door, and chat completions (`model_calls` has the rest).

It is an ASGI application of its own in front of Django's: a stream passes no middleware and no thread. A model is
called by its name, a character as `character/<slug>`. A character, and a model that only quotes, answers from the
caller's documents; its passages come as `citations`, an extension: a list of sources as the chat socket sends them,
in the last chunk of a stream and beside `choices` otherwise. What Parlour does not know (tools, images,
response_format, …) is passed through to the model's server. Nothing said here is stored but its usage.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope
from django.utils.translation import gettext as _

from accounts.errors import ParlourError
from accounts.models import ApiKey, User
from accounts.services import find_api_keys
from characters.models import Character
from chat.database import Batcher, in_database, in_search
from chat.models import Conversation
from chat.openai import wire
from chat.openai.http import (
    await_disconnect,
    read_body,
    send_chunk,
    send_error,
    send_events,
    send_json,
    send_whole,
)
from chat.openai.model_calls import CHARACTER_PREFIX, Asked, find_call, largest_body_bytes
from chat.openai.wire import Completion, CompletionRequest
from chat.prompt import PromptParts, build_request
from chat.prompting.casting import cast
from chat.prompting.grounding import find_sources, passages_of, scope_of
from chat.prompting.questions import stand_alone
from chat.prompting.tokens import calibration
from chat.prompting.voice import Voice, voice_of
from chat.queries import find_character
from chat.sign_in import read_headers
from chat.trials.services import Part, take_part
from inference.client import stream_chat
from inference.errors import ModelCannotSee
from inference.models import Capability
from inference.queries import resolve_model
from inference.routing.limits import admit
from inference.services import record_usage
from inference.types import Call, Caller, ChatRequest, ModelTarget, Turn

logger = logging.getLogger(__name__)

PREFIX = "/v1/"
# Chats with images inside are large; beyond this they are no chats.
BODY_MAX_BYTES = 32 * 1024 * 1024
# Two hundred requests at once are a few turns at the database, not two hundred.
BATCH_MOST = 50
# Answers that end within this time are written down together: alone one costs 4 ms of CPU, as 400 tokens do, and mostly
# while others are being streamed.
USAGE_LINGER_SECONDS = 0.05

Handler = Callable[[ApiKey, bytes, ASGIReceiveCallable, ASGISendCallable], Awaitable[None]]


class OpenAIEndpoints:
    """Answers /v1/ and hands everything else on."""

    def __init__(self, application: ASGI3Application) -> None:
        self._application = application
        self._handlers: dict[tuple[str, str], Handler] = {
            ("POST", "chat/completions"): _chat_completions,
        }

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._application(scope, receive, send)
            return
        try:
            await self._answer(scope, receive, send)
        except ParlourError as error:
            await send_error(send, error)
        except msgspec.MsgspecError as error:
            await send_json(send, 400, wire.problem(str(error), "invalid_request_error", "invalid"))
        except Exception:
            logger.exception("A request to /v1/ failed unexpectedly")
            await send_json(send, 500, _unexpected())

    async def _answer(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        method, path = scope["method"], scope["path"].removeprefix(PREFIX).rstrip("/")
        handler, call = self._handlers.get((method, path)), find_call(method, path)
        if handler is None and call is None:
            sentence = _(
                "There is nothing at this address. The API has models, chat/completions, embeddings, rerank "
                "and audio/transcriptions."
            )
            await send_json(send, 404, wire.problem(sentence, "invalid_request_error", "not_found"))
            return
        scheme, _blank, key = read_headers(scope).get(b"authorization", b"").decode("latin-1").partition(" ")
        row = await _keys.submit(key.strip()) if scheme.lower() == "bearer" else None
        if row is None:
            sentence = _(
                "The API key is missing or not valid. Make one in the settings and send it as Bearer."
            )
            await send_json(send, 401, wire.problem(sentence, "invalid_request_error", "invalid_api_key"))
            return
        body = await read_body(receive, largest_body_bytes(path) or BODY_MAX_BYTES)
        if body is None:
            sentence = _("The request is too large. Send less at once.")
            await send_json(send, 413, wire.problem(sentence, "invalid_request_error", "too_large"))
            return
        if call is not None:
            answer = await call(Asked(row.user, path, read_headers(scope), body, row.pk))
            await send_whole(send, 200, answer.body, answer.content_type)
        elif handler is not None:
            await handler(row, body, receive, send)


def _find_keys(keys: Sequence[str]) -> list[ApiKey | Exception | None]:
    found = find_api_keys(keys)
    return [found.get(key) for key in keys]


_keys: Batcher[str, ApiKey | None] = Batcher(_find_keys, most=BATCH_MOST)


def _unexpected() -> bytes:
    sentence = _("Parlour could not answer. Try again; the log says more.")
    return wire.problem(sentence, "server_error", "internal")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Who wants which model or character."""

    user: User
    name: str


@dataclass(frozen=True, slots=True)
class _Found:
    """What answers."""

    target: ModelTarget
    part: Part | None
    character: Character | None
    collections: tuple[uuid.UUID, ...]


async def _chat_completions(
    key: ApiKey, body: bytes, receive: ASGIReceiveCallable, send: ASGISendCallable
) -> None:
    request, extra = wire.decode_completion(body)
    found = await _targets.submit(_Wanted(key.user, request.model))
    caller = Caller(key.user_id, key.pk)
    if found.target.limits:
        await admit(found.target.limits, caller)
    chat_request, completion = await _build(key.user, request, extra, found, caller)
    started_at, error_code, is_stopped = time.monotonic(), "", False
    generation = asyncio.create_task(_generate(found.target, chat_request, caller, completion, request, send))
    hang_up = asyncio.create_task(await_disconnect(receive))
    try:
        await asyncio.wait({generation, hang_up}, return_when=asyncio.FIRST_COMPLETED)
        if not generation.done():
            is_stopped = True
            generation.cancel()
        with suppress(asyncio.CancelledError):
            await generation
    except ParlourError as error:
        error_code = error.code
        if not completion.is_begun:
            raise
        await send_chunk(send, wire.error_event(error) + wire.DONE, is_last=True)
    except Exception:
        error_code = "internal"
        if not completion.is_begun:
            raise
        logger.exception("A stream of /v1/ broke unexpectedly")
        await send_chunk(send, wire.event(_unexpected()) + wire.DONE, is_last=True)
    finally:
        generation.cancel()
        hang_up.cancel()
        first_token_seconds = completion.first_token_at - started_at if completion.first_token_at else None
        usage = completion.usage
        call = Call(
            user_id=key.user_id,
            api_key_id=key.pk,
            model_name=found.target.name,
            prompt_tokens=usage.prompt_tokens if usage else 0,
            completion_tokens=usage.completion_tokens if usage else 0,
            first_token_seconds=first_token_seconds,
            duration_seconds=time.monotonic() - started_at,
            error_code=error_code,
            is_stopped=is_stopped,
            is_cached=usage is not None and usage.is_cached,
            trial_id=found.part.trial_id if found.part else None,
            arm=found.part.arm if found.part else "",
        )
        await _usages.submit(call)


def _find_targets(wanted: Sequence[_Wanted]) -> list[_Found | Exception]:
    """What answers each; one that is refused leaves the others alone."""
    outcomes: list[_Found | Exception] = []
    for one in wanted:
        try:
            outcomes.append(_find_target(one.user, one.name))
        except ParlourError as error:
            outcomes.append(error)
    return outcomes


def _find_target(user: User, name: str) -> _Found:
    if not name.startswith(CHARACTER_PREFIX):
        target, part = take_part(resolve_model(name, user=user), user=user)
        return _Found(target, part, None, ())
    character = find_character(user=user, slug=name.removeprefix(CHARACTER_PREFIX))
    model = character.model.name if character is not None and character.model else None
    target = resolve_model(model, user=user)
    target, part = take_part(target, user=user, character_id=character.pk if character else None)
    collections = character.collections.values_list("pk", flat=True) if character is not None else ()
    return _Found(target, part, character, tuple(collections))


def _record(calls: Sequence[Call]) -> list[Exception | None]:
    record_usage(calls)
    return [None] * len(calls)


_targets: Batcher[_Wanted, _Found] = Batcher(_find_targets, most=BATCH_MOST)
_usages: Batcher[Call, None] = Batcher(_record, most=BATCH_MOST, linger_seconds=USAGE_LINGER_SECONDS)


async def _build(
    user: User, request: CompletionRequest, extra: dict[str, Any], found: _Found, caller: Caller
) -> tuple[ChatRequest, Completion]:
    character = found.character
    completion = Completion(id=f"chatcmpl-{uuid.uuid4().hex}", model=request.model, created=int(time.time()))
    max_tokens = request.max_completion_tokens or request.max_tokens
    scope = scope_of(character, found.target, collections=found.collections, documents=())
    if character is None and scope is None:
        # A plain model gets the messages as they came: pictures, tool results and all.
        messages = {"messages": request.messages, **extra}
        texts = wire.texts_of(request.messages)
        plain = ChatRequest(
            turns=texts, max_tokens=max_tokens, temperature=request.temperature, extra=messages
        )
        return plain, completion
    turns = wire.turns_of(request.messages)
    if any(turn.pictures for turn in turns) and Capability.VISION not in found.target.capabilities:
        raise ModelCannotSee(found.target.name)
    question = next((turn.text for turn in reversed(turns) if turn.role == "user" and turn.text), "")
    if scope is not None:
        question = await stand_alone(question, turns, found.target, caller)
        completion.citations = await in_search(find_sources, user, question, scope)
    voice = None
    if character is not None and character.has_lore:
        voice = await in_database(_voice, user, character, turns, found.target)
    elif character is not None:
        voice = voice_of(character, user_name=user.name)
    grounded = build_request(
        PromptParts(
            system_prompt="",
            history=turns,
            passages=passages_of(completion.citations) if scope is not None else None,
            context_tokens=calibration.room(found.target),
            max_tokens=max_tokens or (character.max_tokens if character else None),
            temperature=request.temperature
            if request.temperature is not None
            else (character.temperature if character else None),
            voice=voice,
        )
    )
    return replace(grounded, extra={**grounded.extra, **extra}), completion


def _voice(user: User, character: Character, turns: tuple[Turn, ...], target: ModelTarget) -> Voice:
    """All that the character's card and lorebooks say to a chat that is no conversation of ours."""
    return cast(
        conversation=Conversation(owner=user),
        character=character,
        user=user,
        history=turns,
        group=None,
        parent_id=None,
        context_tokens=target.context_tokens,
    ).voice


async def _generate(
    target: ModelTarget,
    chat_request: ChatRequest,
    caller: Caller,
    completion: Completion,
    request: CompletionRequest,
    send: ASGISendCallable,
) -> None:
    async with aclosing(stream_chat(target, chat_request, caller=caller)) as events:
        if request.stream:
            await send_events(events, completion, send, with_usage=request.wants_usage)
            return
        async for event in events:
            completion.add(event)
    await send_json(send, 200, completion.whole())
