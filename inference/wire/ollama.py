"""Ollama's own API above `/v1`, as others see it here: what is there, and how models come and go.

Requests and answers are those of https://github.com/ollama/ollama/blob/main/docs/api.md. Long ones (pull, create)
answer with one JSON object a line, an `error` among them even under status 200.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import BinaryIO, TypeVar

import msgspec

from inference.errors import AnswerGarbled, ModelGone, ModelNotInLibrary, ServerFailed, StreamCut
from inference.models import Capability
from inference.net.http import Place, call, send_file
from inference.net.transport import EventStream, Timeouts, open_stream
from inference.types import Endpoint, ModelDetails, Progress

ANSWER_SECONDS = 10.0
# A model of tens of gigabytes is read from disk first.
LOAD_SECONDS = 300.0
LONGEST_LINE_BYTES = 64 * 1024
# Ollama verifies a whole layer, gigabytes of it, without a word.
PULL_PATIENCE = Timeouts(first_event_seconds=60.0, between_events_seconds=300.0)

Answer = TypeVar("Answer", bound=msgspec.Struct)

_CAPABILITIES = {
    "completion": Capability.CHAT,
    "embedding": Capability.EMBEDDINGS,
    "vision": Capability.VISION,
    "tools": Capability.TOOLS,
    "thinking": Capability.REASONING,
}


class _Details(msgspec.Struct):
    family: str | None = ""
    parameter_size: str | None = ""
    quantization_level: str | None = ""


class _Shown(msgspec.Struct):
    details: _Details = msgspec.field(default_factory=_Details)
    model_info: dict[str, object] | None = None
    # Older than 0.6 does not tell.
    capabilities: list[str] | None = None


class _Tag(msgspec.Struct):
    name: str
    size: int | None = None


class _Tags(msgspec.Struct):
    models: list[_Tag] | None = None


class _Line(msgspec.Struct):
    status: str = ""
    total: int | None = None
    completed: int | None = None
    error: str | None = None


_decode_line = msgspec.json.Decoder(_Line).decode


def show(server: Place, name: str) -> ModelDetails:
    """What Ollama says about a model. Raises ServerError; `ModelGone` if it has none of that name."""
    answer = _read(
        server, call(server, "/api/show", _json(model=name), answer_seconds=ANSWER_SECONDS), _Shown
    )
    info = answer.model_info or {}
    architecture = info.get("general.architecture")
    told = answer.capabilities
    return ModelDetails(
        name=name,
        family=answer.details.family or "",
        parameters=_count(info, "general.parameter_count"),
        quantisation=answer.details.quantization_level or "",
        context_tokens=_count(info, f"{architecture}.context_length"),
        dimensions=_count(info, f"{architecture}.embedding_length") if told and "embedding" in told else None,
        capabilities=None
        if told is None
        else tuple(_CAPABILITIES[word] for word in told if word in _CAPABILITIES),
    )


def show_whole(server: Place, name: str) -> ModelDetails:
    """The same, with its size on disk and whether it is in memory."""
    return replace(show(server, name), size_bytes=sizes(server).get(name), is_loaded=name in loaded(server))


def sizes(server: Place) -> dict[str, int]:
    """Bytes on disk of every model there, by name."""
    listed = _read(server, call(server, "/api/tags", answer_seconds=ANSWER_SECONDS), _Tags).models or []
    return {tag.name: tag.size for tag in listed if tag.size is not None}


def loaded(server: Place) -> frozenset[str]:
    """Names of the models in memory now."""
    listed = _read(server, call(server, "/api/ps", answer_seconds=ANSWER_SECONDS), _Tags).models or []
    return frozenset(tag.name for tag in listed)


def load(server: Place, name: str, *, is_embedding: bool = False) -> None:
    """Bring a model into memory, where it stays for Ollama's usual time after its last use."""
    path, body = (
        ("/api/embed", _json(model=name, input=[])) if is_embedding else ("/api/generate", _json(model=name))
    )
    call(server, path, body, answer_seconds=LOAD_SECONDS)


def unload(server: Place, name: str) -> None:
    """Free the memory of a model as soon as nothing uses it."""
    call(server, "/api/generate", _json(model=name, keep_alive=0), answer_seconds=LOAD_SECONDS)


def delete(server: Place, name: str) -> None:
    """Remove a model from the server's disk."""
    call(server, "/api/delete", _json(model=name), method="DELETE", answer_seconds=ANSWER_SECONDS)


async def pull(endpoint: Endpoint) -> AsyncGenerator[Progress, None]:
    """Have the server fetch `endpoint.remote_name` from its library; the last progress `is_done`.

    Closing the generator ends the pull; what was fetched stays, and the next one goes on from there. Raises
    ServerError; `ModelNotInLibrary` where there is nothing of that name to fetch.
    """
    async for progress in _stream(endpoint, "/api/pull", _json(model=endpoint.remote_name, stream=True)):
        yield progress


async def create(endpoint: Endpoint, file_name: str, sha256: str) -> AsyncGenerator[Progress, None]:
    """Make `endpoint.remote_name` of a GGUF file that was sent before (`send_blob`)."""
    body = _json(model=endpoint.remote_name, files={file_name: f"sha256:{sha256}"}, stream=True)
    async for progress in _stream(endpoint, "/api/create", body):
        yield progress


def has_blob(server: Place, sha256: str) -> bool:
    """Whether the server has these bytes already."""
    try:
        call(server, f"/api/blobs/sha256:{sha256}", method="HEAD", answer_seconds=ANSWER_SECONDS)
    except (ModelGone, AnswerGarbled):
        # A 404; it has no body to tell the two apart.
        return False
    return True


def send_blob(
    server: Place, sha256: str, file: BinaryIO, size_bytes: int, on_sent: Callable[[int], None]
) -> None:
    """Send a file; `on_sent` hears after each block how many bytes are on their way in all."""
    path = f"/api/blobs/sha256:{sha256}"
    send_file(server, path, file, size_bytes, on_sent=on_sent, answer_seconds=LOAD_SECONDS)


async def _stream(endpoint: Endpoint, path: str, body: bytes) -> AsyncGenerator[Progress, None]:
    stream = await open_stream(endpoint, path, body, PULL_PATIENCE)
    try:
        async with aclosing(_lines(stream, endpoint)) as lines:
            async for line in lines:
                if line.error:
                    missing = "not exist" in line.error or "not found" in line.error
                    raise (ModelNotInLibrary if missing else ServerFailed)(endpoint.server_name)
                is_done = line.status == "success"
                yield Progress(line.status, line.completed or 0, line.total, is_done)
                if is_done:
                    return
        raise StreamCut(endpoint.server_name)
    finally:
        stream.close()


async def _lines(stream: EventStream, endpoint: Endpoint) -> AsyncGenerator[_Line, None]:
    rest = b""
    while received := await stream.read():
        stream.begin()
        *lines, rest = (rest + received).split(b"\n")
        if len(rest) > LONGEST_LINE_BYTES:
            raise AnswerGarbled(endpoint.server_name)
        for line in filter(None, lines):
            try:
                yield _decode_line(line)
            except msgspec.DecodeError:
                raise AnswerGarbled(endpoint.server_name) from None


def _read(server: Place, body: bytes, shape: type[Answer]) -> Answer:
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.DecodeError:
        raise AnswerGarbled(server.server_name) from None


def _json(**fields: object) -> bytes:
    return msgspec.json.encode(fields)


def _count(info: dict[str, object], name: str) -> int | None:
    value = info.get(name)
    return value if isinstance(value, int) and value > 0 else None
