"""OpenAI's chat completions on the wire: request bodies, and stream events out of chunks. No IO.

The chunk is https://platform.openai.com/docs/api-reference/chat-streaming. The structs name only what is read;
msgspec skips the rest without building it, which is most of what makes a token cheap. What servers add:
`reasoning_content` (vLLM, llama.cpp, DeepSeek) and `reasoning` (Ollama, newer vLLM) for thinking, and an `error`
object in the middle of a stream.
"""

from collections.abc import Iterable
from typing import cast, get_args

import msgspec

from inference.types import (
    AnswerDelta,
    ChatRequest,
    Endpoint,
    Finish,
    FinishReason,
    Picture,
    StreamEvent,
    ThinkingDelta,
    ToolCallDelta,
    Turn,
    UsageReport,
)
from inference.wire.dialects import dialect_of
from inference.wire.thinking import ThinkingSplitter

DONE = b"[DONE]"
NULL = msgspec.Raw(b"null")
_FINISH_REASONS = frozenset(get_args(FinishReason))


class ToolFunction(msgspec.Struct, gc=False):
    name: str | None = None
    arguments: str | None = None


class ToolCall(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: ToolFunction | None = None


class Delta(msgspec.Struct):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[ToolCall] | None = None


class Choice(msgspec.Struct):
    delta: Delta | None = None
    finish_reason: str | None = None


class Usage(msgspec.Struct, gc=False):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class Chunk(msgspec.Struct):
    choices: list[Choice] | None = None
    usage: Usage | None = None
    error: msgspec.Raw = NULL


class ErrorInStream(Exception):
    """The server sent an error object in place of a chunk; `body` is that object's JSON."""

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self.body = body


_decode_chunk = msgspec.json.Decoder(Chunk).decode


def chat_body(endpoint: Endpoint, request: ChatRequest) -> bytes:
    """The JSON of a streaming request in the endpoint's dialect."""
    dialect = dialect_of(endpoint.kind, endpoint.base_url)
    body: dict[str, object] = {
        **{name: value for name, value in endpoint.defaults.items() if name != "max_tokens"},
        "messages": [_message(turn) for turn in request.turns],
        **request.extra,
    }
    if request.continue_from and dialect.can_continue:
        begun = {"role": "assistant", "content": request.continue_from}
        body["messages"] = [*cast(list[object], body["messages"]), begun]
        body.update(dialect.continue_fields)
    limit = endpoint.defaults.get("max_tokens") if request.max_tokens is None else request.max_tokens
    if limit is not None:
        body[dialect.limit_field] = limit
    if request.temperature is not None:
        body["temperature"] = request.temperature
    body.update(model=endpoint.remote_name, stream=True, stream_options={"include_usage": True})
    return msgspec.json.encode(body)


def _message(turn: Turn) -> dict[str, object]:
    content: object = turn.text
    if turn.pictures:
        parts: list[dict[str, object]] = [{"type": "text", "text": turn.text}] if turn.text else []
        content = parts + [{"type": "image_url", "image_url": _address(one)} for one in turn.pictures]
    elif not turn.text and "tool_calls" in turn.extra:
        content = None
    return {"role": turn.role, "content": content, **turn.extra}


def _address(picture: Picture) -> dict[str, str]:
    return {"url": picture.url, "detail": picture.detail} if picture.detail else {"url": picture.url}


class ChatDecoder:
    """Chunks to events. Text of one kind that comes in one piece of the network leaves as one event."""

    __slots__ = ("_finish", "_splitter", "_usage", "is_done")

    def __init__(self, *, is_continuing: bool = False) -> None:
        self._splitter = ThinkingSplitter(is_continuing=is_continuing)
        self._finish: FinishReason | None = None
        # Some servers count along in every chunk; the last count is the one.
        self._usage: UsageReport | None = None
        # The server has said [DONE]; nothing of interest follows.
        self.is_done = False

    def decode(self, payloads: Iterable[bytes]) -> list[StreamEvent]:
        """The events of some chunks, in order; raises `ErrorInStream`, or `msgspec.DecodeError` on garbage."""
        events: list[StreamEvent] = []
        texts: list[str] = []
        for payload in payloads:
            if payload == DONE:
                self.is_done = True
                break
            chunk = _decode_chunk(payload)
            if chunk.error is not NULL and chunk.error != NULL:
                raise ErrorInStream(bytes(chunk.error))
            if chunk.choices:
                choice = chunk.choices[0]
                # Nearly all chunks are a piece of the answer and nothing else: they are joined once, at the end.
                if self._splitter.is_passing and (text := _only_text(choice)):
                    texts.append(text)
                else:
                    _add_texts(events, texts)
                    self._add_choice(events, choice)
            if chunk.usage is not None and chunk.usage.completion_tokens is not None:
                self._usage = UsageReport(chunk.usage.prompt_tokens or 0, chunk.usage.completion_tokens)
        _add_texts(events, texts)
        return events

    @property
    def is_passing(self) -> bool:
        """Whether text is the answer's as it comes, with no thinking to be told apart any more."""
        return self._splitter.is_passing

    def only_text(self, payload: bytes) -> str | None:
        """The text of a chunk that says nothing else; None for any other."""
        if payload == DONE:
            return None
        chunk = _decode_chunk(payload)
        if chunk.error != NULL or chunk.usage is not None or not chunk.choices or len(chunk.choices) > 1:
            return None
        return _only_text(chunk.choices[0])

    def finish(self) -> list[StreamEvent] | None:
        """The last events of a stream that has ended, or None if it ended before the answer did."""
        if self._finish is None and not self.is_done:
            return None
        events: list[StreamEvent] = []
        self._add_parts(events, self._splitter.flush())
        if self._usage is not None:
            events.append(self._usage)
        events.append(Finish(self._finish or "stop"))
        return events

    def _add_choice(self, events: list[StreamEvent], choice: Choice) -> None:
        delta = choice.delta
        if delta is not None:
            if thinking := delta.reasoning_content or delta.reasoning:
                _add_thinking(events, thinking)
            if delta.content:
                if self._splitter.is_passing:
                    _add_answer(events, delta.content)
                else:
                    self._add_parts(events, self._splitter.split(delta.content))
            if delta.tool_calls:
                events.extend(_tool_call(at, call) for at, call in enumerate(delta.tool_calls))
        if choice.finish_reason:
            known = choice.finish_reason in _FINISH_REASONS
            self._finish = cast(FinishReason, choice.finish_reason) if known else "stop"

    def _add_parts(self, events: list[StreamEvent], parts: Iterable[tuple[str, str]]) -> None:
        for kind, text in parts:
            (_add_thinking if kind == "thinking" else _add_answer)(events, text)


def _only_text(choice: Choice) -> str | None:
    delta = choice.delta
    if (
        delta is None
        or delta.tool_calls
        or delta.reasoning_content
        or delta.reasoning
        or choice.finish_reason
    ):
        return None
    return delta.content


def _add_texts(events: list[StreamEvent], texts: list[str]) -> None:
    if texts:
        _add_answer(events, "".join(texts))
        texts.clear()


def _add_answer(events: list[StreamEvent], text: str) -> None:
    if events and isinstance(last := events[-1], AnswerDelta):
        events[-1] = AnswerDelta(last.text + text)
    else:
        events.append(AnswerDelta(text))


def _add_thinking(events: list[StreamEvent], text: str) -> None:
    if events and isinstance(last := events[-1], ThinkingDelta):
        events[-1] = ThinkingDelta(last.text + text)
    else:
        events.append(ThinkingDelta(text))


def _tool_call(position: int, call: ToolCall) -> ToolCallDelta:
    function = call.function or ToolFunction()
    return ToolCallDelta(
        index=position if call.index is None else call.index,
        id=call.id or "",
        name=function.name or "",
        arguments=function.arguments or "",
    )
