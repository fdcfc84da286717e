"""What crosses the door of this room: requests in, stream events out, and where a model can be reached.

Plain values without IO. Chat and documents use these and never see a vendor's JSON; `inference.wire` does.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import msgspec

Role = Literal["system", "user", "assistant", "tool"]
FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in a message; `url` mostly is the picture itself, as data:image/png;base64,…"""

    url: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the conversation as the model reads it."""

    role: Role
    text: str
    pictures: tuple[Picture, ...] = ()
    # What a program's message has beside these, passed on as it stands: tool calls, and whose answer this is.
    extra: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document offered as a source; `n` is the number an answer cites it by."""

    n: int
    text: str
    title: str
    # How far search stands behind it: its rank's score, highest 1, and its cosine with the question; None if unknown.
    score: float | None = None
    similarity: float | None = None
    # The document's name, and the page; empty and 0 where a caller does not say.
    document: str = ""
    page: int = 0


Purpose = Literal["answer", "summarise", "compare", "key_facts"]


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One answer to be written.

    `continue_from` is the text an interrupted answer already has; only new text is streamed then. `passages`
    and `question` are for providers that answer from sources themselves, and so is `purpose`, which says what to do
    with them; a language model finds all of it in its turns. `extra` is passed through to the server as it stands
    (tools, response_format, seed, …) and may replace `messages`, but never the model nor the streaming options.
    """

    turns: tuple[Turn, ...]
    max_tokens: int | None = None
    temperature: float | None = None
    passages: tuple[Passage, ...] = ()
    question: str = ""
    purpose: Purpose = "answer"
    continue_from: str = ""
    extra: Mapping[str, object] = field(default_factory=dict)


# Events are msgspec structs: one is made per token, and they cost 0.1 µs where a frozen dataclass costs 0.5.
class AnswerDelta(msgspec.Struct, frozen=True, gc=False):
    """New text of the answer."""

    text: str


class ThinkingDelta(msgspec.Struct, frozen=True, gc=False):
    """New text of the model's reasoning, which is not part of the answer."""

    text: str


class ToolCallDelta(msgspec.Struct, frozen=True, gc=False):
    """A piece of a tool call; pieces of one `index` belong together, `arguments` are to be joined."""

    index: int
    id: str
    name: str
    arguments: str


class UsageReport(msgspec.Struct, frozen=True, gc=False):
    """What the server counted; comes at most once, near the end."""

    prompt_tokens: int
    completion_tokens: int
    # The answer was kept from an equal request; nothing was computed.
    is_cached: bool = False


class Queued(msgspec.Struct, frozen=True, gc=False):
    """The request waits for a free place; comes anew whenever `position`, counted from 1, has changed."""

    position: int


class Admitted(msgspec.Struct, frozen=True, gc=False):
    """A request that waited has its place now."""


class StartOver(msgspec.Struct, frozen=True, gc=False):
    """The server failed while the model was thinking; another begins anew, so the thinking so far is void."""


class Finish(msgspec.Struct, frozen=True, gc=False):
    """The answer is whole; always the last event of a stream that did not fail."""

    reason: FinishReason


