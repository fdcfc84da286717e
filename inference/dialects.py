"""What differs between the kinds of OpenAI-compatible servers, as data.

Sources: vLLM's OpenAI server (`continue_final_message`, `add_generation_prompt`); llama.cpp's and Ollama's
chat endpoints continue a final assistant message by themselves; OpenAI and Azure OpenAI take the limit as
`max_completion_tokens` and refuse `max_tokens` for their reasoning models.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import urlsplit

from inference.models import ServerKind


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one kind of server is spoken to."""

    can_continue: bool = False
    # Sent together with a final assistant turn that is to be carried on.
    continue_fields: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    limit_field: str = "max_tokens"


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
        ServerKind.OLLAMA: Dialect(can_continue=True),
        ServerKind.AZURE_OPENAI: _OPENAI_OWN,
    }
)
_PLAIN = Dialect()


def dialect_of(kind: str, base_url: str) -> Dialect:
    """The dialect of a server; an unknown kind speaks plain OpenAI."""
    if kind == ServerKind.OPENAI and urlsplit(base_url).hostname == "api.openai.com":
        return _OPENAI_OWN
    return _DIALECTS.get(kind, _PLAIN)
