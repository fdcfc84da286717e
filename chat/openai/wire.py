"""OpenAI's JSON, as this house speaks it to others: requests in, chunks, completions and errors out. No IO.

The shapes are those of the chat completions, embeddings and models endpoints that OpenAI publishes; `citations`
is ours.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from django.utils.translation import gettext as _
from msgspec import Struct

from accounts.errors import ParlourError
from chat.events import Source
from inference.types import (
    AnswerDelta,
    Finish,
    Picture,
    Queued,
    Role,
    StreamEvent,
    ThinkingDelta,
    ToolCallDelta,
    Turn,
    UsageReport,
)

DONE = b"data: [DONE]\n\n"
# Who speaks in a message, and what it may carry beside its content, by its role.
_ROLES: Mapping[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
}
_EXTRA: Mapping[Role, tuple[str, ...]] = {"assistant": ("tool_calls",), "tool": ("tool_call_id", "name")}
_encode = msgspec.json.Encoder().encode


class StreamOptions(Struct, frozen=True):
    include_usage: bool = False


class CompletionRequest(Struct, frozen=True):
    """What Parlour reads of a chat completion request; the rest is passed through."""

    model: str
    messages: list[dict[str, Any]]
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = None

    @property
    def wants_usage(self) -> bool:
        return self.stream_options is not None and self.stream_options.include_usage


class RerankDocument(Struct, frozen=True):
    text: str


class RerankRequest(Struct, frozen=True):
    """Jina's and Cohere's request, which has become everybody's."""

    query: str
    documents: list[str | RerankDocument]
    model: str = ""
    top_n: int | None = None
    return_documents: bool = True


def decode_completion(body: bytes) -> tuple[CompletionRequest, dict[str, Any]]:
    """The request and everything in it that Parlour does not read. Raises msgspec.MsgspecError."""
    values = msgspec.json.decode(body, type=dict[str, Any])
    request = msgspec.convert(values, CompletionRequest)
    if values.get("n") not in (None, 1):
        raise msgspec.ValidationError(
            _("There is one answer to a request: leave `n` out, and ask again for more.")
        )
    if not request.messages:
        raise msgspec.ValidationError(_("`messages` is empty: send at least one message."))
    known = CompletionRequest.__struct_fields__
    return request, {name: value for name, value in values.items() if name not in known}


def texts_of(messages: Sequence[Mapping[str, Any]]) -> tuple[Turn, ...]:
    """The text of each message, for messages that go to the server as they came; what has none is left out."""
    turns = []
    for message in messages:
        role, content = _ROLES.get(str(message.get("role"))), message.get("content")
        if isinstance(content, list):
            parts = [part.get("text") for part in content if isinstance(part, dict)]
            content = "\n".join(part for part in parts if isinstance(part, str))
        if role is not None and isinstance(content, str) and content:
            turns.append(Turn(role, content))
    return tuple(turns)


def turns_of(messages: Sequence[Mapping[str, Any]]) -> tuple[Turn, ...]:
    """The messages as turns, with their pictures, tool calls and tools' answers; those that say nothing are left out.

    Raises `msgspec.ValidationError` for what is neither, so that nothing is left out in silence.
    """
    turns = (_turn_of(message) for message in messages)
    return tuple(turn for turn in turns if turn.text or turn.pictures or turn.extra)


def _turn_of(message: Mapping[str, Any]) -> Turn:
    role = _ROLES.get(str(message.get("role")))
    if role is None:
        raise msgspec.ValidationError(_("Each message has a `role`: system, user, assistant or tool."))
    content, texts, pictures = message.get("content"), [], []
    for part in content if isinstance(content, list) else [{"type": "text", "text": content or ""}]:
        match part:
            case {"type": "text", "text": str(text)}:
                texts.append(text)
            case {"type": "image_url", "image_url": {"url": str(url), **more}}:
                pictures.append(Picture(url, str(more.get("detail") or "")))
            case _:
                kind = part.get("type") if isinstance(part, dict) else None
                sentence = _("A character reads text and pictures (`image_url`), not “%(kind)s”.")
                raise msgspec.ValidationError(sentence % {"kind": kind})
    extra = {name: message[name] for name in _EXTRA.get(role, ()) if message.get(name)}
    return Turn(role, "\n".join(texts), tuple(pictures), extra)


