"""One question to a model that answers whole rather than token by token: its servers in turn until one answers.

Synchronous, over `inference.net.http`. The order is by chance in proportion to the weights; a server that cannot answer
now is passed over for the next, and the error of the last one stands.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from inference.errors import AnswerGarbled, ServerError
from inference.net.http import call, place_of
from inference.types import Endpoint, ModelTarget

Answer = TypeVar("Answer")


def ask_in_turn(target: ModelTarget, ask: Callable[[Endpoint], Answer]) -> Answer:
    """What `ask` gives at the first endpoint that does not fail in a way that another one may not."""
    error: ServerError | None = None
    for endpoint in in_turn(target.endpoints):
        try:
            return ask(endpoint)
        except ServerError as failure:
            if not failure.is_retryable:
                raise
            error = failure
    assert error is not None  # a target has an endpoint
    raise error


def forward_json(
    target: ModelTarget, path: str, values: Mapping[str, Any], *, needs: str, answer_seconds: float = 120.0
) -> dict[str, Any]:
    """A server's own answer to a request that somebody else made, under the server's name for the model.

    An answer without the field that it `needs` is `AnswerGarbled`.
    """

    def ask(endpoint: Endpoint) -> dict[str, Any]:
        body = msgspec.json.encode({**values, "model": endpoint.remote_name})
        answer = post(endpoint, path, body, answer_seconds=answer_seconds)
        try:
            found = msgspec.json.decode(answer, type=dict[str, Any])
        except msgspec.DecodeError:
            raise AnswerGarbled(endpoint.server_name) from None
        if needs not in found:
            raise AnswerGarbled(endpoint.server_name)
        return found

    return ask_in_turn(target, ask)


def in_turn(endpoints: Sequence[Endpoint]) -> list[Endpoint]:
    """All of them, the heavier ones more often first; those of weight 0 last."""
    draws = {id(one): random.random() ** (1 / one.weight) if one.weight else -1.0 for one in endpoints}  # noqa: S311
    return sorted(endpoints, key=lambda one: -draws[id(one)])


def post(
    endpoint: Endpoint, path: str, body: bytes, *, answer_seconds: float, content_type: str = ""
) -> bytes:
    """The body of the endpoint's answer to a POST of `path`; raises ServerError."""
    server, url = place_of(endpoint, path)
    return call(server, url, body, answer_seconds=answer_seconds, content_type=content_type)
