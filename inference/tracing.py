"""Spans of what happens to a question on its way, and the id that joins its log lines. Free where nothing is traced.

`config.tracing` starts OpenTelemetry where a setting asks for it and hands its tracer in here; until then a span is
one shared object that does nothing and no package is imported. Names and ids go into spans, never texts.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Protocol, Self

Attribute = str | int | float | bool

# The reply that this task or thread works on; the log lines of it carry it (`config.logging`).
current_reply: ContextVar[str] = ContextVar("current_reply", default="")


class Span(Protocol):
    """One piece of work under way."""

    @property
    def headers(self) -> Mapping[str, str]:
        """W3C trace context for whoever is called next; empty where nothing is traced."""

    def note(self, **attributes: Attribute) -> None:
        """Add what is known now; `_` in a name is a dot and `__` an underscore."""

    def fail(self, code: str) -> None:
        """The work failed with this error."""

    def end(self) -> None:
        """The work is over; harmless a second time."""


class Tracing(Protocol):
    """What `config.tracing` hands in."""

    def begin(self, name: str, attributes: Mapping[str, Attribute]) -> Span:
        """A span below the current one, which stays current: for generators, which change hands."""

    def enter(
        self, name: str, attributes: Mapping[str, Attribute], headers: Mapping[str, str]
    ) -> AbstractContextManager[Span]:
        """A span that is current within a block: what begins in it is part of it."""

    @property
    def trace_id(self) -> str:
        """Of the current span, as logs and dashboards write it; empty outside of any."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The current span's trace context."""


class _Nothing:
    headers: Mapping[str, str] = {}

    def note(self, **attributes: Attribute) -> None:
        return None

    def fail(self, code: str) -> None:
        return None

    def end(self) -> None:
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


_NOTHING: Any = _Nothing()
_tracing: Tracing | None = None


def install(tracing: Tracing | None) -> None:
    """Trace from now on, or no longer."""
    global _tracing
    _tracing = tracing


def begin(name: str, **attributes: Attribute) -> Span:
    """A span to be ended by hand."""
    return _NOTHING if _tracing is None else _tracing.begin(name, dotted(attributes))


def span(
    name: str, *, headers: Mapping[str, str] | None = None, **attributes: Attribute
) -> AbstractContextManager[Span]:
    """A span around a block; `headers` may bring the caller's trace context (names in lower case)."""
    return _NOTHING if _tracing is None else _tracing.enter(name, dotted(attributes), headers or {})


def is_tracing() -> bool:
    return _tracing is not None


def current_headers() -> Mapping[str, str]:
    """Trace context for what is called or queued from here; empty where nothing is traced."""
    return {} if _tracing is None else _tracing.headers


def current_trace_id() -> str:
    """The id of the trace that goes on here; empty without one."""
    return "" if _tracing is None else _tracing.trace_id


@contextmanager
def reply_span(reply_id: object, **attributes: Attribute) -> Any:
    """A span around all that is done for a reply; log lines within it carry the reply's id."""
    token = current_reply.set(str(reply_id))
    try:
        with span("reply", headers=None, reply_id=str(reply_id), **attributes) as entered:
            yield entered
    finally:
        current_reply.reset(token)


def dotted(attributes: Mapping[str, Attribute]) -> dict[str, Attribute]:
    """Names as OpenTelemetry writes them: `_` is a dot, `__` an underscore."""
    return {
        name.replace("__", "\0").replace("_", ".").replace("\0", "_"): value
        for name, value in attributes.items()
    }
