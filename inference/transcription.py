"""Speech to text, through whichever server has a model for it: OpenAI's `/audio/transcriptions`, as Whisper servers
(vLLM, faster-whisper, Azure OpenAI) speak it (https://platform.openai.com/docs/api-reference/audio).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

import msgspec
from urllib3.filepost import encode_multipart_formdata

from inference.asking import ask_in_turn, post
from inference.errors import AnswerGarbled, ModelUnavailable, RequestRejected, TranscriptionUnavailable
from inference.models import Capability
from inference.queries import resolve_model
from inference.types import Endpoint, ModelTarget

# An hour of speech takes Whisper on a processor about ten minutes.
ANSWER_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of what was said, and when."""

    start_seconds: float
    end_seconds: float
    text: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said. `segments` is empty where the model does not tell when."""

    text: str
    segments: tuple[Segment, ...] = ()
    language: str = ""
    duration_seconds: float | None = None


class _Segment(msgspec.Struct):
    start: float
    end: float
    text: str


class _Answer(msgspec.Struct):
    text: str
    segments: list[_Segment] | None = None
    language: str | None = None
    duration: float | str | None = None


def transcribe(
    file: BinaryIO, *, name: str = "audio.wav", language: str = "", model: str | None = None
) -> Transcript:
    """What is said in an audio file, which is read whole into memory; its `name` tells servers the format.

    `language` is an ISO 639-1 code where it is known. Raises `TranscriptionUnavailable` if no model can, or a
    ServerError (`RequestRejected` for a file that the server cannot read).
    """
    try:
        target = resolve_model(model, capability=Capability.TRANSCRIPTION)
    except ModelUnavailable:
        if model is not None:
            raise
        raise TranscriptionUnavailable from None
    data, fields = file.read(), {"language": language} if language else {}
    return ask_in_turn(target, lambda endpoint: _ask(endpoint, name, data, fields))


def forward_transcription(
    target: ModelTarget, name: str, data: bytes, fields: Mapping[str, str | list[str]]
) -> bytes:
    """A server's own answer to a request whose fields somebody else chose, in the format that these ask for."""
    return ask_in_turn(target, lambda endpoint: _post(endpoint, name, data, fields))


def _ask(endpoint: Endpoint, name: str, data: bytes, fields: Mapping[str, str]) -> Transcript:
    timed = {**fields, "response_format": "verbose_json", "timestamp_granularities[]": "segment"}
    try:
        body = _post(endpoint, name, data, timed)
    except RequestRejected:
        # OpenAI's newer models have no times and refuse to be asked for them.
        body = _post(endpoint, name, data, {**fields, "response_format": "json"})
    try:
        answer = msgspec.json.decode(body, type=_Answer)
        duration = None if answer.duration is None else float(answer.duration)
    except (msgspec.DecodeError, ValueError):
        raise AnswerGarbled(endpoint.server_name) from None
    segments = tuple(Segment(one.start, one.end, one.text.strip()) for one in answer.segments or ())
    return Transcript(answer.text.strip(), segments, answer.language or "", duration)


def _post(endpoint: Endpoint, name: str, data: bytes, fields: Mapping[str, str | list[str]]) -> bytes:
    pairs: list[tuple[str, str | tuple[str, bytes]]] = [("model", endpoint.remote_name)]
    for field, value in fields.items():
        pairs += [(field, one) for one in ([value] if isinstance(value, str) else value)]
    pairs.append(("file", (name, data)))
    body, content_type = encode_multipart_formdata(pairs)
    return post(
        endpoint, "/audio/transcriptions", body, answer_seconds=ANSWER_SECONDS, content_type=content_type
    )
