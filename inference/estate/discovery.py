"""What a server is and which models it has, asked over its own API. Reads only; `services` writes it down.

What each kind answers: Ollama `GET /api/version` and `owned_by: library`, and per model what
`inference.wire.ollama` reads; vLLM `GET /version` and `owned_by: vllm` with `max_model_len`, which is KAITO's too;
llama.cpp `GET /props` and `owned_by: llamacpp`; TGI `GET /info`. Azure OpenAI, Azure ML's scoring URIs and
Bedrock's runtime do not list what is deployed, so that their models have to be named.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar
from urllib.parse import quote, urlsplit

import msgspec

from inference.endpoints import own_api
from inference.errors import AnswerGarbled, ModelGone, RequestRejected, ServerError
from inference.models import Capability, ServerKind
from inference.net.addresses import check_server_url
from inference.net.http import Place, call, place, place_of
from inference.types import Endpoint, ModelDetails
from inference.wire import ollama
from inference.wire.dialects import is_scoring_uri

ANSWER_SECONDS = 10.0
# As long as the column that keeps it.
LONGEST_NAME = 200
AZURE_HOSTS = (".openai.azure.com", ".services.ai.azure.com", ".cognitiveservices.azure.com")
AZURE_ML_HOSTS = (".inference.ml.azure.com",)
BEDROCK_RUNTIME = re.compile(r"bedrock-runtime[.-].*\.amazonaws\.com(\.cn)?$")
BEDROCK_MANTLE = re.compile(r"bedrock-mantle\..*\.api\.aws$")

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

Shape = TypeVar("Shape")


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model as its server describes it; None where the server does not say.

    `capability` is what it is for, from its name if need be; `capabilities` is all that the server itself told.
    """

    remote_name: str
    capability: Capability
    context_tokens: int | None = None
    dimensions: int | None = None
    capabilities: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class ServerReport:
    """What a server said about itself; `is_all` unless it has models that it does not list."""

    kind: ServerKind
    models: tuple[FoundModel, ...]
    is_all: bool = True


class _Meta(msgspec.Struct):
    n_params: int | None = None
    n_embd: int | None = None
    size: int | None = None


class _Listed(msgspec.Struct):
    id: str
    owned_by: str | None = None
    max_model_len: int | None = None
    dimensions: int | None = None
    # llama.cpp's.
    meta: _Meta | None = None


class _ModelList(msgspec.Struct):
    # Ollama without any model has sent null.
    data: list[_Listed] | None


class _LlamaSettings(msgspec.Struct):
    n_ctx: int | None = None


class _LlamaProps(msgspec.Struct):
    settings: _LlamaSettings = msgspec.field(
        name="default_generation_settings", default_factory=_LlamaSettings
    )
    modalities: dict[str, bool] = {}
    chat_template_caps: dict[str, bool] = {}


class _TgiInfo(msgspec.Struct):
    model_id: str = ""
    max_total_tokens: int | None = None
    model_dtype: str | None = None
    # Text Embeddings Inference, TGI's sibling, tells what its one model does.
    model_type: dict[str, object] | str | None = None
    max_input_length: int | None = None


def api_base(url: str, kind: str = ServerKind.OPENAI) -> str:
    """Where a server's OpenAI API begins: an address without a path gets the path its kind uses.

    Raises `inference.errors.ServerUrlRefused` for an address that no model server may have.
    """
    url = check_server_url(url)
    parts = urlsplit(url)
    if kind == ServerKind.AZURE_DATED:
        # What Azure's portal shows ends in the deployment's own path.
        return f"{parts.scheme}://{parts.netloc}{parts.path.partition('/deployments/')[0] or '/openai'}"
    if parts.path.strip("/"):
        return url
    is_openai_below = _is_azure(url) or BEDROCK_RUNTIME.search(parts.hostname or "")
    return url + ("/openai/v1" if is_openai_below else "/v1")


