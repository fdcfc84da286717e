"""A ZIP archive while it is written: each member leaves memory as soon as it is whole."""

import io


class Window(io.RawIOBase):
    """The end of a file that is being written, from where it was last taken away."""

    def __init__(self) -> None:
        super().__init__()
        self._begin, self._kept = 0, io.BytesIO()

    def take(self) -> bytes:
        taken = self._kept.getvalue()
        self._begin, self._kept = self._begin + len(taken), io.BytesIO()
        return taken

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._begin + self._kept.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        assert whence == io.SEEK_SET
        assert offset >= self._begin
        return self._begin + self._kept.seek(offset - self._begin)

    def write(self, data: bytes) -> int:  # type: ignore[override]
        return self._kept.write(data)
