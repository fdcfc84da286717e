"""The one door to chat models: `stream_chat` gives an answer's events, whatever kind of server writes it."""

from collections.abc import AsyncGenerator, Mapping
from types import MappingProxyType
from typing import Protocol

from inference.chat_completions import stream_completion
from inference.models import ServerKind
from inference.net.transport import Timeouts
from inference.quotes.provider import stream_quotes
from inference.routing import cache
from inference.routing.failover import stream_routed
from inference.types import Caller, ChatRequest, Endpoint, ModelTarget, StreamEvent

DEFAULT_TIMEOUTS = Timeouts()


class Provider(Protocol):
    """How a kind of server answers: an async generator of events, ended by `Finish` or by an InferenceError."""

    def __call__(
        self, endpoint: Endpoint, request: ChatRequest, timeouts: Timeouts
    ) -> AsyncGenerator[StreamEvent, None]: ...


_PROVIDERS: Mapping[str, Provider] = MappingProxyType({ServerKind.QUOTES: stream_quotes})


def stream_chat(
    target: ModelTarget,
    request: ChatRequest,
    *,
    caller: Caller | None = None,
    timeouts: Timeouts = DEFAULT_TIMEOUTS,
) -> AsyncGenerator[StreamEvent, None]:
    """The answer of a model as typed events, `Finish` last; `Queued` first while it waits for a place.

    `caller` is whose turn it is, in a queue. Close the generator to stop: the connection closes at once, the server
    with it stops computing, and the place is free. Raises a subclass of `inference.errors.ServerError` wherever the
    answer breaks and no other server can go on; what came before it stays valid.
    """
    if target.is_routed:
        answer = stream_routed(
            target, request, caller, lambda endpoint, request: _ask(endpoint, request, timeouts)
        )
    else:
        # The provider's own generator and not one around it: that would cost each token another half microsecond.
        answer = _ask(target.endpoints[0], request, timeouts)
    return cache.stream_kept(target, request, answer) if cache.is_repeatable(target, request) else answer


def _ask(endpoint: Endpoint, request: ChatRequest, timeouts: Timeouts) -> AsyncGenerator[StreamEvent, None]:
    return _PROVIDERS.get(endpoint.kind, stream_completion)(endpoint, request, timeouts)