def ask_server(endpoint: Endpoint) -> ServerReport:
    """The server's kind and models; the endpoint's kind stands unless it is plain OpenAI. Raises ServerError."""
    check_server_url(endpoint.base_url)
    kind = known_kind(endpoint.base_url, endpoint.kind)
    if kind in (ServerKind.AZURE_DATED, ServerKind.AZURE_ML) and not _is_listed(endpoint):
        return _ask_whether_it_answers(endpoint, kind)
    try:
        listed = _list_models(endpoint)
    except (AnswerGarbled, ModelGone):
        if kind != ServerKind.BEDROCK:
            raise
        return ServerReport(kind, (), is_all=False)
    if kind == ServerKind.OPENAI:
        kind = _recognise(endpoint, listed)
    if kind == ServerKind.AZURE_OPENAI:
        return ServerReport(kind, (), is_all=False)
    return ServerReport(kind, tuple(_found(endpoint, kind, listed)))


def describe_model(endpoint: Endpoint) -> ModelDetails:
    """What the server says about `endpoint.remote_name`; `ModelGone` where it lists its models and this is none."""
    kind = ServerKind(endpoint.kind)
    own = own_api(endpoint)
    if kind == ServerKind.OLLAMA:
        return ollama.show_whole(_place(own), endpoint.remote_name)
    if not _is_listed(endpoint) or kind == ServerKind.AZURE_OPENAI:
        return ModelDetails(endpoint.remote_name)
    entry = next((entry for entry in _list_models(endpoint) if entry.id == endpoint.remote_name), None)
    if entry is None:
        raise ModelGone(endpoint.server_name)
    return _details(own, kind, entry)


def is_answering(base_url: str, name: str) -> bool:
    """Whether a server of ours at this address has loaded the model of this name."""
    server = place(server_name="", base_url=base_url, api_key="")
    try:
        listed = msgspec.json.decode(call(server, "/models", answer_seconds=ANSWER_SECONDS), type=_ModelList)
    except (ServerError, msgspec.DecodeError):
        return False
    return any(entry.id == name for entry in listed.data or [])


def capability_of(name: str) -> Capability | None:
    """What a model of this name is for; None for what Parlour has no use for."""
    return next((purpose for pattern, purpose in _PURPOSES if pattern.search(name)), Capability.CHAT)


def _found(endpoint: Endpoint, kind: ServerKind, listed: list[_Listed]) -> list[FoundModel]:
    own, found = own_api(endpoint), []
    for entry in listed:
        purpose = capability_of(entry.id)
        if purpose is None or len(entry.id) > LONGEST_NAME:
            continue
        details = _ollama_details(own, entry) if kind == ServerKind.OLLAMA else _details(own, kind, entry)
        told = details.capabilities
        # A model that says what it is for is believed, whatever its name.
        if told and purpose not in told:
            purpose = Capability(told[0])
        found.append(FoundModel(entry.id, purpose, details.context_tokens, details.dimensions, told or None))
    return found


def _ollama_details(own: Endpoint, entry: _Listed) -> ModelDetails:
    try:
        return ollama.show(_place(own), entry.id)
    except ServerError:
        # Deleted since it was listed, or too old to tell.
        return ModelDetails(entry.id)


def _details(own: Endpoint, kind: ServerKind, entry: _Listed) -> ModelDetails:
    """What one entry of the list and the kind's own page say together."""
    if kind == ServerKind.LLAMACPP:
        return _llama_details(own, entry)
    if kind == ServerKind.TGI:
        return _tgi_details(own, entry)
    return ModelDetails(entry.id, context_tokens=entry.max_model_len, dimensions=entry.dimensions)


def _llama_details(own: Endpoint, entry: _Listed) -> ModelDetails:
    """llama.cpp tells the context that it was started with, which may be less than its model was trained for."""
    props = _read_page(own, "/props", _LlamaProps) or _LlamaProps()
    purpose = capability_of(entry.id)
    capabilities = [purpose] if purpose else []
    if purpose == Capability.CHAT:
        capabilities += [Capability.VISION] if props.modalities.get("vision") else []
        capabilities += [Capability.TOOLS] if props.chat_template_caps.get("supports_tool_calls") else []
    meta = entry.meta or _Meta()
    return ModelDetails(
        entry.id,
        capabilities=tuple(capabilities) if props.modalities or props.chat_template_caps else None,
        context_tokens=entry.max_model_len or props.settings.n_ctx,
        dimensions=entry.dimensions or (meta.n_embd if purpose == Capability.EMBEDDINGS else None),
        parameters=meta.n_params,
        size_bytes=meta.size,
        is_loaded=True,
    )


