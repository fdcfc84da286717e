"""From a server's error response to one of our errors. No IO, and none of the server's words leave this module.

Error bodies are OpenAI's object (https://platform.openai.com/docs/guides/error-codes), Ollama's `{"error": "…"}`
or vLLM's flat object; anything else is judged by its status alone.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import msgspec

from inference.errors import (
    AnswerGarbled,
    ContextTooLong,
    KeyRefused,
    ModelGone,
    RateLimited,
    RequestRejected,
    ServerError,
    ServerFailed,
)

# OpenAI's and vLLM's code, llama.cpp's type, and the sentences of those that only write one.
_TOO_LONG = re.compile(
    r"context_length_exceeded|exceed_context_size|maximum context length|context (length|size|window)"
    r"|prompt is too long|input (is )?too long|too many tokens|longer than the (maximum )?model",
    re.IGNORECASE,
)
# OpenAI's, vLLM's and Ollama's words, and Azure's.
_NO_MODEL = re.compile(r"model|deployment", re.IGNORECASE)


class _ErrorObject(msgspec.Struct):
    message: object = ""
    code: object = None
    type: object = None


class _ErrorBody(_ErrorObject):
    error: _ErrorObject | str | None = None


def read_refusal(status: int, headers: Mapping[str, str], body: bytes, *, server_name: str) -> ServerError:
    """The error that an HTTP response outside 200-299 means. Header names are looked up in lower case."""
    if status in (401, 403):
        return KeyRefused(server_name)
    if status == 429:
        return RateLimited(server_name, _retry_after_seconds(headers))
    if status >= 500:
        # llama.cpp has sent this one as 500.
        return ContextTooLong(server_name) if _says_too_long(body) else ServerFailed(server_name)
    if status in (400, 413, 422):
        return ContextTooLong(server_name) if _says_too_long(body) else RequestRejected(server_name)
    if status == 404:
        # A server that knows the path says that it lacks the model; what else is not found is the path.
        return ModelGone(server_name) if _says_no_model(body) else AnswerGarbled(server_name)
    if status < 400:
        return AnswerGarbled(server_name)
    return RequestRejected(server_name)


def read_error_in_stream(error: bytes, *, server_name: str) -> ServerError:
    """The error that an error object inside a stream means."""
    found = _error_of(b'{"error":' + error + b"}")
    status = found.code if found and isinstance(found.code, int) and 400 <= found.code < 600 else 500
    return read_refusal(status, {}, b'{"error":' + error + b"}", server_name=server_name)


def _error_of(body: bytes) -> _ErrorObject | None:
    try:
        found = msgspec.json.decode(body, type=_ErrorBody)
    except msgspec.DecodeError:
        return None
    if isinstance(found.error, str):
        return _ErrorObject(message=found.error)
    if found.error is not None:
        return found.error
    return found if found.message else None


def _says_no_model(body: bytes) -> bool:
    found = _error_of(body)
    return found is not None and bool(_NO_MODEL.search(f"{found.code} {found.type} {found.message}"))


def _says_too_long(body: bytes) -> bool:
    found = _error_of(body)
    return found is not None and bool(_TOO_LONG.search(f"{found.code} {found.type} {found.message}"))


def _retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Azure OpenAI's milliseconds, or the standard header as seconds or as a date (RFC 9110, 10.2.3)."""
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        value = headers.get("retry-after", "")
        if value.replace(".", "", 1).isdigit():
            return float(value)
        if value:
            return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        pass
    return None
