"""What /v1 offers besides chat: the list of models, embeddings, rerank and transcriptions, each answered whole.

A request goes to a model's server as it came, under the server's own name for the model, so that what Parlour does not
know (`dimensions`, `encoding_format`, `prompt`, …) still counts. Access, limits and usage are the house's.
"""

import asyncio
import io
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, ParamSpec, TypeVar

import msgspec
from django.conf import settings
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from django.utils.translation import gettext as _

from accounts.errors import NotFound, ParlourError
from accounts.models import User
from characters.models import Character
from chat.database import in_database
from chat.openai import wire
from inference.asking import forward_json
from inference.models import Capability
from inference.queries import list_models, resolve_model
from inference.rerank import rerank_with
from inference.routing import limits
from inference.services import record_usage
from inference.transcription import forward_transcription
from inference.types import Call, Caller, ModelTarget

P = ParamSpec("P")
T = TypeVar("T")

CHARACTER_PREFIX = "character/"
# They wait for servers, an hour of speech for minutes; the database's threads must not.
_threads = ThreadPoolExecutor(max_workers=16, thread_name_prefix="model-calls")
_TEXT_FORMATS = {"text", "srt", "vtt"}
# What the multipart body needs besides the file.
_ENVELOPE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that has a key; header names are lower case."""

    user: User
    path: str
    headers: Mapping[bytes, bytes]
    body: bytes
    api_key_id: uuid.UUID | None = None

    @property
    def caller(self) -> Caller:
        return Caller(self.user.pk, self.api_key_id)


@dataclass(frozen=True, slots=True)
class Answer:
    body: bytes
    content_type: str = "application/json"


ModelCall = Callable[[Asked], Awaitable[Answer]]


def find_call(method: str, path: str) -> ModelCall | None:
    """What answers this path below /v1/, if anything here does."""
    if method == "GET":
        return _list_models if path == "models" else _show_model if path.startswith("models/") else None
    return _POSTS.get(path) if method == "POST" else None


def largest_body_bytes(path: str) -> int | None:
    """How much may be sent to this path, where that is more than a chat may be."""
    return settings.UPLOAD_MAX_BYTES + _ENVELOPE_BYTES if path == "audio/transcriptions" else None


async def _list_models(asked: Asked) -> Answer:
    return Answer(wire.model_list(await in_database(_models_of, asked.user)))


async def _show_model(asked: Asked) -> Answer:
    name = asked.path.removeprefix("models/")
    found = next((one for one in await in_database(_models_of, asked.user) if one["id"] == name), None)
    if found is None:
        raise NotFound(
            _("There is no model of this name, or it is not yours to use. GET /v1/models lists yours.")
        )
    return Answer(msgspec.json.encode(found))


async def _embed(asked: Asked) -> Answer:
    values = _decode(asked.body)
    if not isinstance(values.get("input"), (str, list)) or not values["input"]:
        raise msgspec.ValidationError(_("`input` is missing: send a text, or a list of texts."))
    name = str(values.get("model") or "") or settings.EMBEDDING_MODEL
    async with _Counted(asked, name, Capability.EMBEDDINGS) as call:
        answer = await _in_thread(forward_json, call.target, "/embeddings", values, needs="data")
        call.prompt_tokens = _tokens_of(answer, "prompt_tokens")
    return Answer(msgspec.json.encode({**answer, "model": call.target.name}))


async def _rerank(asked: Asked) -> Answer:
    request = msgspec.json.decode(asked.body, type=wire.RerankRequest)
    texts = [document if isinstance(document, str) else document.text for document in request.documents]
    async with _Counted(asked, request.model or None, Capability.RERANK) as call:
        scores = await _in_thread(rerank_with, call.target, request.query, texts)
    return Answer(wire.rerank_list(call.target.name, texts, scores, request))


async def _transcribe(asked: Asked) -> Answer:
    fields, name, data = await _in_thread(_read_form, asked)
    model = fields.pop("model", [""])[0]
    if fields.pop("stream", ["false"])[0].lower() == "true":
        raise msgspec.ValidationError(_("Transcriptions come whole: leave `stream` out."))
    async with _Counted(asked, model or None, Capability.TRANSCRIPTION) as call:
        body = await _in_thread(forward_transcription, call.target, name, data, fields)
    is_text = fields.get("response_format", [""])[0] in _TEXT_FORMATS
    return Answer(body, "text/plain; charset=utf-8" if is_text else "application/json")


_POSTS: Mapping[str, ModelCall] = {
    "embeddings": _embed,
    "rerank": _rerank,
    "audio/transcriptions": _transcribe,
}


class _Counted:
    """A call of a model within its caller's limits, and its row of usage however it ends."""

    target: ModelTarget

    def __init__(self, asked: Asked, name: str | None, capability: Capability) -> None:
        self._asked, self._name, self._capability = asked, name, capability
        self.prompt_tokens = 0

    async def __aenter__(self) -> "_Counted":
        self.target = await in_database(
            resolve_model, self._name, capability=self._capability, user=self._asked.user
        )
        await limits.admit(self.target.limits, self._asked.caller)
        self._started_at = time.monotonic()
        return self

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        is_stopped = isinstance(error, asyncio.CancelledError)
        code = (
            error.code if isinstance(error, ParlourError) else "internal" if error and not is_stopped else ""
        )
        await in_database(
            record_usage,
            [
                Call(
                    user_id=self._asked.user.pk,
                    api_key_id=self._asked.api_key_id,
                    model_name=self.target.name,
                    prompt_tokens=self.prompt_tokens,
                    completion_tokens=0,
                    first_token_seconds=None,
                    duration_seconds=time.monotonic() - self._started_at,
                    error_code=code,
                    is_stopped=is_stopped,
                )
            ],
        )


def _models_of(user: User) -> list[dict[str, Any]]:
    models = [
        wire.model_object(model.name, model.capabilities, model.context_tokens) for model in list_models(user)
    ]
    slugs = Character.objects.visible_to(user).values_list("slug", flat=True)
    return models + [wire.model_object(CHARACTER_PREFIX + slug, ("chat",), None) for slug in slugs]


def _read_form(asked: Asked) -> tuple[dict[str, list[str]], str, bytes]:
    """The fields of a multipart body, and its file's name and bytes."""
    meta = {
        "CONTENT_TYPE": asked.headers.get(b"content-type", b"").decode("latin-1"),
        "CONTENT_LENGTH": str(len(asked.body)),
    }
    try:
        parser = MultiPartParser(meta, io.BytesIO(asked.body), [TemporaryFileUploadHandler()])
        values, files = parser.parse()
    except MultiPartParserError:
        raise msgspec.ValidationError(
            _("Send the audio as multipart/form-data, in a field `file`.")
        ) from None
    upload = files.get("file")
    if upload is None:
        raise msgspec.ValidationError(_("The field `file` is missing: send the audio there."))
    with upload:
        data = upload.read()
    return {name: values.getlist(name) for name in values}, upload.name or "audio", data


def _decode(body: bytes) -> dict[str, Any]:
    return msgspec.json.decode(body, type=dict[str, Any])


def _tokens_of(answer: Mapping[str, Any], field: str) -> int:
    usage = answer.get("usage")
    count = usage.get(field) if isinstance(usage, dict) else None
    return count if isinstance(count, int) and count > 0 else 0


async def _in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    return await asyncio.get_running_loop().run_in_executor(_threads, partial(function, *args, **kwargs))
