"""An answer from whichever server can give it: a place first, another server where one fails.

Before the first token another server is asked and nobody notices. After it the answer is carried on from its text
so far, on a server that can do that; where none can, the error stands and what came before it stays valid.
"""

import logging
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace

from inference.errors import ServerError
from inference.routing import breaker
from inference.routing.desk import Place, desk, plan_of
from inference.types import (
    Admitted,
    AnswerDelta,
    Caller,
    ChatRequest,
    Endpoint,
    ModelTarget,
    Queued,
    StartOver,
    StreamEvent,
    ThinkingDelta,
    ToolCallDelta,
    UsageReport,
)

logger = logging.getLogger(__name__)

CHARACTERS_A_TOKEN = 4
# What an answer without a limit is taken to be, when servers are weighed against each other.
USUAL_ANSWER_TOKENS = 500
# Who is nobody is one person, too: titles wait behind each other and not in front of people.
HOUSE = "house"

Ask = Callable[[Endpoint, ChatRequest], AsyncGenerator[StreamEvent, None]]


class _Told:
    """What the caller has heard of this answer so far."""

    def __init__(self) -> None:
        # Of servers that failed, then of the one that speaks.
        self.earlier = ""
        self.answer: list[str] = []
        self.has_thought = False
        self.has_called_tools = False

    def hear(self, event: StreamEvent) -> StreamEvent:
        """Keep the event in mind; a count of tokens gets those of earlier servers, which they told nobody."""
        match event:
            case AnswerDelta(text=text):
                self.answer.append(text)
            case ThinkingDelta():
                self.has_thought = True
            case ToolCallDelta():
                self.has_called_tools = True
            case UsageReport() if self.earlier:
                earlier_tokens = len(self.earlier) // CHARACTERS_A_TOKEN
                return UsageReport(event.prompt_tokens, event.completion_tokens + earlier_tokens)
        return event

    def break_off(self) -> None:
        """The server that spoke has failed."""
        self.earlier += "".join(self.answer)
        self.answer.clear()

    def rest_of(self, request: ChatRequest) -> ChatRequest:
        """The request for what is still to be said."""
        if not self.earlier:
            return request
        return replace(request, continue_from=request.continue_from + self.earlier)


async def stream_routed(
    target: ModelTarget, request: ChatRequest, caller: Caller | None, ask: Ask
) -> AsyncGenerator[StreamEvent, None]:
    """The answer's events, with `Queued` and `Admitted` before them where the request had to wait."""
    here, plan, told = await desk(), plan_of(target), _Told()
    user, tokens = str(caller.user_id) if caller else HOUSE, _weigh(request)
    # The servers that failed, and those that cannot carry on what is begun.
    out: list[Endpoint] = []
    while True:
        place = here.enter(plan, user=user, tokens=tokens, tried=[each.deployment for each in out])
        try:
            while (position := await place.next_position()) is not None:
                yield Queued(position)
            if place.has_waited:
                yield Admitted()
            endpoint = _endpoint_at(target, place, out)
            is_answered = False
            async with aclosing(ask(endpoint, told.rest_of(request))) as events:
                async for event in events:
                    if not is_answered:
                        is_answered = True
                        breaker.note_success(here, place, endpoint.deployment)
                    yield told.hear(event)
            return
        except breaker.WORTH_ANOTHER_SERVER as error:
            breaker.note_failure(here, place, endpoint.deployment, error)
            told.break_off()
            out.append(endpoint)
            _require_another(target, out, told, error)
        finally:
            here.leave(place)
        if told.has_thought and not told.earlier:
            told.has_thought = False
            yield StartOver()


def _endpoint_at(target: ModelTarget, place: Place, out: list[Endpoint]) -> Endpoint:
    for endpoint in target.endpoints:
        if endpoint.deployment == place.deployment:
            return endpoint
    # Redis is away: any server, in proportion to the weights.
    left = [endpoint for endpoint in target.endpoints if endpoint not in out] or list(target.endpoints)
    weights = [endpoint.weight for endpoint in left]
    # Weight 0 means only when there is nothing else.
    return random.choices(left, weights if any(weights) else None)[0]  # noqa: S311 - no secret


def _require_another(target: ModelTarget, out: list[Endpoint], told: _Told, error: ServerError) -> None:
    """Raises the error where no other server can help; `out` gets those that cannot."""
    if told.has_called_tools:
        raise error
    if told.earlier:
        out.extend(
            endpoint for endpoint in target.endpoints if endpoint not in out and not endpoint.can_continue
        )
    if all(endpoint in out for endpoint in target.endpoints):
        raise error
    logger.warning(
        "%s failed (%s) after %d characters; another server goes on",
        error.server_name,
        error.code,
        len(told.earlier),
    )


def _weigh(request: ChatRequest) -> int:
    """About how many tokens an answer keeps a server busy with."""
    characters = sum(len(turn.text) for turn in request.turns) + len(request.continue_from)
    return characters // CHARACTERS_A_TOKEN + (request.max_tokens or USUAL_ANSWER_TOKENS)