StreamEvent = (
    AnswerDelta | ThinkingDelta | ToolCallDelta | UsageReport | Queued | Admitted | StartOver | Finish
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One server that runs a model, ready to be called. Its key never shows in a repr."""

    server_id: uuid.UUID
    server_name: str
    kind: str
    base_url: str
    remote_name: str
    api_key: str = field(default="", repr=False)
    # The header that the key travels in; all but the dated Azure OpenAI API take a bearer's.
    key_header: str = "Authorization"
    api_version: str = ""
    weight: int = 1
    can_continue: bool = False
    # What the model reads at most here; None where nobody told.
    context_tokens: int | None = None
    # The model's own sampling, where a request says nothing.
    defaults: Mapping[str, object] = field(default_factory=dict)
    # Names the deployment among all processes; empty where nothing routes to it.
    deployment: str = ""
    # How many answers it writes at once at most; None for any number.
    slots: int | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: turns in the queue and limits go by it."""

    user_id: uuid.UUID
    api_key_id: uuid.UUID | None = None


Scope = Literal["everyone", "user", "members", "group", "key"]
Counted = Literal["requests", "tokens", "cost"]
Span = Literal["minute", "hour", "day", "month"]


@dataclass(frozen=True, slots=True)
class LimitRule:
    """How much of a measure somebody may use in a period, as `inference.models.Limit` says it.

    `amount` counts requests, tokens, or millionths of the currency. `members` are the people of its group.
    """

    id: uuid.UUID
    scope: Scope
    measure: Counted
    period: Span
    amount: int
    model_id: uuid.UUID | None = None
    user_id: uuid.UUID | None = None
    group_id: int | None = None
    group_name: str = ""
    members: frozenset[uuid.UUID] = frozenset()
    api_key_id: uuid.UUID | None = None

    def subject_for(self, caller: Caller) -> str | None:
        """Who shares one count under this rule, or None where it does not concern this caller."""
        match self.scope:
            case "everyone":
                return str(caller.user_id)
            case "user":
                return str(caller.user_id) if caller.user_id == self.user_id else None
            case "members":
                return str(caller.user_id) if caller.user_id in self.members else None
            case "group":
                return f"group-{self.group_id}" if caller.user_id in self.members else None
            case "key":
                return f"key-{self.api_key_id}" if caller.api_key_id == self.api_key_id else None


@dataclass(frozen=True, slots=True)
class ModelTarget:
    """A model as it is called: what it can do and every place that runs it, at least one."""

    id: uuid.UUID
    name: str
    label: str
    capabilities: frozenset[str]
    context_tokens: int | None
    endpoints: tuple[Endpoint, ...]
    # How many answers all its endpoints together write at once at most; None for any number.
    slots: int | None = None
    # For how long an answer to a repeatable request is kept; 0 for not at all.
    cache_seconds: int = 0
    limits: tuple[LimitRule, ...] = ()

    @property
    def is_routed(self) -> bool:
        """Whether a request needs more than the one way there is: a choice, or a place."""
        if len(self.endpoints) > 1 or self.slots is not None:
            return True
        return self.endpoints[0].slots is not None

    @property
    def can_continue(self) -> bool:
        """Whether an interrupted answer can be carried on by every server that may get it."""
        return all(endpoint.can_continue for endpoint in self.endpoints)

    @property
    def needs_passages(self) -> bool:
        """Whether it can say nothing but what passages say, as `quotes` does."""
        return all(endpoint.kind == "quotes" for endpoint in self.endpoints)


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """A model as people choose it."""

    id: uuid.UUID
    name: str
    label: str
    capabilities: tuple[str, ...]
    is_default: bool
    context_tokens: int | None


@dataclass(frozen=True, slots=True)
class ModelDetails:
    """What a server says about a model it has; None or empty where it does not say."""

    name: str
    capabilities: tuple[str, ...] | None = None
    context_tokens: int | None = None
    dimensions: int | None = None
    parameters: int | None = None
    # As the server writes it: Q4_K_M, bfloat16.
    quantisation: str = ""
    family: str = ""
    size_bytes: int | None = None
    # Whether it is in memory now.
    is_loaded: bool | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long operation is. `step` is the server's own word for what it does; a step may have no bytes."""

    step: str
    done_bytes: int = 0
    total_bytes: int | None = None
    is_done: bool = False


@dataclass(frozen=True, slots=True)
class EmbeddingModel:
    """The model that texts are embedded with now, and the length of its vectors."""

    name: str
    dimensions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a model, however it ended, for the usage rows. Times are in seconds."""

    user_id: uuid.UUID | None
    model_name: str
    prompt_tokens: int
    completion_tokens: int
    first_token_seconds: float | None
    duration_seconds: float
    error_code: str = ""
    is_stopped: bool = False
    api_key_id: uuid.UUID | None = None
    is_cached: bool = False
    trial_id: uuid.UUID | None = None
    arm: str = ""
