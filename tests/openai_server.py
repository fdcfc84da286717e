"""The one fake of the test suite: an OpenAI-compatible model server on loopback that does what a script says.

It speaks real HTTP from a thread of its own, so that synchronous and asynchronous tests use it alike:

    with ScriptedServer() as server:
        server.script(Answer(text="Paris."), Refusal(429, retry_after=3))
        … server.url …
        assert server.chats[0].body["messages"] == …

Scripts are used up one per chat request; after them, and without any, it recites numbered tokens,
`<i>:<monotonic time>;`, as many as `max_tokens` asks for (20), at the pace the model's name says (`pace-50` is
50 a second). An answer carries on from a final assistant message, as servers with prefill do.
"""

import asyncio
import base64
import hashlib
import json
import math
import struct
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["openai", "ollama", "vllm", "llamacpp"]
OWNERS = {"openai": "fake", "ollama": "library", "vllm": "vllm", "llamacpp": "llamacpp"}
DEFAULT_TOKENS = 20


@dataclass
class ToolCall:
    """A tool call; its arguments are sent in two pieces."""

    name: str
    arguments: str
    id: str = "call_1"


@dataclass
class Answer:
    """What one chat request gets: pieces of text at a pace, and at most one mishap after `after` pieces."""

    text: str | None = None
    tokens: Sequence[str] = ()
    thinking: Sequence[str] = ()
    thinking_field: str = "reasoning_content"
    tool_calls: Sequence[ToolCall] = ()
    pace: float = 0
    usage: tuple[int, int] | None = None
    finish: str | None = "stop"
    mishap: Literal["stall", "cut", "garbage", "error", "silent_end", "no_finish"] | None = None
    after: int = 0
    # Seconds of silence before the response's first byte, as a server has that loads its model.
    delay: float = 0

    @property
    def pieces(self) -> Sequence[str]:
        # Words with the blank before them, as most tokenizers cut.
        if self.text is None:
            return self.tokens
        return [word if at == 0 else f" {word}" for at, word in enumerate(self.text.split(" "))]


@dataclass
class Refusal:
    """An error response. `body` replaces OpenAI's error object, for servers with shapes of their own."""

    status: int
    message: str = "no"
    code: str | None = None
    retry_after: float | str | None = None
    body: bytes | None = None


@dataclass
class Recorded:
    """A request as it came in; header names are lower case, `body` is what JSON says or else bytes."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Response:
    """What a further path of a test answers: bytes, something for JSON, or `lines` sent one by one."""

    body: object = b""
    status: int = 200
    content_type: str = "application/json"
    lines: Sequence[object] = ()
    seconds_between_lines: float = 0
    # Headers besides, as they go over the wire.
    headers: dict[str, str] = field(default_factory=dict)
    # Break the connection after the lines.
    is_cut: bool = False


Route = Callable[[Recorded], Response]


def too_long(limit: int = 4096, asked: int = 9000) -> Refusal:
    """What OpenAI and vLLM say when the conversation does not fit."""
    message = f"This model's maximum context length is {limit} tokens. However, you requested {asked} tokens."
    return Refusal(400, message, code="context_length_exceeded")


def embed(text: str, dimensions: int) -> list[float]:
    """A unit vector that depends on the text's words alone: texts that share words are near each other."""
    vector = [0.0] * dimensions
    for word in text.lower().split():
        digest = hashlib.sha1(word.strip(".,;:!?").encode()).digest()
        for at in range(0, 16, 2):
            vector[int.from_bytes(digest[at : at + 2]) % dimensions] += 1.0 if digest[at] & 1 else -1.0
    norm = math.sqrt(sum(value * value for value in vector)) or 1.0
    return [value / norm for value in vector]


