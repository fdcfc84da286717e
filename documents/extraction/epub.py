"""Books: the chapters of an EPUB in the order of its spine, read as the web pages they are. No Django here."""

import posixpath
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote
from zipfile import ZipFile

from documents.extraction.archives import open_archive, parse_xml
from documents.extraction.formats import Unreadable
from documents.extraction.markup import html_blocks
from documents.extraction.pages import Block, ExtractedPage, flow_into_pages

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_PACKAGE = "{http://www.idpf.org/2007/opf}"
_TITLE = "{http://purl.org/dc/elements/1.1/}title"
_ROOT_FILE = "{urn:oasis:names:tc:opendocument:xmlns:container}rootfile"


def read_epub(path: Path) -> tuple[int, Iterator[ExtractedPage]]:
    """How many pages there are and the pages, each about a printed one; a chapter begins a new one."""
    with open_archive(path) as archive:
        blocks = list(_blocks(archive))
    pages = list(flow_into_pages(blocks, has_page_breaks=False))
    if not pages:
        raise Unreadable("text_missing")
    return len(pages), iter(pages)


def _blocks(archive: ZipFile) -> Iterator[Block]:
    root_file = parse_xml(archive.read(_CONTAINER)).find(f".//{_ROOT_FILE}")
    if root_file is None:
        raise Unreadable("file_damaged")
    package_name = root_file.get("full-path", "")
    package = parse_xml(archive.read(package_name))
    title = package.find(f".//{_TITLE}")
    if title is not None and (title.text or "").strip():
        yield Block(" ".join((title.text or "").split()), is_title=True)
    folder = posixpath.dirname(package_name)
    items = {item.get("id"): item.get("href", "") for item in package.iter(f"{_PACKAGE}item")}
    names = set(archive.namelist())
    has_encryption = _ENCRYPTION in names
    has_text = False
    for reference in package.iter(f"{_PACKAGE}itemref"):
        name = posixpath.normpath(posixpath.join(folder, unquote(items.get(reference.get("idref")) or "")))
        if name not in names:
            continue
        starts_page = True
        try:
            for block in html_blocks(archive.read(name), is_part=True):
                yield Block(block.text, block.level, starts_page, block.gap)
                starts_page, has_text = False, True
        except Unreadable:
            # One chapter that is no text spoils no other.
            continue
    if has_encryption and not has_text:
        raise Unreadable("file_encrypted")
