"""Every format: told by its bytes, read with its structure, in the process that reads."""

import shutil
from pathlib import Path

import pytest

from documents.errors import DocumentError
from documents.extraction.formats import HEAD_BYTES, TAIL_BYTES, MediaType, detect_media_type
from documents.extraction.pages import ExtractedPage
from documents.extraction.parent import read_pages
from documents.extraction.tables import describe_rows
from documents.ingest.chunking import cut_into_chunks, find_title
from tests.documents import files, office

has_tesseract = pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")


def read(tmp_path: Path, data: bytes, name: str) -> list[ExtractedPage]:
    """What an upload of these bytes under this name gives."""
    path = tmp_path / "blob"
    path.write_bytes(data)
    return list(read_pages(path, detect_media_type(data[:HEAD_BYTES], data[-TAIL_BYTES:], name)))


@pytest.mark.parametrize(
    ("data", "name", "media_type"),
    [
        (office.make_xlsx(), "x", MediaType.XLSX),
        (office.make_pptx(), "x", MediaType.PPTX),
        (files.make_docx(), "x.xlsx", MediaType.DOCX),
        (office.make_odt(), "x", MediaType.ODT),
        (office.make_odf("", "spreadsheet"), "x", MediaType.ODS),
        (office.make_epub(), "x.zip", MediaType.EPUB),
        (office.HTML, "x.txt", MediaType.HTML),
        (office.RTF, "x.doc", MediaType.RTF),
        (office.MAIL, "x.txt", MediaType.MAIL),
        (office.CSV, "x.csv", MediaType.CSV),
        (office.JSON, "x.json", MediaType.JSON),
        (office.CODE, "x.py", MediaType.CODE),
        (office.CODE, "x", MediaType.TEXT),
        (office.make_picture(), "x.pdf", MediaType.PNG),
        (office.make_picture(form="JPEG"), "x", MediaType.JPEG),
        (office.make_picture(form="TIFF"), "x", MediaType.TIFF),
        (office.make_picture(form="BMP"), "x", MediaType.BMP),
        (office.make_picture(form="WEBP"), "x", MediaType.WEBP),
        (office.make_recording(), "x", MediaType.WAV),
        (b"ID3\x04" + bytes(100), "x", MediaType.MP3),
        (b"Note: a memo\nthat begins like a header", "x.txt", MediaType.TEXT),
    ],
)
def test_type_is_told_by_the_bytes(data: bytes, name: str, media_type: MediaType) -> None:
    assert detect_media_type(data[:HEAD_BYTES], data[-TAIL_BYTES:], name) is media_type


def test_reader_of_a_workbook_gets_sheets_by_name_and_columns_with_every_row(tmp_path: Path) -> None:
    pages = read(tmp_path, office.make_xlsx(), "boats.xlsx")
    assert pages[0].text == (
        "Boats\n\nName: Boat 1 | Berth: 1 | Fee in crowns: 12.5\nName: Boat 2 | Berth: 2 | Fee in crowns: 25\n"
        "Name: Boat 3 | Berth: 3 | Fee in crowns: 37.5"
    )
    assert pages[1].text == "Notes\n\nThe crane rests on Sundays"
    assert [page.headings[0].title for page in pages] == ["Boats", "Notes"]


def test_every_chunk_of_a_long_table_names_its_columns(tmp_path: Path) -> None:
    pages = read(tmp_path, office.make_xlsx(rows=400), "boats.xlsx")
    chunks = [pages[span.page - 1].text[span.start : span.end] for span in cut_into_chunks(pages)]
    assert len(chunks) > 20
    assert all("Berth: " in chunk and "Fee in crowns: " in chunk for chunk in chunks[:-1])


def test_reader_of_slides_gets_a_page_each_with_title_notes_and_tables(tmp_path: Path) -> None:
    first, second = read(tmp_path, office.make_pptx(), "budget.pptx")
    assert (
        first.text == "Harbour budget\n\nDredging first\nThen the pier\n\nNotes\n\nSay that the bank agreed."
    )
    assert second.text == "Costs\n\nItem: Crane | Crowns: 900"
    assert [heading.title for heading in first.headings] == ["Harbour budget", "Notes"]


def test_reader_of_opendocument_gets_headings_lists_and_tables(tmp_path: Path) -> None:
    (page,) = read(tmp_path, office.make_odt(), "rules.odt")
    assert page.text == (
        "Harbour rules\n\nBoats moor at night.\n\n• Bring a lamp\nBoat: Dinghy | Berth: 4 | Fee: 12 crowns"
    )
    assert [(heading.level, heading.title) for heading in page.headings] == [(1, "Harbour rules")]


