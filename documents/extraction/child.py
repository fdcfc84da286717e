"""The process that reads files: `python -m documents.extraction.child SOCKET`.

It loads every reader once and then waits. For each file that it is asked for over the socket it forks: the fork
takes its limits before it opens the file, writes messages (`wire`) to the pipe that came with the request, and
ends. So a file costs a fork (some milliseconds) and not a start of Python (some hundred), and what a file does to
its reader ends with that file. It holds no secret: its parent starts it with an empty environment.
"""

import array
import gc
import os
import signal
import socket
import sys
from pathlib import Path
from typing import BinaryIO

from documents.extraction import ocr
from documents.extraction.formats import MediaType, Unreadable
from documents.extraction.limits import end_with_parent, limit_this_process
from documents.extraction.readers import read_file
from documents.extraction.wire import (
    End,
    Ended,
    Failure,
    PageRead,
    Request,
    Steps,
    decode_request,
    encode_ended,
    write_message,
)

# 50 million characters are 30,000 pages; what unpacks to more is no document.
TEXT_CHARACTERS_MAX = 50_000_000
_REQUEST_BYTES_MAX = 64 * 1024


def send_pages(request: Request, stream: BinaryIO) -> None:
    """Read the file and write its pages; raises `Unreadable`, or whatever a hostile file brings about."""
    total, steps = read_file(Path(request.path), MediaType(request.media_type))
    characters = done = 0
    for page in steps:
        if page is None:
            done += 1
            write_message(stream, Steps(done, total))
            stream.flush()
            continue
        characters += len(page.text)
        if characters > TEXT_CHARACTERS_MAX:
            raise Unreadable("content_too_large")
        write_message(stream, PageRead(page))
    write_message(stream, End())


def read_one(request: Request, stream: BinaryIO) -> None:
    """The file's pages, or why there are none."""
    try:
        send_pages(request, stream)
    except Unreadable as error:
        write_message(stream, Failure(error.code))
    except MemoryError:
        write_message(stream, Failure("reading_too_costly"))
    except Exception:  # noqa: BLE001 - a damaged file makes a parser raise anything at all
        write_message(stream, Failure("file_damaged"))
    stream.flush()


def _fork(request: Request, pipe: int, control: socket.socket) -> int:
    server = os.getpid()
    child = os.fork()
    if child:
        return child
    # Nothing of this may return to the loop of the process that forked.
    try:
        end_with_parent(server)
        control.close()
        limit_this_process(request.cpu_seconds, request.memory_bytes)
        with os.fdopen(pipe, "wb") as stream:
            read_one(request, stream)
    except Exception:  # noqa: BLE001 - the parent is told by the exit status
        os._exit(1)
    os._exit(0)


def serve(control: socket.socket) -> None:
    """Read one file after the other, until whoever asks has gone."""
    while True:
        data, ancillary, _, _ = control.recvmsg(
            _REQUEST_BYTES_MAX, socket.CMSG_SPACE(array.array("i").itemsize)
        )
        if not data:
            return
        pipe = array.array("i", ancillary[0][2])[0]
        try:
            child = _fork(decode_request(data), pipe, control)
        finally:
            os.close(pipe)
        _, status = os.waitpid(child, 0)
        control.send(encode_ended(Ended(os.waitstatus_to_exitcode(status))))


def main(arguments: list[str]) -> None:
    end_with_parent(int(arguments[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Asked once, here: a fork would ask for each file.
    ocr.languages()
    # What is loaded now is the same in all forks, and stays so: no collection touches it.
    gc.freeze()
    with socket.socket(fileno=int(arguments[0])) as control:
        serve(control)


if __name__ == "__main__":
    main(sys.argv[1:])
