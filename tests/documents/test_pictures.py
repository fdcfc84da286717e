"""Pages as they look: drawn for who may see them, with the passage where it stands."""

from io import BytesIO

import pytest
from django.test import Client
from reportlab.pdfgen.canvas import Canvas

from documents.extraction.picture import join_lines, locate
from documents.models import Document
from tests.documents.conftest import Upload
from tests.openai_server import ScriptedServer

pytestmark = pytest.mark.django_db


def two_lines() -> bytes:
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=(400, 400))
    canvas.drawString(40, 300, "The harbour of Visby was dredged in 1874.")
    canvas.drawString(40, 100, "Lamps on the pier burned whale oil until 1891.")
    canvas.save()
    return buffer.getvalue()


@pytest.fixture
def harbour(embedder: ScriptedServer, ingest: Upload) -> Document:
    return ingest(two_lines(), "harbour.pdf")


def test_reader_gets_the_page_as_a_picture_and_a_second_time_nothing_new(
    harbour: Document, program: Client
) -> None:
    path = f"/api/v1/documents/{harbour.pk}/pages/1/picture?width=400"
    answer = program.get(path)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
    assert answer.content[8:12] == b"WEBP"
    assert "private" in answer["Cache-Control"]
    assert program.get(path, headers={"if-none-match": answer["ETag"]}).status_code == 304


def test_reader_gets_the_passage_where_it_stands(harbour: Document, program: Client) -> None:
    text = harbour.pages.get().text
    start = text.index("Lamps")
    path = f"/api/v1/documents/{harbour.pk}/pages/1/marks"
    answer = program.get(path, {"start": start, "end": len(text)}).json()
    ((left, top, width, height),) = answer["marks"]
    assert left == pytest.approx(0.1, abs=0.01)
    assert 0.7 < top < 0.76
    assert 0.3 < width < 0.8
    assert 0 < height < 0.05
    assert program.get(path).json()["marks"] == []


def test_stranger_gets_no_picture_and_a_text_has_none(
    harbour: Document, ingest: Upload, program: Client, stranger: Client
) -> None:
    for leaf in ("picture", "marks"):
        assert stranger.get(f"/api/v1/documents/{harbour.pk}/pages/1/{leaf}").status_code == 404
        assert program.get(f"/api/v1/documents/{harbour.pk}/pages/9/{leaf}").status_code == 404
    text = ingest(b"Only words.", "words.txt")
    answer = program.get(f"/api/v1/documents/{text.pk}/pages/1/picture")
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "page_picture_missing")


@pytest.mark.parametrize(
    ("passage", "printed"),
    [
        ("a representation of words", "a represen-\ntation of words"),
        ("ﬁne words", "Fine  words"),
        (
            "the beginning of it stands here, then another thing altogether, and then comes the very end of it here",
            None,
        ),
    ],
)
def test_passage_is_found_though_the_text_was_cleaned(passage: str, printed: str | None) -> None:
    printed = printed or "the beginning of it stands here 17 and then comes the very end of it here"
    text = f"Before. {printed} After."
    assert locate(passage, text) == (8, 8 + len(printed))
    assert locate("Nothing of the kind", text) is None
    assert locate("", text) is None


def test_boxes_of_one_line_become_one() -> None:
    boxes = [(10, 10, 20, 20), (21, 10, 40, 20), (10, 30, 40, 40), (5, 5, 5, 9)]
    assert join_lines(boxes) == [(10, 10, 40, 20), (10, 30, 40, 40)]
