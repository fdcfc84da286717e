"""Rich text: its words without its looks, which is where RTF keeps headings too. No Django here."""

from collections.abc import Iterator
from pathlib import Path

from striprtf.striprtf import rtf_to_text

from documents.extraction.formats import Unreadable
from documents.extraction.pages import ExtractedPage
from documents.extraction.plain import pages_of_text

# The converter goes through a file by one regular expression: 10 MB take half a minute, and pictures in a file of
# RTF are its text in hexadecimal.
BYTES_MAX = 32 * 1024 * 1024


def read_rtf(path: Path) -> tuple[int, Iterator[ExtractedPage]]:
    """How many pages there are and the pages, each about a printed one."""
    if path.stat().st_size > BYTES_MAX:
        raise Unreadable("content_too_large")
    text: str = rtf_to_text(path.read_bytes().decode("latin-1"), errors="ignore")  # type: ignore[no-untyped-call]
    return pages_of_text(text.replace("\x00", ""))
