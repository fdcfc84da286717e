"""Zip files that hold a document: refused as bombs by what their listing says, read within what it says.

`zipfile` reads no byte of a member beyond the size in the listing, so the listing is what has to be judged. No
Django here.
"""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lxml import etree

from documents.extraction.formats import Unreadable

# A 1,000-page novel's main part is about 10 MB; text is what is read here, and pictures are never unpacked by us.
XML_PART_BYTES_MAX = 64 * 1024 * 1024
# A workbook of a million cells has a sheet of some 40 MB.
SHEET_PART_BYTES_MAX = 256 * 1024 * 1024
UNPACKED_BYTES_MAX = 1024 * 1024 * 1024
# Deflate gives 1,032 : 1 at most; the XML of real documents gives 10 to 40, of long empty tables up to 100.
RATIO_MAX = 200
RATIO_FREE_BYTES = 8 * 1024 * 1024
PARTS_MAX = 10_000
_XML_SUFFIXES = (".xml", ".rels", ".xhtml", ".html", ".htm", ".opf", ".ncx")


@contextmanager
def open_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive, if it is one and no bomb; what breaks off while it is read counts as damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            check_parts(archive)
            yield archive
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, KeyError, NotImplementedError) as error:
        raise Unreadable("file_damaged") from error


def check_archive(path: Path) -> None:
    """The same judgement for a library that opens the file itself."""
    with open_archive(path):
        pass


def check_parts(archive: zipfile.ZipFile) -> None:
    """Refuse what is encrypted, or unpacks to more than a document."""
    parts = archive.infolist()
    if any(part.flag_bits & 1 for part in parts):
        raise Unreadable("file_encrypted")
    unpacked = sum(part.file_size for part in parts)
    packed = sum(part.compress_size for part in parts) or 1
    is_too_large = any(part.file_size > _limit(part.filename) for part in parts)
    is_bomb = unpacked > RATIO_FREE_BYTES and unpacked / packed > RATIO_MAX
    if len(parts) > PARTS_MAX or unpacked > UNPACKED_BYTES_MAX or is_too_large or is_bomb:
        raise Unreadable("content_too_large")


def _limit(name: str) -> int:
    if not name.lower().endswith(_XML_SUFFIXES):
        return UNPACKED_BYTES_MAX
    return SHEET_PART_BYTES_MAX if name.startswith("xl/") else XML_PART_BYTES_MAX


def parse_xml(data: bytes) -> "etree._Element":
    """The root of an XML part: no entity is resolved, nothing is fetched, and nesting has libxml2's bounds."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise Unreadable("file_damaged") from error
    if root is None:
        raise Unreadable("file_damaged")
    return root
