"""Starts the reading child, watches it, and hands its pages on. Knows nothing of rows or claims."""

import contextlib
import os
import selectors
import signal
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
    Steps,
    decode_message,
)

# The slowest of 350 ARAGOG pages takes 60 ms; ten minutes of processor are for the 20,000-page archive.
CPU_SECONDS = 600
WALL_SECONDS = 1200
# PDFium and lxml need a few times the file, which is at most UPLOAD_MAX_MEGABYTES; the rest is address space
# that is mapped, not used.
MEMORY_BYTES = 2 * 1024 * 1024 * 1024
EXIT_SECONDS = 5
_READ_BYTES = 65_536
_KILLED_FOR_COST = {-signal.SIGKILL, -signal.SIGXCPU}
_ROOT = Path(documents.__file__).resolve().parent.parent


def read_pages(
    path: Path,
    media_type: str,
    *,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    cpu_seconds: int = CPU_SECONDS,
    wall_seconds: float = WALL_SECONDS,
    memory_bytes: int = MEMORY_BYTES,
) -> Iterator[ExtractedPage]:
    """The pages of the file, in order, as the child sends them.

    `on_progress` gets how many pages are read, and of how many. Raises a `DocumentError`: what the child says is
    wrong with the file, or `ReadingTooCostly` if it went past a limit. Closing the iterator kills the child.
    """
    command = [sys.executable, "-m", "documents.extraction.child", str(path), media_type]
    with subprocess.Popen(
        [*command, str(cpu_seconds), str(memory_bytes)],
        cwd=_ROOT,
        env={"PATH": os.defpath, "PYTHONUTF8": "1", "OMP_NUM_THREADS": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as child:
        try:
            for message in _messages(child, time.monotonic() + wall_seconds):
                match message:
                    case Steps(done, total):
                        on_progress(done, total)
                    case PageRead(page):
                        yield page
                    case Failure(code):
                        raise error_for(code)
                    case End():
                        return
            child.wait(EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        finally:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
    # It died without a word: by a limit, by the kernel for memory, or by what its file made it do.
    raise error_for("reading_too_costly" if child.returncode in _KILLED_FOR_COST else "file_damaged")


def _messages(child: "subprocess.Popen[bytes]", deadline: float) -> Iterator[Message]:
    """What the child writes until it stops; a message that makes no sense counts as a damaged file."""
    assert child.stdout is not None
    descriptor = child.stdout.fileno()
    buffer = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while True:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise error_for("reading_too_costly")
            data = os.read(descriptor, _READ_BYTES)
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
