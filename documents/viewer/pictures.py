"""Pages of PDFs as pictures for the viewer: drawn by a child, kept a while, with the passage's place on them."""

import hashlib
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import msgspec
from django.core.cache import cache
from django.utils.translation import gettext_lazy as _

from documents import blobs
from documents.errors import DocumentError
from documents.extraction.formats import MediaType
from documents.extraction.picture import LENGTH, WIDTH_MAX, Answer
from documents.models import Document, Page

# Sharp on a drawer of 34 rem and on a phone's screen of three pixels a point.
WIDTH = 1200
CACHE_SECONDS = 1800
DRAWING_SECONDS = 30
# Drawing is a moment of processor: two at once leave a laptop usable.
_drawing = threading.BoundedSemaphore(2)
_ROOT = Path(__file__).resolve().parents[2]


class PagePictureMissing(DocumentError):
    """The page cannot be drawn: its file is none that has pages to see, or is damaged there."""

    code = "page_picture_missing"
    user_message = _("This page cannot be shown as a picture. Its text is below.")


@dataclass(frozen=True, slots=True)
class PagePicture:
    """A page as WebP, and its answer as `documents.extraction.picture` gives it."""

    answer: Answer
    image: bytes


def has_pictures(document: Document) -> bool:
    """Whether the document's pages can be seen as they are, not only read."""
    return document.media_type == MediaType.PDF


def picture_of(page: Page, *, start: int | None, end: int | None, width: int = WIDTH) -> PagePicture:
    """The page's picture and where the passage `[start:end]` of its text stands on it; `PagePictureMissing` if none.

    The same bytes give the same picture, whoever's document they are: permission is the caller's to check.
    """
    document = page.document
    if not has_pictures(document):
        raise PagePictureMissing
    width = min(max(width, 200), WIDTH_MAX)
    passage = page.text[start:end] if start is not None and end is not None and start < end else ""
    digest = hashlib.sha256(passage.encode()).hexdigest()[:16] if passage else ""
    picture_key = f"page-picture:{document.sha256}:{page.number}:{width}"
    answer_key = f"{picture_key}:{digest}"
    kept = cache.get_many([picture_key, answer_key])
    if len(kept) == 2:
        return PagePicture(msgspec.json.decode(kept[answer_key], type=Answer), kept[picture_key])
    encoded, image = _draw(document, page.number, width, passage)
    cache.set_many({picture_key: image, answer_key: encoded}, CACHE_SECONDS)
    return PagePicture(msgspec.json.decode(encoded, type=Answer), image)


def _draw(document: Document, number: int, width: int, passage: str) -> tuple[bytes, bytes]:
    with _drawing, blobs.local_copy(document.blob_name) as path:
        command = [sys.executable, "-m", "documents.extraction.picture", str(path), str(number), str(width)]
        try:
            result = subprocess.run(
                command,
                input=passage.encode(),
                capture_output=True,
                cwd=_ROOT,
                env={"PYTHONUTF8": "1", "OMP_NUM_THREADS": "1"},
                timeout=DRAWING_SECONDS,
                check=True,
            )
            (length,) = LENGTH.unpack_from(result.stdout)
        except (subprocess.SubprocessError, ValueError, OSError) as error:
            raise PagePictureMissing from error
    return result.stdout[LENGTH.size : LENGTH.size + length], result.stdout[LENGTH.size + length :]
