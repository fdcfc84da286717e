"""Reading files in the child: real ones give their text and structure, hostile ones die alone and soon."""

import random
import time
from contextlib import suppress
from pathlib import Path

import pytest

from documents.errors import DocumentError
from documents.extraction import cleaning
from documents.extraction.formats import MediaType, Unreadable, decode_text, detect_media_type
from documents.extraction.pages import PAGE_CHARACTERS, ExtractedPage
from documents.extraction.parent import read_pages
from documents.ingest.chunking import find_title
from tests.documents import files


def read(tmp_path: Path, data: bytes, media_type: MediaType, **limits: float) -> list[ExtractedPage]:
    path = tmp_path / "file"
    path.write_bytes(data)
    return list(read_pages(path, media_type, **limits))


def reason(tmp_path: Path, data: bytes, media_type: MediaType, **limits: float) -> str:
    with pytest.raises(DocumentError) as raised:
        read(tmp_path, data, media_type, **limits)
    return raised.value.code


def headings(pages: list[ExtractedPage]) -> list[tuple[int, int, str]]:
    found = [(n, heading) for n, page in enumerate(pages, start=1) for heading in page.headings]
    for number, heading in found:
        assert pages[number - 1].text[heading.start :].lstrip("# ").startswith(heading.title.split()[0])
    return [(number, heading.level, heading.title) for number, heading in found]


def test_reader_of_a_pdf_gets_pages_title_and_headings(tmp_path: Path) -> None:
    body = ["1 The Northern Pier", *[sentence[:-1] + " and so it has been." for sentence in files.SENTENCES]]
    pages = read(
        tmp_path, files.make_pdf([body, ["2 The Ferry", "It leaves."]], title="Linden"), MediaType.PDF
    )
    assert len(pages) == 2
    assert find_title(pages) == "Linden"
    assert headings(pages) == [(1, 0, "Linden"), (1, 1, "1 The Northern Pier"), (2, 1, "2 The Ferry")]
    assert "three cats" in pages[0].text


def test_reader_of_a_word_document_gets_lists_tables_and_pages(tmp_path: Path) -> None:
    pages = read(tmp_path, files.make_docx(), MediaType.DOCX)
    assert [page.text for page in pages] == [
        f"Harbour rules\n\nOpening\n\n{files.SENTENCES[0]}\n\n• Bring a lamp\nFees\nBoat | 12 crowns",
        f"Storms\n\n{files.SENTENCES[2]}",
    ]
    assert headings(pages) == [(1, 0, "Harbour rules"), (1, 1, "Opening"), (2, 1, "Storms")]


def test_reader_of_markdown_gets_headings_but_none_from_code(tmp_path: Path) -> None:
    text = "# Guide\n\nWords.\n\n```\n# not a heading\n\n## nor this\n```\n\n## Next\nMore."
    pages = read(tmp_path, text.encode(), MediaType.MARKDOWN)
    assert headings(pages) == [(1, 1, "Guide"), (1, 2, "Next")]
    assert (
        "# not a heading\n\n## nor this" in pages[0].text or "# not a heading\n## nor this" in pages[0].text
    )


def test_reader_of_long_text_gets_pages_of_readable_length(tmp_path: Path) -> None:
    text = "\n\n".join(f"Paragraph {n}. {' '.join(files.SENTENCES)}" for n in range(200))
    pages = read(tmp_path, text.encode(), MediaType.TEXT)
    assert 10 < len(pages) < 30
    assert all(len(page.text) <= PAGE_CHARACTERS for page in pages)
    assert "\n\n".join(page.text for page in pages) == text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_reader_of_text_in_any_encoding_gets_its_letters(encoding: str) -> None:
    text = "Der Fährmann grüßt die Bürger. Über den Fluß geht es für fünf Kronen. " * 20
    assert decode_text(text.encode(encoding)) == text


