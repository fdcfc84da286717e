"""Chunks: exact spans of their page, whole coverage, bounded size, whatever the text."""

import uuid
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from documents.extraction.pages import ExtractedPage, Heading
from documents.ingest.chunking import CHUNK_TOKENS, cut_into_chunks
from documents.ingest.contents import title_from_name
from documents.ingest.tokens import locate_tokens
from documents.retrieval.merging import JOINED_CHARACTERS_MAX, Place, compose_passages
from tests.documents import files

ALPHABET = st.sampled_from([*"abc .!?\n", "é", "😀", "中", "\u0301", "word ", "Sentence one. ", "\n\n"])
TEXTS = st.lists(ALPHABET, max_size=400).map("".join)


@st.composite
def page_lists(draw: st.DrawFn) -> list[ExtractedPage]:
    pages = []
    for text in draw(st.lists(TEXTS, max_size=4)):
        places = draw(st.lists(st.integers(0, max(0, len(text) - 1)), max_size=3, unique=True))
        headings = tuple(Heading(place, 1 + place % 3, f"H{place}") for place in sorted(places))
        pages.append(ExtractedPage(text=text, headings=headings))
    return pages


@settings(max_examples=150, deadline=None)
@given(page_lists(), st.integers(8, 60), st.integers(0, 7))
def test_every_letter_is_in_a_chunk_and_every_chunk_is_its_span(
    pages: list[ExtractedPage], chunk_tokens: int, overlap_tokens: int
) -> None:
    covered = [bytearray(len(page.text)) for page in pages]
    last = (0, -1)
    for span in cut_into_chunks(pages, chunk_tokens=chunk_tokens, overlap_tokens=overlap_tokens):
        text = pages[span.page - 1].text[span.start : span.end]
        assert text
        assert text == text.strip()
        assert (span.page, span.start) > last
        last = (span.page, span.start)
        covered[span.page - 1][span.start : span.end] = b"\x01" * (span.end - span.start)
    for page, marks in zip(pages, covered, strict=True):
        assert all(mark or letter.isspace() for mark, letter in zip(marks, page.text, strict=True))


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_no_chunk_is_longer_than_the_model_sees(text: str) -> None:
    offsets = locate_tokens(text)
    for span in cut_into_chunks(
        [ExtractedPage(text=text)], chunk_tokens=20, overlap_tokens=5, whole_tokens=20
    ):
        assert offsets.count(span.start, span.end) <= 20


def test_chunks_of_running_text_end_with_sentences_and_share_some() -> None:
    text = " ".join(f"{sentence} Number {n}." for n in range(40) for sentence in files.SENTENCES)
    assert len(list(cut_into_chunks([ExtractedPage(text=text[:1000])]))) == 1
    spans = list(cut_into_chunks([ExtractedPage(text=text)]))
    assert len(spans) > 5
    assert all(text[span.start : span.end].endswith(".") for span in spans)
    assert all(after.start < before.end for before, after in pairwise(spans))
    offsets = locate_tokens(text)
    assert max(offsets.count(span.start, span.end) for span in spans) <= CHUNK_TOKENS


def test_chunks_know_their_headings_and_lists_of_references() -> None:
    body = " ".join(files.SENTENCES * 4)
    first = f"Intro\n{body}\n"
    second = f"Details\n{body}\n"
    text = first + second + f"References\n{body}"
    marks = (
        Heading(0, 1, "Intro"),
        Heading(len(first), 2, "Details"),
        Heading(len(first + second), 1, "References"),
    )
    spans = list(cut_into_chunks([ExtractedPage(text=text, headings=marks)]))
    assert {span.heading for span in spans} == {"Intro", "Intro › Details", "References"}
    assert {span.heading for span in spans if span.is_reference} == {"References"}


@settings(max_examples=150, deadline=None)
@given(page_lists(), st.randoms(use_true_random=False), st.integers(1, 6))
def test_passages_are_spans_of_their_pages_and_do_not_repeat(
    pages: list[ExtractedPage], chance: object, k: int
) -> None:
    document = uuid.UUID(int=1)
    places = [
        (Place(number, document, span.page, span.start, span.end, False), 1 / (number + 1))
        for number, span in enumerate(cut_into_chunks(pages, chunk_tokens=20, overlap_tokens=5))
    ]
    chance.shuffle(places)
    passages = compose_passages(
        places, k=k, read_pages=lambda keys: {key: pages[key[1] - 1].text for key in keys}
    )
    assert len(passages) <= k
    assert (len(passages) > 0) == (len(places) > 0)
    for passage in passages:
        assert passage.text == pages[passage.page - 1].text[passage.start : passage.end]
        assert 0 < len(passage.text) <= JOINED_CHARACTERS_MAX
    for before, after in pairwise(sorted((each.page, each.start, each.end) for each in passages)):
        # Chunks overlap by design; nothing is shared beyond that.
        assert before[0] < after[0] or before[1] < after[1]


def test_every_short_document_has_its_say_before_another_part_of_one() -> None:
    def place(number: int, document: int, start: int) -> tuple[Place, float]:
        return Place(number, uuid.UUID(int=document), 1, start, start + 400, False), 1 / number

    text = {(uuid.UUID(int=document), 1): "Words. " * 600 for document in (1, 2, 3)}
    ranked = [place(1, 1, 0), place(2, 1, 3000), place(3, 2, 0), place(4, 1, 390), place(5, 3, 0)]

    def found(k: int) -> list[tuple[int, tuple[int, ...]]]:
        passages = compose_passages(ranked, k=k, read_pages=lambda _: text, is_one_each=True)
        assert [each.score for each in passages] == sorted((each.score for each in passages), reverse=True)
        return [(each.document_id.int, each.chunk_ids) for each in passages]

    assert found(3) == [(1, (1, 4)), (2, (3,)), (3, (5,))]
    assert found(9) == [*found(3), (1, (2,))]


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("travel_policy-2026.pdf", "travel policy 2026"),
        ("DetectGPT.pdf", "DetectGPT"),
        ("Q3-2026.xlsx", "Q3 2026"),
        ("4983.txt", ""),
        ("1-4983.txt", ""),
        ("MED-10.txt", ""),
        ("IMG_0231.png", ""),
        ("document-7.txt", ""),
        ("Invoice 4711.pdf", "Invoice 4711"),
    ],
)
def test_title_is_the_words_of_a_name_and_no_number(name: str, title: str) -> None:
    assert title_from_name(name) == title
