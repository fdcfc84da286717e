"""Files from a model hub over plain HTTP: resolved, fetched in ranges, taken up where they stopped, and checked.

What Hugging Face answers at `/{repository}/resolve/{revision}/{file}` and every mirror of it: a redirect to where the
bytes are, with `X-Linked-Size` and, for large files, their SHA-256 in `X-Linked-ETag`
(https://huggingface.co/docs/hub/api, huggingface_hub's file_download). Its own client would bring 40 MB for this.
"""

import hashlib
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urljoin

import urllib3
from django.conf import settings

from inference.errors import FileDamaged, FileNotOnHub, HubUnreachable, NoSpaceLeft
from inference.net.addresses import check_fetch_url
from inference.net.http import open_response

MOST_REDIRECTS = 5
# What a line that breaks may lose of what had come.
BLOCK_BYTES = 64 * 1024
CONNECT_AND_WAIT_SECONDS = 30.0
# A line that fails this often in a row without a byte is down.
MOST_FAILURES = 6
LONGEST_PAUSE_SECONDS = 20.0
# Kept free for the database, which stops without room.
SPARE_BYTES = 512 * 1024 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Cancelled(Exception):
    """Nobody wants the file any more."""


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a repository on the hub, as the hub describes it."""

    source: str
    size_bytes: int
    sha256: str


def find_file(source: str) -> HubFile:
    """What the hub says about `owner/repository/file`; raises `FileNotOnHub` or `HubUnreachable`."""
    response = open_response("HEAD", _address(source), {}, CONNECT_AND_WAIT_SECONDS)
    if response is None:
        raise HubUnreachable
    with response:
        pass
    if response.status in (401, 403, 404):
        raise FileNotOnHub
    sha256 = (response.headers.get("X-Linked-ETag") or response.headers.get("ETag") or "").strip('W/"')
    size = response.headers.get("X-Linked-Size") or response.headers.get("Content-Length") or ""
    if response.status >= 400 or not _SHA256.fullmatch(sha256) or not size.isdigit():
        raise HubUnreachable
    return HubFile(source, int(size), sha256)


def fetch_file(wanted: HubFile, path: Path, on_progress: Callable[[int], bool]) -> None:
    """Bring the file to `path`, whole and checked; what was there before of it is kept and gone on from.

    `on_progress` hears how many bytes are there and says whether to go on; `Cancelled` is raised if not. A line that
    breaks is tried again, some minutes in all; then `HubUnreachable`. `FileDamaged` leaves nothing behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(path.suffix + ".part")
    missing = wanted.size_bytes - (part.stat().st_size if part.exists() else 0)
    if shutil.disk_usage(path.parent).free < missing + SPARE_BYTES:
        raise NoSpaceLeft(missing + SPARE_BYTES)
    failures = 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        if before >= wanted.size_bytes:
            break
        _fetch_rest(wanted, part, before, on_progress)
        if part.stat().st_size > before:
            failures = 0
            continue
        failures += 1
        if failures >= MOST_FAILURES:
            raise HubUnreachable
        time.sleep(min(0.5 * 2**failures, LONGEST_PAUSE_SECONDS))
        if not on_progress(before):
            raise Cancelled
    if part.stat().st_size != wanted.size_bytes or checksum(part) != wanted.sha256:
        part.unlink()
        raise FileDamaged
    part.replace(path)


def checksum(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fetch_rest(wanted: HubFile, part: Path, start: int, on_progress: Callable[[int], bool]) -> None:
    """Append what comes from `start` on, until the end or until the line breaks."""
    response = _follow(_address(wanted.source), {"Range": f"bytes={start}-"} if start else {})
    with part.open("ab") as file:
        if response is None:
            return
        with response:
            if response.status == 200 and start:
                # This one knows no ranges: from the beginning.
                file.truncate(0)
            elif response.status not in (200, 206):
                return
            try:
                while block := response.read(BLOCK_BYTES):
                    file.write(block)
                    if not on_progress(file.tell()):
                        raise Cancelled
            except (urllib3.exceptions.HTTPError, OSError) as error:
                if isinstance(error, OSError) and error.errno == _NO_SPACE:
                    raise NoSpaceLeft(wanted.size_bytes) from error


_NO_SPACE = 28


def _follow(url: str, headers: dict[str, str]) -> urllib3.BaseHTTPResponse | None:
    """The response at the end of the redirects, each judged as an address of its own; None if there is none."""
    for _redirect in range(MOST_REDIRECTS):
        response = open_response("GET", url, headers, CONNECT_AND_WAIT_SECONDS)
        if response is None:
            return None
        location = response.headers.get("Location")
        if not 300 <= response.status < 400 or not location:
            return response
        response.close()
        url = check_fetch_url(urljoin(url, location))
    return None


def _address(source: str) -> str:
    owner, repository, file = source.split("/", 2)
    return check_fetch_url(
        f"{settings.MODEL_HUB.rstrip('/')}/{quote(owner)}/{quote(repository)}/resolve/main/{quote(file)}"
    )
