"""What a server is and which models it has, asked over its own API. Reads only; `services` writes it down.

What each kind answers: Ollama `GET /api/version` and `owned_by: library`; vLLM `GET /version` and `owned_by: vllm`
with `max_model_len`; llama.cpp `GET /props` and `owned_by: llamacpp`; TGI `GET /info`. Azure OpenAI lists what
could be deployed rather than what is, so its deployments have to be named.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from urllib.parse import urlsplit

import msgspec

from inference.addresses import check_server_url
from inference.errors import AnswerGarbled, ServerError
from inference.http import Place, call, place
from inference.models import Capability, ServerKind

ANSWER_SECONDS = 10.0
# As long as the column that keeps it.
LONGEST_NAME = 200
AZURE_HOSTS = (".openai.azure.com", ".services.ai.azure.com", ".cognitiveservices.azure.com")

_OWNERS: Mapping[str, ServerKind] = MappingProxyType(
    {"vllm": ServerKind.VLLM, "llamacpp": ServerKind.LLAMACPP, "library": ServerKind.OLLAMA}
)
# A path only one kind answers, and a field of that answer.
_MARKS = (
    ("/api/version", "version", ServerKind.OLLAMA),
    ("/props", "default_generation_settings", ServerKind.LLAMACPP),
    ("/info", "model_id", ServerKind.TGI),
    ("/version", "version", ServerKind.VLLM),
)
# OpenAI's API does not say what a model is for; its name does.
_PURPOSES: tuple[tuple[re.Pattern[str], Capability | None], ...] = (
    (re.compile(r"rerank", re.I), Capability.RERANK),
    (re.compile(r"embed|minilm|\b(bge|gte|e5)-", re.I), Capability.EMBEDDINGS),
    (re.compile(r"whisper|transcribe", re.I), Capability.TRANSCRIPTION),
    (re.compile(r"dall-e|\btts\b|gpt-image|sora|moderation|realtime|davinci|babbage|audio", re.I), None),
)


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model as its server describes it; None where the server does not say."""

    remote_name: str
    capability: Capability
    context_tokens: int | None = None
    dimensions: int | None = None


@dataclass(frozen=True, slots=True)
class ServerReport:
    """What a server said about itself."""

    kind: ServerKind
    models: tuple[FoundModel, ...]


class _Listed(msgspec.Struct):
    id: str
    owned_by: str | None = None
    max_model_len: int | None = None
    dimensions: int | None = None


class _ModelList(msgspec.Struct):
    # Ollama without any model has sent null.
    data: list[_Listed] | None


class _LlamaSettings(msgspec.Struct):
    n_ctx: int | None = None


class _LlamaProps(msgspec.Struct):
    settings: _LlamaSettings = msgspec.field(name="default_generation_settings")


_decode_props = msgspec.json.Decoder(_LlamaProps).decode


def api_base(url: str) -> str:
    """Where a server's OpenAI API begins: an address without a path gets the path its kind uses.

    Raises `inference.errors.ServerUrlRefused` for an address that no model server may have.
    """
    url = check_server_url(url)
    parts = urlsplit(url)
    if parts.path.strip("/"):
        return url
    return url + ("/openai/v1" if _is_azure(url) else "/v1")


def ask_server(
    *, server_name: str, base_url: str, api_key: str, known_kind: str = ServerKind.OPENAI
) -> ServerReport:
    """The server's kind and models. `known_kind` stands unless it is plain OpenAI. Raises ServerError."""
    check_server_url(base_url)
    server = place(server_name=server_name, base_url=base_url, api_key=api_key)
    listed = _list_models(server)
    kind = ServerKind(known_kind) if known_kind != ServerKind.OPENAI else _recognise(server, listed)
    if kind == ServerKind.AZURE_OPENAI:
        return ServerReport(kind, ())
    window = _window_tokens(_root(server)) if kind == ServerKind.LLAMACPP else None
    found = (_found(entry, window) for entry in listed)
    return ServerReport(kind, tuple(model for model in found if model is not None))


def capability_of(name: str) -> Capability | None:
    """What a model of this name is for; None for what Parlour has no use for."""
    return next((purpose for pattern, purpose in _PURPOSES if pattern.search(name)), Capability.CHAT)


def _list_models(server: Place) -> list[_Listed]:
    body = call(server, "/models", answer_seconds=ANSWER_SECONDS)
    try:
        return msgspec.json.decode(body, type=_ModelList).data or []
    except msgspec.DecodeError:
        raise AnswerGarbled(server.server_name) from None


def _recognise(server: Place, listed: list[_Listed]) -> ServerKind:
    if _is_azure(server.base_url):
        return ServerKind.AZURE_OPENAI
    for entry in listed:
        if kind := _OWNERS.get(entry.owned_by or ""):
            return kind
    for path, mark, kind in _MARKS:
        if _has_field(_root(server), path, mark):
            return kind
    return ServerKind.OPENAI


def _root(server: Place) -> Place:
    """The same server above its OpenAI API."""
    return replace(server, base_url=server.base_url.removesuffix("/v1"))


def _has_field(root: Place, path: str, field: str) -> bool:
    try:
        answer = msgspec.json.decode(call(root, path, answer_seconds=ANSWER_SECONDS))
    except (ServerError, msgspec.DecodeError):
        return False
    return isinstance(answer, dict) and field in answer


def _window_tokens(root: Place) -> int | None:
    """The context that llama.cpp was started with, which may be less than its model was trained for."""
    try:
        return _decode_props(call(root, "/props", answer_seconds=ANSWER_SECONDS)).settings.n_ctx
    except (ServerError, msgspec.DecodeError):
        return None


def _found(entry: _Listed, window_tokens: int | None) -> FoundModel | None:
    capability = capability_of(entry.id)
    if capability is None or len(entry.id) > LONGEST_NAME:
        return None
    return FoundModel(entry.id, capability, entry.max_model_len or window_tokens, entry.dimensions)


def _is_azure(url: str) -> bool:
    return (urlsplit(url).hostname or "").endswith(AZURE_HOSTS)
