"""The one door to chat models: `stream_chat` gives an answer's events, whatever kind of server writes it."""

import random
from collections.abc import AsyncGenerator, Mapping
from types import MappingProxyType
from typing import Protocol

from inference.chat_completions import stream_completion
from inference.models import ServerKind
from inference.quotes import stream_quotes
from inference.transport import Timeouts
from inference.types import ChatRequest, Endpoint, ModelTarget, StreamEvent

DEFAULT_TIMEOUTS = Timeouts()


class Provider(Protocol):
    """How a kind of server answers: an async generator of events, ended by `Finish` or by an InferenceError."""

    def __call__(
        self, endpoint: Endpoint, request: ChatRequest, timeouts: Timeouts
    ) -> AsyncGenerator[StreamEvent, None]: ...


_PROVIDERS: Mapping[str, Provider] = MappingProxyType({ServerKind.QUOTES: stream_quotes})


def stream_chat(
    target: ModelTarget, request: ChatRequest, *, timeouts: Timeouts = DEFAULT_TIMEOUTS
) -> AsyncGenerator[StreamEvent, None]:
    """The answer of a model as typed events, `Finish` last.

    Close the generator to stop: the connection closes at once, and the server with it stops computing. Raises a
    subclass of `inference.errors.ServerError` wherever the answer breaks; what came before it stays valid.
    """
    # The provider's own generator and not one around it: that would cost each token another half microsecond.
    endpoint = _choose(target)
    return _PROVIDERS.get(endpoint.kind, stream_completion)(endpoint, request, timeouts)


def _choose(target: ModelTarget) -> Endpoint:
    """One of the model's endpoints, in proportion to their weights."""
    if len(target.endpoints) == 1:
        return target.endpoints[0]
    weights = [endpoint.weight for endpoint in target.endpoints]
    # Weight 0 means only when there is nothing else.
    return random.choices(target.endpoints, weights if any(weights) else None)[0]  # noqa: S311 - no secret
