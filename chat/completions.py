"""The OpenAI-compatible API at /v1/: models, chat completions, embeddings, for any OpenAI client.

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
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Any

import msgspec
from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope
from django.utils.translation import gettext as _

from accounts.errors import ParlourError
from accounts.models import User
from accounts.services import find_user_by_api_key
from characters.models import Character
from chat import openai_wire as wire
from chat.database import in_database, in_search
from chat.grounding import find_sources, passages_of, scope_of
from chat.openai_wire import Completion, CompletionRequest
from chat.prompt import PromptParts, build_request, estimate_tokens
from chat.queries import find_character
from chat.sign_in import read_headers
from inference.client import stream_chat
from inference.embeddings import current_embedding_model, embed_queries
from inference.queries import list_chat_models, resolve_model
from inference.services import record_usage
from inference.types import ChatRequest, ModelTarget, StreamEvent

logger = logging.getLogger(__name__)

PREFIX = "/v1/"
CHARACTER_PREFIX = "character/"
# Chats with images inside are large; beyond this they are no chats.
BODY_MAX_BYTES = 32 * 1024 * 1024
# Chunks that meet within this time leave in one write: 50 tokens a second still come one by one.
FLUSH_SECONDS = 0.015

Handler = Callable[[User, bytes, ASGIReceiveCallable, ASGISendCallable], Awaitable[None]]


class OpenAIEndpoints:
    """Answers /v1/ and hands everything else on."""

    def __init__(self, application: ASGI3Application) -> None:
        self._application = application
        self._handlers: dict[tuple[str, str], Handler] = {
            ("GET", "models"): _models,
            ("POST", "chat/completions"): _chat_completions,
            ("POST", "embeddings"): _embeddings,
        }

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._application(scope, receive, send)
            return
        try:
            await self._answer(scope, receive, send)
        except ParlourError as error:
            await _send_json(send, error.status, wire.error_body(error))
        except msgspec.MsgspecError as error:
            await _send_json(send, 400, wire.problem(str(error), "invalid_request_error", "invalid"))
        except Exception:
            logger.exception("A request to /v1/ failed unexpectedly")
            sentence = _("Parlour could not answer. Try again; the log says more.")
            await _send_json(send, 500, wire.problem(sentence, "server_error", "internal"))

    async def _answer(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        handler = self._handlers.get((scope["method"], scope["path"].removeprefix(PREFIX).rstrip("/")))
        if handler is None:
            sentence = _(
                "There is nothing at this address. The API has models, chat/completions and embeddings."
            )
            await _send_json(send, 404, wire.problem(sentence, "invalid_request_error", "not_found"))
            return
        scheme, _blank, key = read_headers(scope).get(b"authorization", b"").decode("latin-1").partition(" ")
        user = await in_database(find_user_by_api_key, key.strip()) if scheme.lower() == "bearer" else None
        if user is None:
            sentence = _(
                "The API key is missing or not valid. Make one in the settings and send it as Bearer."
            )
            await _send_json(send, 401, wire.problem(sentence, "invalid_request_error", "invalid_api_key"))
            return
        body = await _read_body(receive)
        if body is None:
            sentence = _("The request is too large. Send less at once.")
            await _send_json(send, 413, wire.problem(sentence, "invalid_request_error", "too_large"))
            return
        await handler(user, body, receive, send)


async def _models(user: User, body: bytes, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    def read() -> list[str]:
        slugs = Character.objects.visible_to(user).values_list("slug", flat=True)
        return [model.name for model in list_chat_models(user)] + [CHARACTER_PREFIX + slug for slug in slugs]

    await _send_json(send, 200, wire.model_list(await in_database(read)))


async def _embeddings(user: User, body: bytes, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    request = msgspec.json.decode(body, type=wire.EmbeddingRequest)
    texts = [request.input] if isinstance(request.input, str) else request.input
    model = await in_database(current_embedding_model)
    vectors = await in_search(embed_queries, texts)
    tokens = sum(estimate_tokens(text) for text in texts)
    body = wire.embedding_list(model.name, vectors, request.encoding_format, tokens=tokens)
    await _send_json(send, 200, body)


async def _chat_completions(
    user: User, body: bytes, receive: ASGIReceiveCallable, send: ASGISendCallable
) -> None:
    request, extra = wire.decode_completion(body)
    target, character = await in_database(_resolve, user, request.model)
    chat_request, completion = await _build(user, request, extra, target, character)
    started_at, error_code, is_stopped = time.monotonic(), "", False
    generation = asyncio.create_task(_generate(target, chat_request, completion, request, send))
    hang_up = asyncio.create_task(_await_disconnect(receive))
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
        await _send_chunk(send, wire.error_event(error) + wire.DONE, is_last=True)
    finally:
        generation.cancel()
        hang_up.cancel()
        await in_database(
            record_usage,
            user_id=user.pk,
            model_name=target.name,
            prompt_tokens=completion.usage.prompt_tokens if completion.usage else 0,
            completion_tokens=completion.usage.completion_tokens if completion.usage else 0,
            first_token_seconds=completion.first_token_at - started_at if completion.first_token_at else None,
            duration_seconds=time.monotonic() - started_at,
            error_code=error_code,
            is_stopped=is_stopped,
        )


def _resolve(user: User, name: str) -> tuple[ModelTarget, Character | None]:
    if not name.startswith(CHARACTER_PREFIX):
        return resolve_model(name, user=user), None
    character = find_character(user=user, slug=name.removeprefix(CHARACTER_PREFIX))
    model = character.model.name if character is not None and character.model else None
    return resolve_model(model, user=user), character


async def _build(
    user: User,
    request: CompletionRequest,
    extra: dict[str, Any],
    target: ModelTarget,
    character: Character | None,
) -> tuple[ChatRequest, Completion]:
    completion = Completion(id=f"chatcmpl-{uuid.uuid4().hex}", model=request.model, created=int(time.time()))
    max_tokens = request.max_completion_tokens or request.max_tokens
    turns = wire.turns_of(request.messages)
    collections = await in_database(_knowledge_of, character)
    scope = scope_of(character, target, collections=collections, documents=())
    if character is None and scope is None:
        # A plain model gets the messages as they came: pictures, tool results and all.
        messages = {"messages": request.messages, **extra}
        plain = ChatRequest(
            turns=turns, max_tokens=max_tokens, temperature=request.temperature, extra=messages
        )
        return plain, completion
    question = next((turn.text for turn in reversed(turns) if turn.role == "user"), "")
    if scope is not None:
        completion.citations = await in_search(find_sources, user, question, scope)
    grounded = build_request(
        PromptParts(
            system_prompt=character.system_prompt if character else "",
            history=turns,
            passages=passages_of(completion.citations) if scope is not None else None,
            context_tokens=target.context_tokens,
            max_tokens=max_tokens or (character.max_tokens if character else None),
            temperature=request.temperature
            if request.temperature is not None
            else (character.temperature if character else None),
        )
    )
    return replace(grounded, extra=extra), completion


def _knowledge_of(character: Character | None) -> tuple[uuid.UUID, ...]:
    return tuple(character.collections.values_list("pk", flat=True)) if character is not None else ()


async def _generate(
    target: ModelTarget,
    chat_request: ChatRequest,
    completion: Completion,
    request: CompletionRequest,
    send: ASGISendCallable,
) -> None:
    async with aclosing(stream_chat(target, chat_request)) as events:
        if request.stream:
            await _stream(events, completion, request.wants_usage, send)
            return
        async for event in events:
            completion.add(event)
    await _send_json(send, 200, completion.whole())


async def _stream(
    events: AsyncGenerator[StreamEvent, None],
    completion: Completion,
    with_usage: bool,
    send: ASGISendCallable,
) -> None:
    """Server-sent events as the model speaks. The response begins with its first event, so that a refusal before
    it still has a status of its own."""
    waiting: list[bytes] = []
    more = asyncio.Event()

    async def flush() -> None:
        while True:
            await more.wait()
            more.clear()
            data = b"".join(waiting)
            waiting.clear()
            await _send_chunk(send, data)
            await asyncio.sleep(FLUSH_SECONDS)

    flushing: asyncio.Task[None] | None = None
    try:
        async for event in events:
            if flushing is None:
                await _begin_stream(send, completion)
                flushing = asyncio.create_task(flush())
            chunk = completion.chunk(event)
            if chunk:
                waiting.append(chunk)
                more.set()
    finally:
        if flushing is not None:
            flushing.cancel()
    await _send_chunk(send, b"".join(waiting) + completion.tail(with_usage), is_last=True)


async def _begin_stream(send: ASGISendCallable, completion: Completion) -> None:
    completion.is_begun = True
    headers = [
        (b"content-type", b"text/event-stream"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers, "trailers": False})
    await _send_chunk(send, completion.opening())


async def _send_chunk(send: ASGISendCallable, data: bytes, *, is_last: bool = False) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": not is_last})


async def _send_json(send: ASGISendCallable, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers, "trailers": False})
    await _send_chunk(send, body, is_last=True)


async def _read_body(receive: ASGIReceiveCallable) -> bytes | None:
    """The request's body, or None when it is too large."""
    parts, size, has_more = [], 0, True
    while has_more:
        message = await receive()
        if message["type"] != "http.request":
            break
        parts.append(message["body"])
        size += len(message["body"])
        if size > BODY_MAX_BYTES:
            return None
        has_more = message["more_body"]
    return b"".join(parts)


async def _await_disconnect(receive: ASGIReceiveCallable) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
