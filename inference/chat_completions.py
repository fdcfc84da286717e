"""The provider that speaks OpenAI's chat completions, which is every kind of server but the built-in quotes."""

from collections.abc import AsyncGenerator

import msgspec

from inference.errors import AnswerGarbled, ContextTooLong, StreamCut
from inference.net.transport import Timeouts, open_stream
from inference.types import ChatRequest, Endpoint, StreamEvent
from inference.wire.answers import AnswerDecoder
from inference.wire.completions import ErrorInStream, chat_body
from inference.wire.refusals import read_error_in_stream

# Prose has four or five, code with its blanks up to ten. llama.cpp was measured to split a text of 500 pages for
# longer than three minutes before it said no.
MOST_LETTERS_A_TOKEN = 16


async def stream_completion(
    endpoint: Endpoint, request: ChatRequest, timeouts: Timeouts
) -> AsyncGenerator[StreamEvent, None]:
    """The answer's events as they come, `Finish` last; closing the generator closes the connection."""
    if _cannot_fit(endpoint, request):
        raise ContextTooLong(endpoint.server_name)
    is_continuing = bool(request.continue_from) and endpoint.can_continue
    answer = AnswerDecoder(is_continuing=is_continuing)
    stream = await open_stream(endpoint, "/chat/completions", chat_body(endpoint, request), timeouts)
    try:
        while not answer.is_done:
            received = await stream.read()
            for event in answer.decode(received) if received else answer.flush():
                stream.begin()
                yield event
            if not received:
                break
        last = answer.finish()
        if last is None:
            # A clean end without any event is a web page or another API; with some, an answer that broke.
            raise (StreamCut if answer.has_events else AnswerGarbled)(endpoint.server_name)
        await stream.release()
        for event in last:
            yield event
    except ErrorInStream as error:
        raise read_error_in_stream(error.body, server_name=endpoint.server_name) from None
    except (msgspec.DecodeError, ValueError):
        raise AnswerGarbled(endpoint.server_name) from None
    finally:
        stream.close()


def _cannot_fit(endpoint: Endpoint, request: ChatRequest) -> bool:
    """Whether the turns are too long however well they are packed; what may fit is for the server to judge."""
    if endpoint.context_tokens is None:
        return False
    return sum(len(turn.text) for turn in request.turns) > endpoint.context_tokens * MOST_LETTERS_A_TOKEN