def test_reader_of_bytes_that_are_no_text_is_refused() -> None:
    noise = random.Random(1).randbytes(6000)
    for data in (noise, noise.replace(b"\x00", b"\x01")):
        with pytest.raises(Unreadable) as raised:
            detect_media_type(data, data, "notes.txt")
        assert raised.value.code == "type_unsupported"


def test_words_broken_at_line_ends_are_mended_as_the_document_writes_them() -> None:
    lines = [
        "A pre\ufffe",
        "trained model; the repre\ufffe",
        "sentation is pre-trained",
        "and task-",
        "specific",
    ]
    words = cleaning.count_words([lines, ["task task specific specific"]])
    cleaning.mend_broken_words(lines, words)
    assert " ".join(line for line in lines if line) == (
        "A pre-trained model; the representation is pre-trained and task-specific"
    )


def test_running_headers_and_page_numbers_are_left_out_of_every_page() -> None:
    pages = [["Annual Report 2020", f"Text of page {n}", f"{n}"] for n in "ABCDE"]
    running = cleaning.find_running_lines(pages)
    for number, lines in enumerate(pages):
        lines[-1] = str(number)
        cleaning.blank_running_lines(lines, running)
        assert [line for line in lines if line] == [f"Text of page {'ABCDE'[number]}"]


def test_ligatures_become_letters_and_invisible_marks_vanish() -> None:
    assert cleaning.normalise("ﬁnal\u200b e\ufb03cient\u00a0 𝐱\x00") == "final efficient x"


@pytest.mark.parametrize(
    ("data", "media_type", "code"),
    [
        (files.make_pdf([["Secret."]], password="pw"), MediaType.PDF, "file_encrypted"),
        (files.make_pdf([[], []]), MediaType.PDF, "text_missing"),
        (b"%PDF-1.7\nnothing of the kind", MediaType.PDF, "file_damaged"),
        (files.make_empty_docx(), MediaType.DOCX, "text_missing"),
        (files.make_docx()[:-400], MediaType.DOCX, "file_damaged"),
        (files.make_zip_bomb_docx(), MediaType.DOCX, "content_too_large"),
        (b"PK\x03\x04 word/document.xml", MediaType.DOCX, "file_damaged"),
        (b"\x00\x01\x02" * 100, MediaType.TEXT, "type_unsupported"),
    ],
    ids=["password", "no text", "no PDF", "empty Word", "cut Word", "zip bomb", "no zip", "binary"],
)
def test_reader_of_a_bad_file_gets_the_reason(
    tmp_path: Path, data: bytes, media_type: MediaType, code: str
) -> None:
    assert reason(tmp_path, data, media_type) == code


def test_reader_of_a_billion_laughs_is_done_at_once(tmp_path: Path) -> None:
    started = time.monotonic()
    assert reason(tmp_path, files.make_entity_bomb_docx(), MediaType.DOCX) in {
        "text_missing",
        "file_damaged",
    }
    assert time.monotonic() - started < 20


def test_reader_that_takes_too_long_or_too_much_is_stopped(tmp_path: Path) -> None:
    data = files.make_pdf([["Words."]] * 30)
    assert reason(tmp_path, data, MediaType.PDF, wall_seconds=0.01) == "reading_too_costly"
    text = b"word " * 20_000_000
    assert reason(tmp_path, text, MediaType.TEXT, memory_bytes=300 * 1024 * 1024) == "reading_too_costly"


def test_damaged_pdfs_never_end_in_anything_but_pages_or_a_reason(tmp_path: Path) -> None:
    whole = bytearray(files.make_pdf([list(files.SENTENCES)] * 3, title="Linden"))
    chance = random.Random(7)
    for _ in range(8):
        data = bytearray(whole[: chance.randrange(40, len(whole))])
        for _ in range(20):
            data[chance.randrange(8, len(data))] = chance.randrange(256)
        with suppress(DocumentError):
            read(tmp_path, bytes(data), MediaType.PDF, wall_seconds=30)
