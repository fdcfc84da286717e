"""The ways in that a benchmark measures: the OpenAI-compatible API, and the chat's socket. Both with an API key."""

import asyncio
import contextlib
import time
import uuid
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp
import msgspec

from inference.benchmark.results import Sample

# A model that loads for minutes is a finding; one that says nothing for longer is a failure.
LONGEST_ANSWER_SECONDS = 600
FINAL = frozenset({"complete", "stopped", "failed"})


class BenchmarkError(Exception):
    """Nothing can be measured; its text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Question:
    """What every answer is asked for."""

    model: str
    text: str
    max_tokens: int
    # Short names of characters who all answer, one after another; only over the socket.
    group: tuple[str, ...] = ()


class Door(Protocol):
    """One user's way in; it is entered once and asked many times, one answer after another."""

    async def ask(self, question: Question) -> Sample: ...

    async def close(self) -> None: ...


def new_session(connections: int) -> aiohttp.ClientSession:
    """A session that keeps a connection for each user."""
    limits = aiohttp.ClientTimeout(total=LONGEST_ANSWER_SECONDS, sock_connect=10)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections), timeout=limits, cookie_jar=aiohttp.DummyCookieJar()
    )


async def list_models(session: aiohttp.ClientSession, url: str, key: str) -> list[str]:
    """The chat models that the key may use, the default one first. Raises `BenchmarkError`."""
    try:
        async with session.get(f"{url}/v1/models", headers=_bearer(key)) as response:
            if response.status == 401:
                raise BenchmarkError("The API key is not valid. `manage.py create_api_key EMAIL` makes one.")
            if response.status != 200:
                raise BenchmarkError(
                    f"{url}/v1/models answers {response.status}. Is that where Parlour runs?"
                )
            listed = msgspec.json.decode(await response.read(), type=dict[str, Any])
    except (aiohttp.ClientError, OSError, TimeoutError, msgspec.MsgspecError) as error:
        raise BenchmarkError(f"Parlour does not answer at {url}: {error}") from error
    names = [str(model["id"]) for model in listed.get("data", [])]
    return [name for name in names if not name.startswith("character/")]


class _Usage(msgspec.Struct):
    completion_tokens: int = 0


class _Delta(msgspec.Struct):
    content: str | None = None
    reasoning_content: str | None = None


class _Choice(msgspec.Struct):
    delta: _Delta = msgspec.field(default_factory=_Delta)


class _Chunk(msgspec.Struct):
    choices: list[_Choice] = []
    usage: _Usage | None = None
    error: dict[str, Any] | None = None


_decode_chunk = msgspec.json.Decoder(_Chunk).decode


