"""Small sound files of the formats that programs write, made with those programs' libraries or by hand."""

import io
import wave
import zipfile

from openpyxl import Workbook
from PIL import Image, ImageDraw, ImageFont
from pptx import Presentation
from pptx.util import Inches

ODF_NAMESPACES = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"'
)


def make_xlsx(rows: int = 3) -> bytes:
    """Two sheets, Boats with a header and so many rows, Notes with one cell."""
    book = Workbook()
    boats = book.active
    boats.title = "Boats"
    boats.append(["Name", "Berth", "Fee in crowns"])
    for number in range(1, rows + 1):
        boats.append([f"Boat {number}", number, number * 12.5])
    book.create_sheet("Notes").append(["The crane rests on Sundays"])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def make_pptx() -> bytes:
    """Two slides: bullets with notes, and a table."""
    deck = Presentation()
    first = deck.slides.add_slide(deck.slide_layouts[1])
    first.shapes.title.text = "Harbour budget"
    first.placeholders[1].text = "Dredging first\nThen the pier"
    first.notes_slide.notes_text_frame.text = "Say that the bank agreed."
    second = deck.slides.add_slide(deck.slide_layouts[5])
    second.shapes.title.text = "Costs"
    table = second.shapes.add_table(2, 2, Inches(1), Inches(2), Inches(4), Inches(1)).table
    for at, text in enumerate(("Item", "Crowns", "Crane", "900")):
        table.cell(at // 2, at % 2).text = text
    buffer = io.BytesIO()
    deck.save(buffer)
    return buffer.getvalue()


def make_odf(body: str, kind: str = "text") -> bytes:
    """An OpenDocument file of that kind (text, spreadsheet, presentation) with this in its body."""
    content = (
        f'<?xml version="1.0"?><office:document-content {ODF_NAMESPACES}><office:body><office:{kind}>{body}'
        f"</office:{kind}></office:body></office:document-content>"
    )
    return make_container(f"application/vnd.oasis.opendocument.{kind}", {"content.xml": content})


def make_odt() -> bytes:
    return make_odf(
        '<text:h text:outline-level="1">Harbour rules</text:h><text:p>Boats moor<text:s/>at night.</text:p>'
        "<text:list><text:list-item><text:p>Bring a lamp</text:p></text:list-item></text:list>"
        "<table:table>"
        + "".join(
            "<table:table-row>"
            + "".join(f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>" for cell in row)
            + "</table:table-row>"
            for row in (("Boat", "Berth", "Fee"), ("Dinghy", "4", "12 crowns"))
        )
        + "</table:table>"
    )


def make_epub(chapter: str = "<h1>The keeper</h1><p>She lit the lamp at dusk.</p>") -> bytes:
    return make_container(
        "application/epub+zip",
        {
            "META-INF/container.xml": (
                '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0"><rootfiles>'
                '<rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/>'
                "</rootfiles></container>"
            ),
            "OEBPS/book.opf": (
                '<package xmlns="http://www.idpf.org/2007/opf" version="3.0">'
                '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Lamps of Linden</dc:title></metadata>'
                '<manifest><item id="one" href="text/one.xhtml" media-type="application/xhtml+xml"/></manifest>'
                '<spine><itemref idref="one"/></spine></package>'
            ),
            "OEBPS/text/one.xhtml": f"<html><head><title>x</title></head><body>{chapter}</body></html>",
        },
    )


def make_container(media_type: str, parts: dict[str, str | bytes]) -> bytes:
    """A zip whose first member says what it is, as OpenDocument and EPUB want it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("mimetype"), media_type)
        for name, data in parts.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def make_picture(text: str = "The lamp is lit at dusk", form: str = "PNG") -> bytes:
    """Black letters on white, as large as print on a scan."""
    picture = Image.new("RGB", (1100, 220), "white")
    ImageDraw.Draw(picture).text((40, 80), text, fill="black", font=ImageFont.load_default(48))
    buffer = io.BytesIO()
    picture.save(buffer, form)
    return buffer.getvalue()


def make_recording() -> bytes:
    """A tenth of a second of silence."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(2)
        recording.setframerate(8000)
        recording.writeframes(bytes(1600))
    return buffer.getvalue()


MAIL = (
    b"Received: from a by b; Mon, 2 Feb 2026 10:00:00 +0000\r\nFrom: Ada <ada@example.org>\r\n"
    b"To: Eve <eve@example.org>\r\nSubject: The pier\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="x"\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\n'
    b"The northern pier is open again.\r\n--x\r\nContent-Type: application/pdf\r\n"
    b'Content-Disposition: attachment; filename="plan.pdf"\r\n\r\nnothing\r\n--x--\r\n'
)
HTML = (
    b"<!doctype html><html><head><title>Linden harbour</title><script>alert(1)</script></head><body>"
    b"<nav>Home</nav><h1>Ferries</h1><p>The ferry<br>leaves at <b>noon</b>.</p><ul><li>Dogs travel free</li></ul>"
    b"<table><tr><th>Boat</th><th>Fee</th></tr><tr><td>Dinghy</td><td>12 crowns</td></tr></table></body></html>"
)
RTF = rb"{\rtf1\ansi\deff0 {\b The crane} rests on Sundays.\par It lifts four tons.}"
CSV = b"Boat;Berth;Fee\nDinghy;4;12 crowns\nBarge;7;90 crowns\n"
JSON = b'[{"boat": "Dinghy", "fee": {"crowns": 12}}, {"boat": "Barge", "fee": null}]'
CODE = b"import math\n\n\nclass Boat:\n    def moor(self):\n        return 4\n\n\ndef fee(boat):\n    return 12\n"
