"""Two hundred files that nobody should upload: cut, fuzzed, bombs, liars, polyglots, and names that are paths.

The same every time: chance is seeded.
"""

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator

from tests.documents import files, office

BadFile = tuple[str, bytes]
"""The name it is uploaded under, and its bytes."""

CUTS, FUZZES = 4, 6


def hostile_files() -> list[BadFile]:
    """All of them, 200 at least."""
    chance = random.Random(1962)
    sound = list(_sound_files())
    found = [
        *_bombs(),
        *_deep_and_wide(),
        *_liars(),
        *_polyglots(),
        *_names(),
    ]
    for name, data in sound:
        for number in range(CUTS):
            found.append((f"cut{number}-{name}", data[: chance.randrange(8, len(data))]))
        for number in range(FUZZES):
            found.append((f"fuzzed{number}-{name}", _fuzz(data, chance)))
    return found


def _sound_files() -> Iterator[BadFile]:
    yield "a.pdf", files.make_pdf([list(files.SENTENCES)] * 3, title="Linden")
    yield "a.docx", files.make_docx()
    yield "a.pptx", office.make_pptx()
    yield "a.xlsx", office.make_xlsx()
    yield "a.odt", office.make_odt()
    yield "a.epub", office.make_epub()
    yield "a.html", office.HTML
    yield "a.rtf", office.RTF
    yield "a.eml", office.MAIL
    yield "a.csv", office.CSV
    yield "a.json", office.JSON
    yield "a.png", office.make_picture()
    yield "a.tiff", office.make_picture(form="TIFF")
    yield "a.gif", office.make_picture(form="GIF")
    yield "a.wav", office.make_recording()