class HttpDoor:
    """/v1/chat/completions, streamed."""

    def __init__(self, session: aiohttp.ClientSession, url: str, key: str) -> None:
        self._session, self._url, self._key = session, f"{url}/v1/chat/completions", key

    async def ask(self, question: Question) -> Sample:
        body = {
            "model": question.model,
            "messages": [{"role": "user", "content": question.text}],
            "max_tokens": question.max_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        started_at = time.perf_counter()
        try:
            async with self._session.post(self._url, json=body, headers=_bearer(self._key)) as response:
                if response.status != 200:
                    error = await _error_code(response)
                    return Sample(None, time.perf_counter() - started_at, 0, error)
                return await _read_stream(response, started_at)
        except TimeoutError:
            return Sample(None, time.perf_counter() - started_at, 0, "timeout")
        except (aiohttp.ClientError, OSError, msgspec.MsgspecError) as error:
            return Sample(None, time.perf_counter() - started_at, 0, type(error).__name__)

    async def close(self) -> None:
        return None


async def _read_stream(response: aiohttp.ClientResponse, started_at: float) -> Sample:
    first_token: float | None = None
    tokens, pieces, rest, error = 0, 0, b"", ""
    last_at = started_at
    async for received in response.content.iter_any():
        last_at = time.perf_counter()
        *events, rest = (rest + received).split(b"\n\n")
        for event in events:
            data = event.removeprefix(b"data: ")
            if not event.startswith(b"data: ") or data == b"[DONE]":
                continue
            chunk = _decode_chunk(data)
            if chunk.error is not None:
                error = str(chunk.error.get("code") or "error")
            if chunk.usage is not None:
                tokens = chunk.usage.completion_tokens
            delta = chunk.choices[0].delta if chunk.choices else None
            if delta is not None and (delta.content or delta.reasoning_content):
                pieces += 1
                first_token = first_token or last_at - started_at
    if not error and first_token is None:
        error = "empty"
    # Where the server does not count, its pieces are the best there is.
    return Sample(first_token, last_at - started_at, tokens or pieces, error)


class SocketDoor:
    """/ws/chat/, as the page uses it: every answer a conversation of its own, deleted afterwards."""

    def __init__(self, session: aiohttp.ClientSession, url: str, key: str) -> None:
        self._session, self._url, self._key = session, url, key
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._conversations: list[str] = []

    async def ask(self, question: Question) -> Sample:
        started_at = time.perf_counter()
        try:
            if self._socket is None or self._socket.closed:
                address = f"{self._url.replace('http', 'ws', 1)}/ws/chat/"
                self._socket = await self._session.ws_connect(address, headers=_bearer(self._key))
                started_at = time.perf_counter()
            async with asyncio.timeout(LONGEST_ANSWER_SECONDS):
                return await self._converse(self._socket, question, started_at)
        except TimeoutError:
            return Sample(None, time.perf_counter() - started_at, 0, "timeout")
        except (aiohttp.ClientError, OSError) as error:
            return Sample(None, time.perf_counter() - started_at, 0, type(error).__name__)

    async def close(self) -> None:
        """Leave the account as it was."""
        if self._socket is not None:
            await self._socket.close()
        for conversation in self._conversations:
            with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
                address = f"{self._url}/api/v1/conversations/{conversation}"
                async with self._session.delete(address, headers=_bearer(self._key)):
                    pass

    async def _converse(
        self, socket: aiohttp.ClientWebSocketResponse, question: Question, started_at: float
    ) -> Sample:
        request_id = uuid.uuid4().hex
        frame = {
            "type": "send",
            "request_id": request_id,
            "text": question.text,
            "model": question.model,
            "max_tokens": question.max_tokens,
        }
        if question.group:
            frame |= {"group": question.group, "turn_order": "turn"}
        await socket.send_json(frame)
        reply, first_token, pieces, tokens, left = "", None, 0, 0, len(question.group) or 1
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                break
            now = time.perf_counter() - started_at
            event = message.json()
            match event.get("type"):
                case "sent" if event["request_id"] == request_id:
                    reply = event["reply"]
                    self._conversations.append(event["conversation"])
                case "error" if event.get("request_id") == request_id:
                    return Sample(None, now, 0, event["code"])
                # In a group the others' replies are told to this socket by themselves.
                case "delta" if question.group or event["reply"] == reply:
                    first_token = first_token or now
                    pieces += 1
                case "status" if event["status"] in FINAL and (question.group or event["reply"] == reply):
                    usage = event.get("usage") or {}
                    error = (event.get("error") or {}).get("code") or "failed"
                    tokens, pieces = tokens + (usage.get("completion_tokens") or pieces), 0
                    left -= 1
                    if not left or event["status"] == "failed":
                        return Sample(first_token, now, tokens, error if event["status"] == "failed" else "")
        return Sample(None, time.perf_counter() - started_at, 0, "connection_lost")


async def _error_code(response: aiohttp.ClientResponse) -> str:
    try:
        body = msgspec.json.decode(await response.read(), type=dict[str, Any])
        return str(body["error"].get("code") or response.status)
    except (msgspec.MsgspecError, KeyError, AttributeError, TypeError):
        return f"http_{response.status}"


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


DOORS: dict[str, type[HttpDoor] | type[SocketDoor]] = {"http": HttpDoor, "socket": SocketDoor}
