"""Server-sent events out of bytes: the `data` of each event, without IO and without a view on what is in it.

The format is https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation, less
what no model server sends: lines that end in a bare carriage return, and event ids.
"""

# Far above any event of a model server; what is longer is a page or a file and not a stream of events.
MAX_LINE_BYTES = 4 * 1024 * 1024


class EventDecoder:
    """Feed it what the network gave, in any pieces; it gives whole events as soon as they are there."""

    __slots__ = ("_data", "_rest")

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def decode(self, received: bytes) -> list[bytes]:
        """The `data` of the events that `received` completes; raises `ValueError` on an endless line."""
        lines = (self._rest + received).split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) > MAX_LINE_BYTES:
            raise ValueError("A line of the event stream does not end.")
        events: list[bytes] = []
        for line in lines:
            if line.startswith(b"data:"):
                self._data.append(line[5:].strip())
            elif self._data and line in (b"", b"\r"):
                events.append(self._take())
        return events

    def flush(self) -> list[bytes]:
        """The event that the stream ended in, for servers that leave out the last empty line."""
        if self._rest.startswith(b"data:"):
            self._data.append(self._rest[5:].strip())
        self._rest = b""
        return [self._take()] if self._data else []

    def _take(self) -> bytes:
        data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
        self._data.clear()
        return data
