"""Files that come from elsewhere: a page of the web, or a blob of the watched container. The worker fetches them.

Whoever names an address names it for our machine, which stands in networks that they do not: only public
addresses are asked, the connection is checked again once it stands, and a redirect is not followed. What a
deployment wants from its own network it allows with FETCH_PRIVATE_ADDRESSES. No rows here.
"""

import re
import time
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import IO
from urllib.parse import unquote, urlsplit

import urllib3
from django.conf import settings
from django.core.files.storage import storages
from urllib3.exceptions import HTTPError

from documents.errors import FileTooLarge, UrlRefused, UrlUnreachable
from inference.net.addresses import is_forbidden, is_private, resolve
from inference.net.guarded import guarded_pool

BLOB_SCHEME = "blob:"
URL_CHARACTERS_MAX = 2000
CONNECT_SECONDS = 10.0
# Between two parts, and for all of it: a server that drips a byte a second holds nobody up for long.
READ_SECONDS = 20.0
FETCH_SECONDS = 120.0
_PART_BYTES = 256 * 1024
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}$")


def _is_out_of_bounds(address: str, _port: int = 0) -> bool:
    return is_forbidden(address) if settings.FETCH_PRIVATE_ADDRESSES else is_private(address)


def check_page_url(url: str) -> str:
    """The address without blanks and fragment; raises `UrlRefused`. What its name leads to, the worker asks."""
    url = url.strip().partition("#")[0]
    try:
        parts = urlsplit(url)
        is_sound = parts.port != 0 and bool(parts.hostname) and not (parts.username or parts.password)
    except ValueError:
        raise UrlRefused from None
    has_odd_letters = any(letter.isspace() or not letter.isprintable() for letter in url)
    if (
        parts.scheme not in ("http", "https")
        or not is_sound
        or len(url) > URL_CHARACTERS_MAX
        or has_odd_letters
    ):
        raise UrlRefused
    return url


def name_from_url(url: str) -> str:
    """What a document from this address is called: the last part of its path, or the host's name."""
    parts = urlsplit(url)
    last = PurePosixPath(unquote(parts.path)).name
    name = "".join(letter for letter in last if letter.isprintable() and letter not in "/\\")
    host = parts.hostname or ""
    if not name:
        return f"{host}.html"
    return (name if _SUFFIX.search(name) else f"{name} – {host}.html")[:200]


def fetch(source: str, target: IO[bytes]) -> int:
    """Write what `source` names to `target`; how many bytes. Raises `UrlRefused`, `UrlUnreachable`, `FileTooLarge`."""
    if source.startswith(BLOB_SCHEME):
        return _fetch_blob(source.removeprefix(BLOB_SCHEME), target)
    return _fetch_page(source, target)


def _fetch_blob(name: str, target: IO[bytes]) -> int:
    try:
        with storages["watched"].open(name, "rb") as blob:
            return _copy(iter(lambda: blob.read(_PART_BYTES), b""), target)
    except FileNotFoundError as error:
        raise UrlUnreachable from error


def _fetch_page(url: str, target: IO[bytes]) -> int:
    addresses = resolve(urlsplit(url).hostname or "")
    if not addresses:
        raise UrlUnreachable
    if any(_is_out_of_bounds(address) for address in addresses):
        raise UrlRefused
    pool = guarded_pool(_is_out_of_bounds, timeout=urllib3.Timeout(CONNECT_SECONDS, READ_SECONDS))
    headers = {"User-Agent": "Parlour", "Accept": "*/*", "Accept-Encoding": "identity"}
    try:
        answer = pool.request("GET", url, headers=headers, redirect=False, preload_content=False)
        with answer:
            if answer.status != 200:
                raise UrlUnreachable
            # As it came: what unpacks itself on the way has no size that could be bounded.
            return _copy(answer.stream(_PART_BYTES, decode_content=False), target)
    except (HTTPError, OSError) as error:
        raise UrlUnreachable from error
    finally:
        pool.clear()


def _copy(parts: Iterable[bytes], target: IO[bytes]) -> int:
    deadline = time.monotonic() + FETCH_SECONDS
    size_bytes = 0
    for part in parts:
        size_bytes += len(part)
        if size_bytes > settings.UPLOAD_MAX_BYTES:
            raise FileTooLarge
        if time.monotonic() > deadline:
            raise UrlUnreachable
        target.write(part)
    return size_bytes