def _fuzz(data: bytes, chance: random.Random) -> bytes:
    """The head stays, so that it is taken for what it was."""
    fuzzed = bytearray(data)
    for _ in range(max(4, len(data) // 50)):
        fuzzed[chance.randrange(min(12, len(data) - 1), len(data))] = chance.randrange(256)
    return bytes(fuzzed)


def _zip(parts: dict[str, bytes], *, of: bytes = b"") -> bytes:
    """An archive of these parts, and of those of another one that they do not replace."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        if of:
            with zipfile.ZipFile(io.BytesIO(of)) as source:
                for part in source.infolist():
                    if part.filename not in parts:
                        target.writestr(part, source.read(part))
        for name, data in parts.items():
            target.writestr(name, data)
    return buffer.getvalue()


def _laughs(root: str, inside: str) -> bytes:
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY l0 "ha">{levels}]>{root}{inside}'.encode()


def _bombs() -> Iterator[BadFile]:
    blanks = b" " * (40 * 1024 * 1024)
    yield "bomb.docx", _zip({"word/document.xml": blanks}, of=files.make_docx())
    yield "bomb.xlsx", _zip({"xl/worksheets/sheet1.xml": blanks}, of=office.make_xlsx())
    yield "bomb.pptx", _zip({"ppt/slides/slide1.xml": blanks}, of=office.make_pptx())
    yield (
        "bomb.odt",
        office.make_container("application/vnd.oasis.opendocument.text", {"content.xml": blanks}),
    )
    yield "bomb.epub", _zip({"OEBPS/text/one.xhtml": blanks}, of=office.make_epub())
    yield "laughs.docx", files.make_entity_bomb_docx()
    odt_root = f"<office:document-content {office.ODF_NAMESPACES}><office:body><office:text>"
    odt_end = "<text:p>&l9;</text:p></office:text></office:body></office:document-content>"
    laughs = _laughs(odt_root, odt_end)
    yield (
        "laughs.odt",
        office.make_container("application/vnd.oasis.opendocument.text", {"content.xml": laughs}),
    )
    yield (
        "laughs.epub",
        _zip({"OEBPS/text/one.xhtml": _laughs("<html><body>&l9;", "</body></html>")}, of=office.make_epub()),
    )
    yield "laughs.html", _laughs("<html><body>&l9;", "</body></html>")
    yield "many-parts.docx", _zip({f"word/document{n}.xml": b"x" for n in range(12_000)})
    yield "zip-in-zip.docx", _zip({"word/document.xml": _zip({"word/document.xml": blanks})})
    yield "bomb.pdf", _pdf_with_stream(zlib.compress(b"BT (x) Tj ET " * 4_000_000, 9))
    yield "bomb.png", _png(30_000, 30_000)
    yield "bomb.gif", b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + b"\x80\x00\x00" + bytes(6) + b";"


def _png(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(1_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def _pdf(*objects: bytes) -> bytes:
    """A file of these objects, numbered from 1, without a table: readers rebuild it."""
    body = b"".join(
        b"%d 0 obj\n%s\nendobj\n" % (number, data) for number, data in enumerate(objects, start=1)
    )
    return b"%PDF-1.7\n" + body + b"trailer\n<< /Root 1 0 R /Size %d >>\n%%%%EOF" % (len(objects) + 1)


def _pdf_with_stream(data: bytes) -> bytes:
    return _pdf(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Contents 4 0 R >>",
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(data), data),
    )


def _deep_and_wide() -> Iterator[BadFile]:
    yield "deep.html", b"<html><body>" + b"<div>" * 100_000 + b"text"
    yield "deep-tables.html", b"<html><body>" + b"<table><tr><td>" * 5_000 + b"text"
    yield "deep.json", b"[" * 40_000
    yield "deep-closed.json", b"[" * 50_000 + b"]" * 50_000
    yield "deep.odt", office.make_odf("<text:list><text:list-item>" * 20_000)
    closed = (
        "<text:list><text:list-item>" * 120 + "<text:p>x</text:p>" + "</text:list-item></text:list>" * 120
    )
    yield "deep-closed.odt", office.make_odf(closed)
    yield "deep.rtf", b"{\\rtf1 " + b"{" * 100_000 + b"text"
    yield (
        "deep.eml",
        b"MIME-Version: 1.0\r\n"
        + b"".join(
            b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(3_000)
        ),
    )
    yield "wide.csv", b"a,b\n" + b"x," * 40_000
    yield "open-quote.csv", b'a,b\n"' + b"x,y\n" * 300_000
    yield "one-line.txt", b"x" * 300_000
    yield "no-blanks.md", b"#" * 60_000
    yield "brackets.md", b"[(" * 40_000
    yield "attributes.html", b"<html><body><p " + b"".join(b'a%d="x" ' % n for n in range(100_000)) + b">text"
    yield (
        "headers.eml",
        b"".join(b"X-%d: x\r\n" % n for n in range(50_000)) + b"MIME-Version: 1.0\r\n\r\ntext",
    )
    yield (
        "huge-page.pdf",
        _pdf(
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9999999 9999999] >>",
        ),
    )
    yield (
        "page-in-itself.pdf",
        _pdf(b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>"),
    )


def _liars() -> Iterator[BadFile]:
    yield (
        "count.pdf",
        _pdf(b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] /Count 2000000000 >>"),
    )
    sheet = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        b'<dimension ref="A1:XFD1048576"/><sheetData><row r="1048576"><c r="XFD1048576" t="inlineStr">'
        b"<is><t>far</t></is></c></row></sheetData></worksheet>"
    )
    yield "dimension.xlsx", _zip({"xl/worksheets/sheet1.xml": sheet}, of=office.make_xlsx())
    repeated = (
        '<table:table><table:table-row table:number-rows-repeated="1000000000">'
        '<table:table-cell table:number-columns-repeated="1000000000"><text:p>x</text:p></table:table-cell>'
        "</table:table-row></table:table>"
    )
    yield "repeated.ods", office.make_odf(repeated, "spreadsheet")
    external = (
        b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
        b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r>'
        b"<w:t>&x;</w:t></w:r></w:p></w:body></w:document>"
    )
    yield "external.docx", _zip({"word/document.xml": external}, of=files.make_docx())
    yield "macros.docx", _zip({"word/vbaProject.bin": b"\xd0\xcf\x11\xe0" * 100}, of=files.make_docx())
    yield "traversal.docx", _zip({"../../../../etc/cron.d/x": b"* * * * * root x"}, of=files.make_docx())
    yield (
        "traversal.epub",
        _zip(
            {
                "OEBPS/book.opf": b'<package xmlns="http://www.idpf.org/2007/opf"><manifest><item id="a" '
                b'href="../../../../etc/passwd"/></manifest><spine><itemref idref="a"/></spine></package>'
            },
            of=office.make_epub(),
        ),
    )
    encrypted = bytearray(files.make_docx())
    at = encrypted.find(b"PK\x01\x02")
    encrypted[at + 8] |= 1
    yield "encrypted-flag.docx", bytes(encrypted)
    yield "encrypted.docx", files.make_ole(encrypted=True)
    yield "old.doc", files.make_ole(encrypted=False)
    yield "locked.pdf", files.make_pdf([["Secret."]], password="pw")
    yield "frames.tiff", b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", 0) + struct.pack("<I", 8)
    yield "nothing.pdf", b"%PDF-1.7\n"
    yield "nul.txt", b"text\x00text" * 100
    yield "half.txt", "ferry".encode("utf-16")[:-1]
    yield "surrogates.txt", b"\xed\xa0\x80\xed\xb0\x80" * 200
    yield "controls.txt", b"a\x1b[2Jb\x07" * 200
    yield "empty.zip", b"PK\x05\x06" + bytes(18)
    yield "program.pdf", b"\x7fELF" + bytes(4_000)


def _polyglots() -> Iterator[BadFile]:
    pdf, docx = files.make_pdf([["Two in one."]]), files.make_docx()
    yield "pdf-then-zip.pdf", pdf + docx
    yield "zip-then-pdf.docx", docx + pdf
    yield "html-in-pdf.pdf", b"<html><script>alert(1)</script>%PDF-1.7\n" + pdf
    yield "gif-script.gif", b"GIF89a/*" + bytes(10) + b"*/=1;alert(1)//"
    yield "png-then-html.png", office.make_picture() + b"<html><script>alert(1)</script>"
    yield "svg.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script><text>hi</text></svg>'


def _names() -> Iterator[BadFile]:
    for name in (
        "../../../../etc/passwd",
        "..\\..\\windows\\system32\\drivers\\etc\\hosts",
        "C:\\secret\\plan.txt",
        "/etc/shadow",
        "....//....//x.txt",
        "a\x00b.txt",
        "line\nbreak\r\nSet-Cookie: x=1.txt",
        "\u202etxt.exe.pdf",
        "<img src=x onerror=alert(1)>.txt",
        "'; DROP TABLE documents_document; --.txt",
        "%2e%2e%2fpasswd.txt",
        "CON",
        ".",
        "...",
        " ",
        "x" * 900 + ".txt",
        "😀" * 200 + ".txt",
        "{{ 7 * 7 }}.txt",
    ):
        yield name, b"The ferry to Linden leaves at noon, says " + name.encode("utf-8", "replace")