@dataclass
class ScriptedServer:
    """A model server; enter it to start it. Everything about it may be changed while it runs."""

    kind: Kind = "openai"
    models: Sequence[str | dict[str, Any]] = ("pace-0", "pace-50")
    api_key: str = ""
    key_header: str = "authorization"
    dimensions: int = 32
    chat_path: str = "/v1/chat/completions"
    # Paths beyond OpenAI's chat and embeddings, by method and path.
    routes: dict[tuple[str, str], Route] = field(default_factory=dict)
    # Asked about every path that nothing else answers.
    fallback: Callable[[Recorded], Response | None] | None = None
    embedding_refusals: list[Refusal] = field(default_factory=list)
    # Answers every request so instead, for instance with a page of HTML.
    answer_everything: Refusal | None = None

    requests: list[Recorded] = field(default_factory=list, init=False)
    open_streams: int = field(default=0, init=False)
    # Streams that the client left before their end.
    left_streams: int = field(default=0, init=False)
    connections_made: int = field(default=0, init=False)
    port: int = field(default=0, init=False)
    _drops: int = field(default=0, init=False)
    _scripts: deque[Answer | Refusal] = field(default_factory=deque, init=False)

    @property
    def root_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.root_url}/v1"

    @property
    def chats(self) -> list[Recorded]:
        return [request for request in self.requests if request.path.endswith("/chat/completions")]

    def chats_at(self, path: str) -> list[Recorded]:
        """The chat requests at a path of another API, whatever their query."""
        return [request for request in self.requests if request.path.partition("?")[0] == path]

    @property
    def embedding_requests(self) -> list[Recorded]:
        return [request for request in self.requests if request.path.endswith("/embeddings")]

    def script(self, *scripts: Answer | Refusal) -> None:
        """Add what the next chat requests get, in order."""
        self._scripts.extend(scripts)

    def forget(self) -> None:
        """As if nothing had been asked or scripted yet; for a server that several tests share."""
        self._scripts.clear()
        self.requests.clear()
        self.embedding_refusals.clear()
        self.answer_everything, self.left_streams = None, 0

    def drop_next_request(self) -> None:
        """Close the next connection that asks something, as a server does with one it held to be idle."""
        self._drops += 1

    def wait_until(self, is_so: Callable[[], bool], seconds: float = 5) -> None:
        """Block until the condition holds; for synchronous tests."""
        end = time.monotonic() + seconds
        while not is_so():
            if time.monotonic() > end:
                raise AssertionError("The model server waited in vain.")
            time.sleep(0.005)

    def __enter__(self) -> "ScriptedServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen; on the same port as before, if it was stopped."""
        self._loop = asyncio.new_event_loop()
        started = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(started,), name="scripted-server", daemon=True
        )
        self._thread.start()
        started.wait(5)

    def stop(self) -> None:
        """Break every connection and refuse new ones, as a killed server does."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(5)

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve(started))
        finally:
            self._loop.close()

    async def _serve(self, started: threading.Event) -> None:
        self._stopping = asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()
        # The same port again when a stopped server is started anew, as a restarted process would have.
        server = await asyncio.start_server(self._connected, "127.0.0.1", self.port, backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await self._stopping.wait()
        server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        self.connections_made += 1
        try:
            while (request := await _read_request(reader)) is not None:
                if self._drops:
                    self._drops -= 1
                    break
                self.requests.append(request)
                if not await self._answer(request, reader, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # The client has gone, or the test is over.
        finally:
            self._connections.discard(task)
            writer.close()

    async def _answer(
        self, request: Recorded, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Answer one request; False where the connection must not be used again."""
        bare_path = request.path.partition("?")[0]
        path = bare_path.removeprefix("/v1")
        if self.answer_everything:
            _refuse(writer, self.answer_everything)
        elif not self._is_ours(request):
            _refuse(writer, Refusal(401, "Incorrect API key provided: sk-…", code="invalid_api_key"))
        elif route := self.routes.get((request.method, bare_path)):
            return await _respond(writer, route(request))
        elif bare_path == self.chat_path and request.method == "POST":
            return await self._chat(request, reader, writer)
        elif request.path == "/v1/embeddings":
            self._embeddings(request, writer)
        elif request.path == "/v1/models":
            _reply(writer, {"object": "list", "data": [self._model(model) for model in self.models]})
        elif path in _OWN_PATHS[self.kind]:
            _reply(writer, _OWN_PATHS[self.kind][path])
        elif self.fallback and (response := self.fallback(request)):
            return await _respond(writer, response)
        else:
            _refuse(writer, Refusal(404, f"no {request.path}"))
        await writer.drain()
        return True

    def _is_ours(self, request: Recorded) -> bool:
        prefix = "Bearer " if self.key_header == "authorization" else ""
        return not self.api_key or request.headers.get(self.key_header) == f"{prefix}{self.api_key}"

    def _model(self, model: str | dict[str, Any]) -> dict[str, Any]:
        extra = {"id": model} if isinstance(model, str) else model
        return {"object": "model", "created": 1, "owned_by": OWNERS[self.kind], **extra}

    def _embeddings(self, request: Recorded, writer: asyncio.StreamWriter) -> None:
        if self.embedding_refusals:
            return _refuse(writer, self.embedding_refusals.pop(0))
        wanted = request.body["input"]
        texts = [wanted] if isinstance(wanted, str) else wanted
        vectors: list[Any] = [embed(text, self.dimensions) for text in texts]
        if request.body.get("encoding_format") == "base64":
            vectors = [base64.b64encode(struct.pack(f"<{len(v)}f", *v)).decode() for v in vectors]
        data = [{"object": "embedding", "index": at, "embedding": v} for at, v in enumerate(vectors)]
        tokens = sum(len(text.split()) for text in texts)
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        # The last one first: clients must go by the index.
        return _reply(
            writer, {"object": "list", "model": request.body["model"], "data": data[::-1], "usage": usage}
        )

    async def _chat(
        self, request: Recorded, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        script = self._scripts.popleft() if self._scripts else _numbered(request.body)
        if isinstance(script, Refusal):
            _refuse(writer, script)
            return True
        await asyncio.sleep(script.delay)
        if not request.body.get("stream"):
            message = {"role": "assistant", "content": "".join(script.pieces)}
            choice = {"index": 0, "message": message, "finish_reason": script.finish}
            _reply(writer, {"id": "c", "object": "chat.completion", "choices": [choice]})
            return True
        self.open_streams += 1
        try:
            return await self._stream(request.body, script, reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            self.left_streams += 1
            raise
        finally:
            self.open_streams -= 1

    async def _stream(
        self, body: dict[str, Any], script: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        sent = 0
        async for delta in _paced(_deltas(body, script), script.pace):
            if script.mishap and sent >= script.after:
                return await _mishap(script.mishap, reader, writer)
            if reader.at_eof():
                raise ConnectionResetError
            _event(writer, _chunk(body, delta))
            sent += 1
            await writer.drain()
        if script.mishap and script.mishap != "no_finish":
            return await _mishap(script.mishap, reader, writer)
        if script.mishap != "no_finish":
            _event(writer, _chunk(body, {}, finish=script.finish))
        if script.usage or (body.get("stream_options") or {}).get("include_usage"):
            prompt, completion = script.usage or (10, sent)
            usage = {
                "prompt_tokens": prompt,
                "completion_tokens": completion,
                "total_tokens": prompt + completion,
            }
            _event(writer, {**_chunk(body, {}), "choices": [], "usage": usage})
        _event(writer, b"[DONE]")
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True


_OWN_PATHS: dict[str, dict[str, Any]] = {
    "openai": {},
    "ollama": {"/api/version": {"version": "0.13.0"}},
    "vllm": {"/version": {"version": "0.20.0"}, "/health": {}},
    "llamacpp": {"/props": {"default_generation_settings": {"n_ctx": 4096}, "build_info": "b7000"}},
}


async def _read_request(reader: asyncio.StreamReader) -> Recorded | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin1").strip().split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    raw = await reader.readexactly(int(headers.get("content-length", 0)))
    body: Any = raw or None
    if raw and headers.get("content-type", "application/json") == "application/json":
        body = json.loads(raw)
    return Recorded(method, path, headers, body)


async def _respond(writer: asyncio.StreamWriter, response: Response) -> bool:
    if not response.lines:
        body = response.body if isinstance(response.body, bytes) else json.dumps(response.body).encode()
        extra = "".join(f"{name}: {value}\r\n" for name, value in response.headers.items())
        _send(writer, response.status, body, extra, response.content_type)
        await writer.drain()
        return True
    head = (
        f"HTTP/1.1 {response.status} X\r\nContent-Type: {response.content_type}\r\nTransfer-Encoding: chunked"
    )
    writer.write(head.encode() + b"\r\n\r\n")
    for line in response.lines:
        data = line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n"
        writer.write(b"%x\r\n%s\r\n" % (len(data), data))
        await writer.drain()
        await asyncio.sleep(response.seconds_between_lines)
    if response.is_cut:
        writer.transport.abort()
        return False
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    return True


def _reply(writer: asyncio.StreamWriter, body: object) -> None:
    _send(writer, 200, json.dumps(body).encode())


def _refuse(writer: asyncio.StreamWriter, refusal: Refusal) -> None:
    error = {"message": refusal.message, "type": "error", "code": refusal.code}
    body = refusal.body if refusal.body is not None else json.dumps({"error": error}).encode()
    extra = "" if refusal.retry_after is None else f"Retry-After: {refusal.retry_after}\r\n"
    _send(writer, refusal.status, body, extra)


def _send(
    writer: asyncio.StreamWriter,
    status: int,
    body: bytes,
    extra: str = "",
    content_type: str = "application/json",
) -> None:
    length = "" if "content-length:" in extra.lower() else f"Content-Length: {len(body)}\r\n"
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {content_type}\r\n{length}{extra}\r\n"
    writer.write(head.encode() + body)


def _event(writer: asyncio.StreamWriter, data: object) -> None:
    payload = data if isinstance(data, bytes) else json.dumps(data).encode()
    event = b"data: " + payload + b"\n\n"
    writer.write(b"%x\r\n%s\r\n" % (len(event), event))


def _chunk(body: dict[str, Any], delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "model": body["model"], "choices": [choice]}


def _numbered(body: dict[str, Any]) -> Answer:
    """The default script: numbered tokens, from the one after those the assistant message has already."""
    count = int(body.get("max_tokens") or body.get("max_completion_tokens") or DEFAULT_TOKENS)
    _, _, pace = body["model"].rpartition("pace-")
    first = _prefix(body).count(";")
    numbers = [str(number) for number in range(first, max(first, count))]
    return Answer(tokens=numbers, pace=float(pace) if pace.replace(".", "").isdigit() else 0)


def _prefix(body: dict[str, Any]) -> str:
    last = body["messages"][-1]
    return last["content"] if last["role"] == "assistant" else ""


def _deltas(body: dict[str, Any], script: Answer) -> list[dict[str, Any]]:
    deltas: list[dict[str, Any]] = [{script.thinking_field: text} for text in script.thinking]
    said = _prefix(body)
    for piece in script.pieces:
        if said and said.startswith(piece):
            said = said[len(piece) :]
            continue
        deltas.append({"content": piece})
    for index, call in enumerate(script.tool_calls):
        half = len(call.arguments) // 2
        start = {"name": call.name, "arguments": call.arguments[:half]}
        deltas.append(
            {"tool_calls": [{"index": index, "id": call.id, "type": "function", "function": start}]}
        )
        rest = {"arguments": call.arguments[half:]}
        deltas.append({"tool_calls": [{"index": index, "function": rest}]})
    return deltas


async def _paced(deltas: list[dict[str, Any]], pace: float) -> AsyncIterator[dict[str, Any]]:
    start = time.monotonic()
    for at, delta in enumerate(deltas):
        if pace:
            await asyncio.sleep(max(0.0, start + at / pace - time.monotonic()))
        # A numbered token tells when it left, so that a reader on this machine sees how long it travelled.
        if delta.get("content", "").isdigit():
            delta = {"content": f"{delta['content']}:{time.monotonic():.6f};"}
        yield delta


async def _mishap(mishap: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    if mishap == "stall":
        await writer.drain()
        while not reader.at_eof():
            await asyncio.sleep(0.01)
        raise ConnectionResetError
    if mishap == "garbage":
        _event(writer, b'{"choices": [{"delta": <html>')
    elif mishap == "error":
        _event(writer, {"error": {"message": "CUDA out of memory", "type": "server_error", "code": 500}})
    if mishap == "cut":
        await writer.drain()
        writer.transport.abort()
        return False
    # A clean end of the body, with neither a finish reason nor [DONE].
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    return True
