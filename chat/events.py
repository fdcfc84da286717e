"""The frames of `/ws/chat/`: what a client may send, and what a server sends, as typed values.

Server frames that belong to a reply are encoded once, when they enter the reply log, and travel as those bytes
to every follower. JSON by msgspec; a frame that does not fit its type raises `MalformedFrame`.
"""

import uuid
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from chat.errors import MalformedFrame

# A cursor is a Redis stream id, `<epoch>-<sequence>` (see chat.running.log); clients only hand it back.
Cursor = Annotated[str, msgspec.Meta(pattern=r"^\d{1,15}-\d{1,15}$")]
BEGINNING = "0-0"

Kind = Literal["answer", "thinking"]
Stage = Literal["reading", "merging", "writing"]


# --- from the client ------------------------------------------------------------------------------------------


class ClientFrame(Struct, tag_field="type", frozen=True):
    """What every client frame may carry."""

    request_id: Annotated[str, msgspec.Meta(max_length=64)] | None = None


class Send(ClientFrame, tag="send", frozen=True):
    text: str = ""
    conversation: uuid.UUID | None = None
    parent: uuid.UUID | None = None
    character: str | None = None
    model: str | None = None
    collections: tuple[uuid.UUID, ...] = ()
    documents: tuple[uuid.UUID, ...] = ()
    # About these documents as wholes; the text may say what to look for, or be left out.
    task: Literal["summarise", "compare", "key_facts"] | None = None
    max_tokens: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    greeting: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0
    persona: uuid.UUID | None = None
    # Short names: with them a new chat is a group, in this order.
    group: tuple[str, ...] = ()
    # Those of the group that answer only when asked.
    muted: tuple[str, ...] = ()
    turn_order: Literal["turn", "mention", "choice"] = "turn"
    # In a group: who shall answer, instead of whoever's turn it is.
    speaker: str | None = None


class Speak(ClientFrame, tag="speak", frozen=True, kw_only=True):
    """In a group: this member answers what was said last."""

    conversation: uuid.UUID
    speaker: str


class Follow(ClientFrame, tag="follow", frozen=True, kw_only=True):
    conversation: uuid.UUID
    cursors: dict[uuid.UUID, Cursor] = {}


class Unfollow(ClientFrame, tag="unfollow", frozen=True, kw_only=True):
    conversation: uuid.UUID


class Stop(ClientFrame, tag="stop", frozen=True, kw_only=True):
    reply: uuid.UUID


class Regenerate(ClientFrame, tag="regenerate", frozen=True, kw_only=True):
    message: uuid.UUID
    model: str | None = None


class Edit(ClientFrame, tag="edit", frozen=True, kw_only=True):
    message: uuid.UUID
    text: str


class Continue(ClientFrame, tag="continue", frozen=True, kw_only=True):
    message: uuid.UUID


class Ping(ClientFrame, tag="ping", frozen=True):
    pass


AnyClientFrame = Send | Follow | Unfollow | Stop | Regenerate | Edit | Continue | Speak | Ping


# --- from the server, in the reply log ------------------------------------------------------------------------


class Delta(Struct, tag_field="type", tag="delta", frozen=True):
    """New text at the end of the answer or of the thinking."""

    reply: str
    cursor: str
    text: str
    kind: Kind = "answer"


class Source(Struct, frozen=True):
    """A passage the answer may cite as `[n]`; `start` and `end` count code points of the page's text."""

    n: int
    document: str
    name: str
    page: int
    text: str
    start: int
    end: int
    score: float
    similarity: float | None = None


class Sources(Struct, tag_field="type", tag="sources", frozen=True, omit_defaults=True):
    """What the answer may cite: all of it, or what comes to it where `is_more` says so."""

    reply: str
    cursor: str
    sources: tuple[Source, ...]
    is_more: bool = False


class Usage(Struct, frozen=True):
    prompt_tokens: int
    completion_tokens: int


class Failure(Struct, frozen=True):
    code: str
    message: str


class Status(Struct, tag_field="type", tag="status", frozen=True, omit_defaults=True):
    """Where the reply stands. complete, stopped and failed are terminal and the last event of a reply."""

    reply: str
    cursor: str
    status: str
    waiting_for: str | UnsetType = UNSET
    queue_position: int | UnsetType = UNSET
    # A task about whole documents: what it does, and how far it is (`step` of `steps`, from 1).
    stage: Stage | UnsetType = UNSET
    step: int | UnsetType = UNSET
    steps: int | UnsetType = UNSET
    thinking_seconds: float | UnsetType = UNSET
    usage: Usage | UnsetType = UNSET
    error: Failure | UnsetType = UNSET


class Reset(Struct, tag_field="type", tag="reset", frozen=True):
    """Forget the text so far: the reply starts over."""

    reply: str
    cursor: str


ReplyFrame = Delta | Sources | Status | Reset


# --- from the server, to one socket ---------------------------------------------------------------------------


class Sent(Struct, tag_field="type", tag="sent", frozen=True):
    """The action is stored; the reply will follow."""

    request_id: str
    conversation: str
    message: str | None
    assistant_message: str
    reply: str
    parent: str | None
    # In a group: who answers.
    speaker: str | None = None


class ErrorFrame(Struct, tag_field="type", tag="error", frozen=True, omit_defaults=True):
    code: str
    message: str
    request_id: str = ""


class Pong(Struct, tag_field="type", tag="pong", frozen=True):
    pass


_client_frames: msgspec.json.Decoder[AnyClientFrame] = msgspec.json.Decoder(AnyClientFrame)
_reply_frames: msgspec.json.Decoder[ReplyFrame] = msgspec.json.Decoder(ReplyFrame)
_encoder = msgspec.json.Encoder()


def decode_client_frame(text: str) -> AnyClientFrame:
    """The typed frame in `text`; raises MalformedFrame with what is wrong and where."""
    try:
        frame = _client_frames.decode(text)
    except msgspec.MsgspecError as error:
        raise MalformedFrame(f"{MalformedFrame.user_message} ({error})") from error
    return frame


def decode_reply_frame(data: bytes) -> ReplyFrame:
    """A frame as it was put into the reply log."""
    return _reply_frames.decode(data)


def encode(frame: Struct) -> bytes:
    """JSON in UTF-8."""
    return _encoder.encode(frame)