def _tgi_details(own: Endpoint, entry: _Listed) -> ModelDetails:
    info = _read_page(own, "/info", _TgiInfo) or _TgiInfo()
    kinds = info.model_type if isinstance(info.model_type, dict) else {}
    told = None
    if "reranker" in kinds:
        told = (Capability.RERANK,)
    elif "embedding" in kinds:
        told = (Capability.EMBEDDINGS,)
    return ModelDetails(
        entry.id,
        capabilities=told,
        context_tokens=entry.max_model_len or info.max_total_tokens or info.max_input_length,
        quantisation=info.model_dtype or "",
        is_loaded=True,
    )


def _list_models(endpoint: Endpoint) -> list[_Listed]:
    server, url = place_of(endpoint, "/models")
    try:
        body = call(server, url, answer_seconds=ANSWER_SECONDS)
    except (AnswerGarbled, ModelGone):
        # Text Embeddings Inference has no list; its one model is in /info.
        info = _read_page(own_api(endpoint), "/info", _TgiInfo)
        if info is None or not info.model_id:
            raise
        return [_Listed(info.model_id)]
    try:
        return msgspec.json.decode(body, type=_ModelList).data or []
    except msgspec.DecodeError:
        raise AnswerGarbled(endpoint.server_name) from None


def _is_listed(endpoint: Endpoint) -> bool:
    """Whether the server has a list of what can be called, rather than one thing at one address."""
    if endpoint.kind == ServerKind.AZURE_ML:
        return not is_scoring_uri(endpoint.base_url)
    return endpoint.kind != ServerKind.AZURE_DATED


def _ask_whether_it_answers(endpoint: Endpoint, kind: ServerKind) -> ServerReport:
    """For servers that do not list what can be called: whether they are there and take the key."""
    is_dated = kind == ServerKind.AZURE_DATED
    page = f"/models?api-version={quote(endpoint.api_version, safe='')}" if is_dated else ""
    try:
        call(_place(endpoint), page, answer_seconds=ANSWER_SECONDS)
    except (AnswerGarbled, ModelGone, RequestRejected):
        # A scoring URI takes POST alone. The dated API has this page, unless version or path are wrong.
        if is_dated:
            raise AnswerGarbled(endpoint.server_name) from None
    return ServerReport(kind, (), is_all=False)


def _recognise(endpoint: Endpoint, listed: list[_Listed]) -> ServerKind:
    for entry in listed:
        if kind := _OWNERS.get(entry.owned_by or ""):
            return kind
    for path, mark, kind in _MARKS:
        if _has_field(own_api(endpoint), path, mark):
            return kind
    return ServerKind.OPENAI


def known_kind(url: str, kind: str) -> ServerKind:
    """The kind as it was given, or for plain OpenAI what the cloud's own host tells."""
    given = ServerKind(kind)
    return _kind_of_host(url) or given if given == ServerKind.OPENAI else given


def _kind_of_host(url: str) -> ServerKind | None:
    host = urlsplit(url).hostname or ""
    if _is_azure(url):
        return ServerKind.AZURE_OPENAI
    if host.endswith(AZURE_ML_HOSTS):
        return ServerKind.AZURE_ML
    if BEDROCK_RUNTIME.search(host) or BEDROCK_MANTLE.search(host):
        return ServerKind.BEDROCK
    return None


def _has_field(own: Endpoint, path: str, field: str) -> bool:
    answer = _read_page(own, path, dict[str, object])
    return answer is not None and field in answer


def _read_page(own: Endpoint, path: str, shape: type[Shape]) -> Shape | None:
    """A page of the kind's own API, or None where it has none."""
    try:
        return msgspec.json.decode(call(_place(own), path, answer_seconds=ANSWER_SECONDS), type=shape)
    except (ServerError, msgspec.DecodeError):
        return None


def _place(endpoint: Endpoint) -> Place:
    return place(
        server_name=endpoint.server_name,
        base_url=endpoint.base_url,
        api_key=endpoint.api_key,
        key_header=endpoint.key_header,
    )


def _is_azure(url: str) -> bool:
    return (urlsplit(url).hostname or "").endswith(AZURE_HOSTS)
