"""Which module reads which type. Everything is loaded here, once, before the first file is opened. No Django."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from documents.extraction import (
    code,
    delimited,
    docx,
    epub,
    mail,
    markup,
    odf,
    pdf,
    pictures,
    plain,
    pptx,
    rtf,
    xlsx,
)
from documents.extraction.formats import MediaType, Unreadable
from documents.extraction.pages import ExtractedPage

# How many steps there will be, and for each step None, for each page the page.
Reading = tuple[int, Iterator[ExtractedPage | None]]

_READERS: dict[MediaType, Callable[[Path], Reading]] = {
    MediaType.PDF: pdf.read_pdf,
    MediaType.DOCX: docx.read_docx,
    MediaType.PPTX: pptx.read_pptx,
    MediaType.XLSX: xlsx.read_xlsx,
    MediaType.ODT: odf.read_odf,
    MediaType.ODS: odf.read_odf,
    MediaType.ODP: odf.read_odf,
    MediaType.EPUB: epub.read_epub,
    MediaType.HTML: markup.read_html,
    MediaType.RTF: rtf.read_rtf,
    MediaType.MAIL: mail.read_mail,
    MediaType.CSV: delimited.read_delimited,
    MediaType.JSON: partial(delimited.read_json, media_type=MediaType.JSON),
    MediaType.JSON_LINES: partial(delimited.read_json, media_type=MediaType.JSON_LINES),
    MediaType.CODE: code.read_code,
    MediaType.MARKDOWN: partial(plain.read_plain, media_type=MediaType.MARKDOWN),
    MediaType.TEXT: partial(plain.read_plain, media_type=MediaType.TEXT),
    **{kind: pictures.read_picture for kind in MediaType if kind.is_picture},
}


def read_file(path: Path, media_type: MediaType) -> Reading:
    """The file's pages by the module for its type; raises `Unreadable`, or whatever a hostile file brings about."""
    reader = _READERS.get(media_type)
    if reader is None:
        raise Unreadable("type_unsupported")
    return reader(path)
