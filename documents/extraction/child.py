"""The child process that reads one file: `python -m documents.extraction.child FILE MEDIA_TYPE CPU_SECONDS MEMORY`.

It takes its limits before it opens the file, writes messages (`wire`) to standard output, and always ends with
`Failure` or `End` unless it is killed. It holds no secret: its parent starts it with an empty environment.
"""

import ctypes
import resource
import signal
import sys
from pathlib import Path
from typing import BinaryIO

from documents.extraction import docx, pdf, plain
from documents.extraction.formats import MediaType, Unreadable
from documents.extraction.wire import End, Failure, PageRead, Steps, write_message

# 50 million characters are 30,000 pages; what unpacks to more is no document.
TEXT_CHARACTERS_MAX = 50_000_000
_PR_SET_PDEATHSIG = 1


def limit_this_process(cpu_seconds: int, memory_bytes: int) -> None:
    """Die with the parent, and before taking more than this of processor, memory or disk."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def send_pages(path: Path, media_type: MediaType, stream: BinaryIO) -> None:
    """Read the file and write its pages; raises `Unreadable`, or whatever a hostile file brings about."""
    if media_type is MediaType.PDF:
        total, steps = pdf.read_pdf(path)
    elif media_type is MediaType.DOCX:
        total, steps = docx.read_docx(path)
    else:
        total, steps = plain.read_plain(path, media_type)
    characters = 0
    for done, page in enumerate(steps, start=1):
        if page is None:
            write_message(stream, Steps(done, total))
            stream.flush()
            continue
        characters += len(page.text)
        if characters > TEXT_CHARACTERS_MAX:
            raise Unreadable("content_too_large")
        write_message(stream, PageRead(page))
    write_message(stream, End())


def main(arguments: list[str]) -> None:
    path, media_type, cpu_seconds, memory_bytes = arguments
    limit_this_process(int(cpu_seconds), int(memory_bytes))
    stream = sys.stdout.buffer
    try:
        send_pages(Path(path), MediaType(media_type), stream)
    except Unreadable as error:
        write_message(stream, Failure(error.code))
    except MemoryError:
        write_message(stream, Failure("reading_too_costly"))
    except Exception:  # noqa: BLE001 - a damaged file makes a parser raise anything at all
        write_message(stream, Failure("file_damaged"))
    stream.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