@dataclass(slots=True)
class Completion:
    """One answer as it grows, as chunks of a stream or whole."""

    id: str
    model: str
    created: int
    citations: tuple[Source, ...] = ()
    usage: UsageReport | None = None
    is_begun: bool = False
    first_token_at: float | None = None
    _head: bytes = b""
    _finish: str = "stop"
    _answer: list[str] = field(default_factory=list)
    _thinking: list[str] = field(default_factory=list)
    _calls: dict[int, dict[str, str]] = field(default_factory=dict)

    def chunk(self, event: StreamEvent) -> bytes:
        """The event as a server-sent chunk; empty for what only the tail tells."""
        match event:
            case AnswerDelta(text=text):
                self._mark_first_token()
                return self._delta(b'{"content":' + _encode(text) + b"}")
            case ThinkingDelta(text=text):
                self._mark_first_token()
                return self._delta(b'{"reasoning_content":' + _encode(text) + b"}")
            case ToolCallDelta():
                call = {
                    "index": event.index,
                    "function": {"name": event.name or None, "arguments": event.arguments},
                }
                if event.id:
                    call |= {"id": event.id, "type": "function"}
                return self._delta(_encode({"tool_calls": [call]}))
            case Queued(position=position):
                # A comment of the event stream: clients skip it, and what stands between sees signs of life.
                return b": place %d in the queue\n\n" % position
            case UsageReport():
                self.usage = event
            case Finish(reason=reason):
                self._finish = reason
        return b""

    def opening(self) -> bytes:
        """The chunk that names the role."""
        return self._delta(b'{"role":"assistant","content":""}')

    def tail(self, with_usage: bool) -> bytes:
        """Why it ended, what it cites, what it used, and the mark of the end."""
        last = self._object(
            "chat.completion.chunk", [{"index": 0, "delta": {}, "finish_reason": self._finish}]
        )
        if self.citations:
            last["citations"] = self.citations
        data = b"data: " + _encode(last) + b"\n\n"
        if with_usage and self.usage is not None:
            used = self._object("chat.completion.chunk", []) | {"usage": self._usage()}
            data += b"data: " + _encode(used) + b"\n\n"
        return data + DONE

    def add(self, event: StreamEvent) -> None:
        """Take the event into the whole answer."""
        match event:
            case AnswerDelta(text=text):
                self._mark_first_token()
                self._answer.append(text)
            case ThinkingDelta(text=text):
                self._mark_first_token()
                self._thinking.append(text)
            case ToolCallDelta():
                call = self._calls.setdefault(event.index, {"id": "", "name": "", "arguments": ""})
                call["id"] += event.id
                call["name"] += event.name
                call["arguments"] += event.arguments
            case UsageReport():
                self.usage = event
            case Finish(reason=reason):
                self._finish = reason

    def whole(self) -> bytes:
        """The completion as one object."""
        message: dict[str, Any] = {"role": "assistant", "content": "".join(self._answer)}
        if self._thinking:
            message["reasoning_content"] = "".join(self._thinking)
        if self._calls:
            message["tool_calls"] = [
                {
                    "id": call["id"],
                    "type": "function",
                    "function": {"name": call["name"], "arguments": call["arguments"]},
                }
                for _index, call in sorted(self._calls.items())
            ]
        choice = {"index": 0, "message": message, "finish_reason": self._finish}
        completion = self._object("chat.completion", [choice])
        if self.usage is not None:
            completion["usage"] = self._usage()
        if self.citations:
            completion["citations"] = self.citations
        return _encode(completion)

    def _delta(self, delta: bytes) -> bytes:
        if not self._head:
            self._head = (
                b'data: {"id":"%s","object":"chat.completion.chunk","created":%d,"model":%s,'
                b'"choices":[{"index":0,"delta":' % (self.id.encode(), self.created, _encode(self.model))
            )
        return b'%s%s,"finish_reason":null}]}\n\n' % (self._head, delta)

    def _object(self, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "choices": choices,
        }

    def _usage(self) -> dict[str, int]:
        assert self.usage is not None
        prompt, completion = self.usage.prompt_tokens, self.usage.completion_tokens
        return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}

    def _mark_first_token(self) -> None:
        if self.first_token_at is None:
            self.first_token_at = time.monotonic()


def model_object(name: str, capabilities: Sequence[str], context_tokens: int | None) -> dict[str, Any]:
    """A model as OpenAI lists it; `capabilities` and `context_length` are ours."""
    return {
        "id": name,
        "object": "model",
        "created": 0,
        "owned_by": "parlour",
        "capabilities": list(capabilities),
        "context_length": context_tokens,
    }


def model_list(models: Sequence[dict[str, Any]]) -> bytes:
    return _encode({"object": "list", "data": models})


def rerank_list(model: str, texts: Sequence[str], scores: Sequence[float], request: RerankRequest) -> bytes:
    """The passages by score, the best first, at most `top_n` of them."""
    order = sorted(range(len(texts)), key=lambda index: -scores[index])[: request.top_n]
    results = [
        {"index": index, "relevance_score": scores[index]}
        | ({"document": {"text": texts[index]}} if request.return_documents else {})
        for index in order
    ]
    return _encode({"object": "list", "model": model, "results": results})


def problem(message: str, kind: str, code: str) -> bytes:
    """An error in OpenAI's shape."""
    return _encode({"error": {"message": message, "type": kind, "param": None, "code": code}})


def error_body(error: ParlourError) -> bytes:
    kind = "invalid_request_error" if error.status < 500 else "server_error"
    kind = "rate_limit_error" if error.status == 429 else kind
    return problem(str(error.user_message), kind, error.code)


def error_event(error: ParlourError) -> bytes:
    """An error in the middle of a stream, as OpenAI's servers send it."""
    return event(error_body(error))


def event(data: bytes) -> bytes:
    """One event of a stream."""
    return b"data: " + data + b"\n\n"
