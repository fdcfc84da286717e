"""Files as people upload them, and as nobody should, made here byte by byte."""

import io
import zipfile
from collections.abc import Sequence

from docx import Document as new_docx
from docx.enum.text import WD_BREAK
from reportlab.lib.pagesizes import A4
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

SENTENCES = (
    "The harbour of Linden opens at six in the morning.",
    "Captain Moreau keeps the lighthouse and three cats.",
    "A storm took the northern pier in the winter of 1962.",
    "The ferry to the island leaves every second hour.",
)


def make_pdf(pages: Sequence[Sequence[str]], *, password: str = "", title: str = "") -> bytes:
    """Each page as its lines; `title` stands large above the first."""
    buffer = io.BytesIO()
    encryption = StandardEncryption(password, canPrint=0) if password else None
    canvas = Canvas(buffer, pagesize=A4, encrypt=encryption)
    for number, lines in enumerate(pages):
        height = 800
        if title and not number:
            canvas.setFont("Helvetica", 20)
            canvas.drawString(60, height, title)
            height -= 40
        canvas.setFont("Helvetica", 11)
        for line in lines:
            canvas.drawString(60, height, line)
            height -= 14
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def make_docx() -> bytes:
    """A title, two sections, a list, a table with a merged cell, and a page break."""
    document = new_docx()
    document.add_heading("Harbour rules", 0)
    document.add_heading("Opening", 1)
    document.add_paragraph(SENTENCES[0])
    document.add_paragraph("Bring a lamp", style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    table.cell(0, 0).merge(table.cell(0, 1)).text = "Fees"
    table.cell(1, 0).text = "Boat"
    table.cell(1, 1).text = "12 crowns"
    document.add_paragraph().add_run().add_break(WD_BREAK.PAGE)
    document.add_heading("Storms", 1)
    document.add_paragraph(SENTENCES[2])
    return _saved(document)


def make_empty_docx() -> bytes:
    return _saved(new_docx())


def _saved(document: object) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def make_zip_bomb_docx(megabytes: int = 200) -> bytes:
    """A Word document whose main part unpacks to so much, from a few hundred kilobytes."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(make_empty_docx())) as source,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for part in source.infolist():
            if part.filename != "word/document.xml":
                target.writestr(part, source.read(part))
        with target.open("word/document.xml", "w", force_zip64=True) as stream:
            for _ in range(megabytes):
                stream.write(b" " * 1024 * 1024)
    return buffer.getvalue()


def make_entity_bomb_docx() -> bytes:
    """A Word document whose XML defines entities of entities: a billion laughs."""
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    body = (
        f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY l0 "ha">{levels}]>'
        '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
        "<w:body><w:p><w:r><w:t>&l9;</w:t></w:r></w:p></w:body></w:document>"
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(make_empty_docx())) as source, zipfile.ZipFile(buffer, "w") as target:
        for part in source.infolist():
            is_main = part.filename == "word/document.xml"
            target.writestr(part, body.encode() if is_main else source.read(part))
    return buffer.getvalue()


def make_zip() -> bytes:
    """An archive that holds no document."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("holiday.txt", "Photographs to follow.")
        archive.writestr("holiday/1.dat", "nothing")
    return buffer.getvalue()


def make_ole(*, encrypted: bool) -> bytes:
    """The beginning of an OLE container: an old .doc, or a DOCX with a password."""
    name = "EncryptedPackage" if encrypted else "WordDocument"
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500) + name.encode("utf-16-le") + bytes(600)


def make_scan(picture: bytes, *, text: str) -> bytes:
    """Two pages: one with text, one that is only a picture."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4)
    canvas.drawString(60, 700, text)
    canvas.showPage()
    canvas.drawImage(ImageReader(io.BytesIO(picture)), 40, 500, width=500, height=100)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()
