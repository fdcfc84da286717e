"""The bytes of a streamed chat completion to typed events: lines, runs of equal events, chunks. No IO."""

from inference.types import AnswerDelta, StreamEvent
from inference.wire.completions import ChatDecoder
from inference.wire.runs import RunReader
from inference.wire.sse import MAX_LINE_BYTES, EventDecoder


class AnswerDecoder:
    """Feed it what the network gave, in any pieces; it gives the events that this completes."""

    __slots__ = ("_chat", "_events", "_rest", "_runs", "has_events")

    def __init__(self, *, is_continuing: bool = False) -> None:
        self._events, self._chat, self._runs = (
            EventDecoder(),
            ChatDecoder(is_continuing=is_continuing),
            RunReader(),
        )
        self._rest = b""
        # Whether anything of the protocol was heard.
        self.has_events = False

    @property
    def is_done(self) -> bool:
        """The server has said that this was all."""
        return self._chat.is_done

    def decode(self, received: bytes) -> list[StreamEvent]:
        """Raises `ErrorInStream`, or `msgspec.DecodeError` or `ValueError` on garbage."""
        if self._rest:
            received = self._rest + received
        cut = received.rfind(b"\n") + 1
        lines, self._rest = received[:cut], received[cut:]
        if len(self._rest) > MAX_LINE_BYTES:
            raise ValueError("A line of the event stream does not end.")
        if (text := self._runs.read(lines)) is not None:
            return [AnswerDelta(text)] if text else []
        return self._read(self._events.decode(lines))

    def flush(self) -> list[StreamEvent]:
        """The events of a stream that ended without its last empty line."""
        payloads = self._events.decode(self._rest)
        return self._read(payloads + self._events.flush())

    def finish(self) -> list[StreamEvent] | None:
        """The last events of a stream that has ended, or None if it ended before the answer did."""
        return self._chat.finish()

    def _read(self, payloads: list[bytes]) -> list[StreamEvent]:
        self.has_events = self.has_events or bool(payloads)
        events = self._chat.decode(payloads)
        if payloads and self._runs.is_learning and self._chat.is_passing:
            self._learn(payloads[-1])
        return events

    def _learn(self, payload: bytes) -> None:
        text = self._chat.only_text(payload)
        if text and (other := self._runs.learn(payload, text)) and self._chat.only_text(other) != text + "?":
            self._runs.forget()
