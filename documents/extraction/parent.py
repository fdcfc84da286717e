"""Has files read by the reading process (`child`), watches it, and hands its pages on. Knows nothing of rows."""

import array
import atexit
import contextlib
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

import documents
from documents.errors import error_for
from documents.extraction.pages import ExtractedPage
from documents.extraction.wire import (
    LENGTH,
    MESSAGE_BYTES_MAX,
    End,
    Failure,
    Message,
    PageRead,
    Request,
    Steps,
    decode_ended,
    decode_message,
    encode_request,
)

# The slowest of 350 ARAGOG pages takes 60 ms, a megabyte of a workbook 8 s; ten minutes of processor are for the
# 20,000-page archive. A small file that needs more than its share is made to.
CPU_SECONDS = 600
CPU_SECONDS_AT_LEAST = 20
CPU_SECONDS_PER_MEGABYTE = 20
WALL_SECONDS = 1200
# PDFium and lxml need a few times the file; the rest is address space that is mapped, not used.
MEMORY_BYTES = 2 * 1024 * 1024 * 1024
# A fork leaves nothing behind, so this is for what a library may leak while it waits.
FILES_MAX = 1000
EXIT_SECONDS = 5
_READ_BYTES = 65_536
_PACKET_BYTES = 1024
_KILLED_FOR_COST = {-signal.SIGKILL, -signal.SIGXCPU}
_ROOT = Path(documents.__file__).resolve().parent.parent


class _Reader:
    """The running process, and the socket to it. One file at a time, as the worker does."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [
                sys.executable,
                "-m",
                "documents.extraction.child",
                str(theirs.fileno()),
                str(os.getpid()),
            ]
            self._process = subprocess.Popen(
                command,
                cwd=_ROOT,
                env={"PATH": os.defpath, "PYTHONUTF8": "1", "OMP_NUM_THREADS": "1", "OMP_THREAD_LIMIT": "1"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self._socket = ours
        self.owner = os.getpid()
        self.files = 0

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None and self.files < FILES_MAX

    def ask(self, request: Request) -> int:
        """Begin with a file; the descriptor that its pages can be read from, the caller's to close."""
        self.files += 1
        ours, theirs = os.pipe()
        try:
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [theirs]))]
            self._socket.sendmsg([encode_request(request)], rights)
        except OSError:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        return ours

    def await_end(self) -> int:
        """The status with which the file's reader ended."""
        self._socket.settimeout(EXIT_SECONDS)
        try:
            data = self._socket.recv(_PACKET_BYTES)
            return decode_ended(data).status if data else -signal.SIGKILL
        except (TimeoutError, OSError, msgspec.MsgspecError):
            self.kill()
            return -signal.SIGKILL

    def kill(self) -> None:
        """End it with what it is at; the kernel ends the file's reader with it."""
        self._socket.close()
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()


_reader: _Reader | None = None


def _running_reader() -> _Reader:
    """This process's reader, begun when it is first needed and anew when it has died or read enough."""
    global _reader
    if _reader is not None and _reader.owner == os.getpid():
        if _reader.is_alive:
            return _reader
        _reader.kill()
    _reader = _Reader()
    return _reader


def _begin(request: Request) -> tuple[_Reader, int]:
    reader = _running_reader()
    try:
        return reader, reader.ask(request)
    except OSError:
        # It died while it waited.
        stop_reader()
    reader = _running_reader()
    return reader, reader.ask(request)


def stop_reader() -> None:
    """End this process's reader, if it has one."""
    global _reader
    if _reader is not None and _reader.owner == os.getpid():
        _reader.kill()
    _reader = None


atexit.register(stop_reader)


def read_pages(
    path: Path,
    media_type: str,
    *,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    cpu_seconds: int | None = None,
    wall_seconds: float = WALL_SECONDS,
    memory_bytes: int = MEMORY_BYTES,
) -> Iterator[ExtractedPage]:
    """The pages of the file, in order, as they are read. Processor time is by the file's size, if none is given.

    `on_progress` gets how many pages are read, and of how many. Raises a `DocumentError`: what is wrong with the
    file, or `ReadingTooCostly` if reading it went past a limit. Closing the iterator ends the reading.
    """
    deadline = time.monotonic() + wall_seconds
    reader, pipe = _begin(Request(str(path), media_type, cpu_seconds or _fair_seconds(path), memory_bytes))
    is_over = has_ended = False
    try:
        for message in _messages(pipe, deadline):
            match message:
                case Steps(done, total):
                    on_progress(done, total)
                case PageRead(page):
                    yield page
                case Failure(code):
                    is_over = True
                    raise error_for(code)
                case End():
                    is_over = True
                    return
        # It died without a word: by a limit, by the kernel for memory, or by what its file made it do.
        is_over = True
        has_ended = True
        status = reader.await_end()
        raise error_for("reading_too_costly" if status in _KILLED_FOR_COST else "file_damaged")
    finally:
        os.close(pipe)
        if not is_over:
            reader.kill()
        elif not has_ended:
            reader.await_end()


def _fair_seconds(path: Path) -> int:
    megabytes = path.stat().st_size / 1024 / 1024
    return min(CPU_SECONDS, CPU_SECONDS_AT_LEAST + round(CPU_SECONDS_PER_MEGABYTE * megabytes))


def _messages(pipe: int, deadline: float) -> Iterator[Message]:
    """What the reader writes until it stops; a message that makes no sense counts as a damaged file."""
    buffer = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise error_for("reading_too_costly")
            data = os.read(pipe, _READ_BYTES)
            if not data:
                return
            buffer += data
            yield from _take_messages(buffer)


def _take_messages(buffer: bytearray) -> Iterator[Message]:
    """Cut the whole messages off the front of the buffer."""
    while len(buffer) >= LENGTH.size:
        (length,) = LENGTH.unpack_from(buffer)
        if length > MESSAGE_BYTES_MAX:
            raise error_for("file_damaged")
        end = LENGTH.size + length
        if len(buffer) < end:
            return
        try:
            message = decode_message(bytes(buffer[LENGTH.size : end]))
        except msgspec.MsgspecError as error:
            raise error_for("file_damaged") from error
        del buffer[:end]
        yield message
