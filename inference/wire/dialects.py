"""What differs between the kinds of OpenAI-compatible servers, as data: fields, addresses, how a key travels.

Sources: vLLM's OpenAI server (`continue_final_message`, `add_generation_prompt`); llama.cpp's and Ollama's
chat endpoints continue a final assistant message by themselves; OpenAI and Azure OpenAI take the limit as
`max_completion_tokens` and refuse `max_tokens` for their reasoning models. Azure OpenAI's dated API has the
deployment in the path, `api-version` in the query and its key in `api-key`
(https://learn.microsoft.com/azure/ai-services/openai/reference). An Azure ML online endpoint has one scoring URI;
where that is no OpenAI API of its own, chats go to it as it stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import quote, urlsplit

from inference.models import ServerKind
from inference.types import Endpoint


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one kind of server is spoken to."""

    can_continue: bool = False
    # Sent together with a final assistant turn that is to be carried on.
    continue_fields: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    limit_field: str = "max_tokens"
    # Whether models come and go over the server's own API (pull, create, delete, load).
    can_manage: bool = False


_VLLM = Dialect(
    can_continue=True,
    continue_fields=MappingProxyType({"add_generation_prompt": False, "continue_final_message": True}),
)
_OPENAI_OWN = Dialect(limit_field="max_completion_tokens")
_DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        ServerKind.VLLM: _VLLM,
        ServerKind.KAITO: _VLLM,
        ServerKind.LLAMACPP: Dialect(can_continue=True),
        ServerKind.OLLAMA: Dialect(can_continue=True, can_manage=True),
        ServerKind.AZURE_OPENAI: _OPENAI_OWN,
        ServerKind.AZURE_DATED: _OPENAI_OWN,
    }
)
_PLAIN = Dialect()


def dialect_of(kind: str, base_url: str) -> Dialect:
    """The dialect of a server; an unknown kind speaks plain OpenAI."""
    if kind == ServerKind.OPENAI and urlsplit(base_url).hostname == "api.openai.com":
        return _OPENAI_OWN
    return _DIALECTS.get(kind, _PLAIN)


def url_of(endpoint: Endpoint, path: str) -> str:
    """Where a call of `path` (as /chat/completions) goes at this endpoint."""
    base_url = endpoint.base_url
    if endpoint.kind == ServerKind.AZURE_DATED:
        deployment = quote(endpoint.remote_name, safe="")
        return f"{base_url}/deployments/{deployment}{path}?api-version={quote(endpoint.api_version, safe='')}"
    if endpoint.kind == ServerKind.AZURE_ML and is_scoring_uri(base_url):
        return base_url
    return base_url + path


def is_scoring_uri(base_url: str) -> bool:
    """Whether an Azure ML endpoint's address is its scoring script rather than an OpenAI API."""
    return not urlsplit(base_url).path.rstrip("/").endswith("/v1")


def headers_of(endpoint: Endpoint) -> dict[str, str]:
    """The header that carries the endpoint's key; none without a key."""
    return key_headers(endpoint.api_key, endpoint.key_header)


def key_headers(api_key: str, key_header: str = "Authorization") -> dict[str, str]:
    """The same for a key that stands alone."""
    if not api_key:
        return {}
    return {key_header: f"Bearer {api_key}" if key_header == "Authorization" else api_key}