def test_reader_of_a_book_gets_its_title_and_chapters(tmp_path: Path) -> None:
    pages = read(tmp_path, office.make_epub(), "lamps.epub")
    assert find_title(pages) == "Lamps of Linden"
    assert pages[-1].text == "The keeper\n\nShe lit the lamp at dusk."


def test_reader_of_a_web_page_gets_its_words_and_not_its_scripts(tmp_path: Path) -> None:
    (page,) = read(tmp_path, office.HTML, "ferries.html")
    assert page.text == (
        "Linden harbour\n\nFerries\n\nThe ferry\nleaves at noon.\n\n• Dogs travel free\n\nBoat: Dinghy | Fee: 12 crowns"
    )
    assert find_title([page]) == "Linden harbour"


def test_reader_of_a_mail_gets_who_wrote_what_and_the_attachments_names(tmp_path: Path) -> None:
    (page,) = read(tmp_path, office.MAIL, "pier.eml")
    assert page.text == (
        "The pier\n\nFrom: Ada <ada@example.org>\nTo: Eve <eve@example.org>\n\n"
        "The northern pier is open again.\n\nAttachments: plan.pdf"
    )


@pytest.mark.parametrize(
    ("data", "name", "text"),
    [
        (office.RTF, "crane.rtf", "The crane rests on Sundays.\nIt lifts four tons."),
        (
            office.CSV,
            "fees.csv",
            "Boat: Dinghy | Berth: 4 | Fee: 12 crowns\nBoat: Barge | Berth: 7 | Fee: 90 crowns",
        ),
        (office.JSON, "fees.json", 'boat: Dinghy | fee: {"crowns": 12}\nboat: Barge'),
        (b'{"a": 1}\n{"a": 2}\n', "log.jsonl", "a: 1\na: 2"),
        (
            b'{"port": {"name": "Linden", "open": true}, "boats": [{"name": "Ada"}, {"name": "Bo"}], "v": 2}',
            "port.json",
            "v: 2\n\nport\n\nname: Linden\nopen: true\n\nboats\n\nname: Ada\nname: Bo",
        ),
        (
            b"# Fees\n\nEach day:\n| Boat | Fee |\n|---|--:|\n| Dinghy | 12 |\n\n```\n| a |\n|---|\n```\n",
            "fees.md",
            "# Fees\n\nEach day:\nBoat: Dinghy | Fee: 12\n\n```\n| a |\n|---|\n```",
        ),
        (office.CODE, "boat.py", office.CODE.decode().strip().replace("\n\n\n", "\n\n")),
    ],
    ids=["RTF", "CSV", "JSON", "JSON lines", "nested JSON", "Markdown", "code"],
)
def test_reader_of_text_formats_gets_lines_that_stand_for_themselves(
    tmp_path: Path, data: bytes, name: str, text: str
) -> None:
    (page,) = read(tmp_path, data, name)
    assert page.text == text


def test_reader_of_code_gets_its_definitions_as_headings(tmp_path: Path) -> None:
    (page,) = read(tmp_path, office.CODE, "boat.py")
    assert [heading.title for heading in page.headings] == ["class Boat:", "def fee(boat):"]


def test_table_of_names_and_values_has_no_header() -> None:
    assert list(describe_rows([["Born", "1815"], ["Died", "1852"]])) == ["Born | 1815", "Died | 1852"]


@has_tesseract
def test_reader_of_a_picture_gets_the_letters_in_it(tmp_path: Path) -> None:
    (page,) = read(tmp_path, office.make_picture(), "lamp.png")
    assert "lamp is lit" in page.text


@has_tesseract
def test_reader_of_a_scanned_pdf_gets_its_letters_on_their_page(tmp_path: Path) -> None:
    data = files.make_scan(office.make_picture("Berth seven is free"), text="Words that can be selected.")
    first, second = read(tmp_path, data, "scan.pdf")
    assert "Words that can be selected." in first.text
    assert "Berth seven is free" in second.text


def test_picture_without_anything_to_read_it_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from documents.extraction import parent

    parent.stop_reader()
    monkeypatch.setattr("os.defpath", str(tmp_path))
    try:
        with pytest.raises(DocumentError) as raised:
            read(tmp_path, office.make_picture(), "lamp.png")
        assert raised.value.code == "pictures_unreadable"
    finally:
        parent.stop_reader()
