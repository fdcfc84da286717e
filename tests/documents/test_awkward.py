"""Files as people really have them: what a format allows and programs make of it must not lose words."""

import io
import json
from pathlib import Path

import pytest
from docx import Document as new_docx
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from openpyxl import Workbook

from documents.extraction.formats import HEAD_BYTES, TAIL_BYTES, detect_media_type
from documents.extraction.pages import ExtractedPage
from documents.extraction.readers import read_file
from documents.ingest.chunking import find_title
from tests.documents import office


def read(tmp_path: Path, data: bytes, name: str) -> list[ExtractedPage]:
    path = tmp_path / "blob"
    path.write_bytes(data)
    kind = detect_media_type(data[:HEAD_BYTES], data[-TAIL_BYTES:], name)
    return [page for page in read_file(path, kind)[1] if page is not None]


def make_lease() -> bytes:
    """A title, a tracked change, content controls, a table in a table, a text box, a style made from a heading."""
    space = nsdecls("w")
    document = new_docx()
    document.add_paragraph("Lease", "Title")
    changed = document.add_paragraph("It runs ")
    changed._p.append(parse_xml(f"<w:ins {space}><w:r><w:t>five years</w:t></w:r></w:ins>"))
    changed._p.append(parse_xml(f"<w:del {space}><w:r><w:delText>two years</w:delText></w:r></w:del>"))
    control = (
        f"<w:sdt {space}><w:sdtContent><w:p><w:r><w:t>Rent is 900.</w:t></w:r></w:p></w:sdtContent></w:sdt>"
    )
    changed._p.addnext(parse_xml(control))
    outer = document.add_table(1, 2)
    outer.cell(0, 0).text = "Landlord"
    inner = outer.cell(0, 1).add_table(1, 2)
    inner.cell(0, 0).text, inner.cell(0, 1).text = "Name", "Ada"
    chapter = document.styles.add_style("Chapter", WD_STYLE_TYPE.PARAGRAPH)
    chapter.base_style = document.styles["Heading 1"]
    document.add_paragraph("Duties", "Chapter")
    box = "<w:txbxContent><w:p><w:r><w:t>In a box.</w:t></w:r></w:p></w:txbxContent>"
    document.add_paragraph("Beside.")._p.append(parse_xml(f"<w:r {space}><w:pict>{box}</w:pict></w:r>"))
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def test_reader_of_a_contract_gets_every_word_that_word_shows(tmp_path: Path) -> None:
    (page,) = read(tmp_path, make_lease(), "lease.docx")
    assert page.text == (
        "Lease\n\nIt runs five years\n\nRent is 900.\n\nLandlord\n\nName | Ada\n\nDuties\n\nBeside.\n\nIn a box."
    )
    assert find_title([page]) == "Lease"
    assert [heading.title for heading in page.headings] == ["Lease", "Duties"]


def test_reader_of_a_report_gets_figures_by_year_below_its_title(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    for row in (["Sales report"], [], ["", 2023, "2024"], ["North", 1, 0.5], ["South", 4, True]):
        sheet.append(row)
    sheet.merge_cells("A1:C1")
    buffer = io.BytesIO()
    book.save(buffer)
    (page,) = read(tmp_path, buffer.getvalue(), "sales.xlsx")
    assert page.text.endswith("Sales report\nNorth | 2023: 1 | 2024: 0.5\nSouth | 2023: 4 | 2024: yes")


LISTS = b"""<html><body><ol><li>Moor<ul><li>by day</li><li>by night</li></ul></li><li>Pay<p>in crowns</p></li></ol>
<ol start="7"><li>Leave</li></ol></body></html>"""
PAGE = b"""<!DOCTYPE html><html><head><title>Order</title></head><body><form><div hidden>secret</div>
<div role="navigation">Home</div><h1>Order<br>form</h1><select><option>Albania</select>
<table><tr><th></th><th>2023</th><th>2024</th></tr><tr><td>Pier<br>North</td><td><p>a</p><p>b</p><script>x</script></td>
<td>3</td></tr></table></form></body></html>"""
NOTE = (
    "<text:p>The sea<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>The Baltic."
    "</text:p></text:note-body></text:note> is cold.<office:annotation><text:p>Really?</text:p>"
    "</office:annotation></text:p>"
)
MAIL = (
    b"Subject: Fwd\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nSee below.\r\n"
    b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: Pier\r\n\r\nIt is open.\r\n--b--\r\n"
)
NOTEBOOK = {
    "nbformat": 4,
    "cells": [
        {"cell_type": "markdown", "source": ["# Tides\n", "We measure."]},
        {"cell_type": "code", "source": "print(1)", "outputs": [{"output_type": "stream", "text": ["1\n"]}]},
    ],
}
MARKDOWN = b"---\ntitle: Rules\n---\n\nRules\n=====\n\n- one\n---\n\nFees\n----\n\nNone.\n"


@pytest.mark.parametrize(
    ("data", "name", "text"),
    [
        (LISTS, "steps.html", "1. Moor\n  • by day\n  • by night\n2. Pay\n  in crowns\n\n7. Leave"),
        (PAGE, "order.html", "Order\n\nOrder form\n\nPier North | 2023: a b | 2024: 3"),
        (office.make_odf(NOTE), "sea.odt", "The sea is cold.\n\nThe Baltic."),
        (MAIL, "fwd.eml", "Fwd\n\nSee below.\n\nPier\n\nIt is open."),
        (json.dumps(NOTEBOOK).encode(), "tides.ipynb", "# Tides\n\nWe measure.\n\nprint(1)\n\n1"),
        (MARKDOWN, "rules.md", "title: Rules\n\nRules\n\n- one\n---\n\nFees\n\nNone."),
        (
            '\ufeffName;Betrag\r\n"Müller, A";1,50\r\nBo;2,75\r\n'.encode(),
            "fees.csv",
            "Name: Müller, A | Betrag: 1,50\nName: Bo | Betrag: 2,75",
        ),
        (b"comment\nGood, but slow\nBad; really\n", "said.csv", "comment\nGood, but slow\nBad; really"),
    ],
    ids=["lists", "form", "notes", "forwarded", "notebook", "underlined", "decimal commas", "one column"],
)
def test_reader_of_an_awkward_file_gets_what_a_person_would_read(
    tmp_path: Path, data: bytes, name: str, text: str
) -> None:
    (page,) = read(tmp_path, data, name)
    assert page.text == text
