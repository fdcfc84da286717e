"""Citations that lead nowhere are taken out of an answer, however it is cut into pieces."""

import pytest

from chat.prompting.citations import CitationFilter, NumberingFilter, cited_in, renumber


def filtered(text: str, sources: int, size: int) -> str:
    citations = CitationFilter(sources)
    shown = [citations.feed(text[start : start + size]) for start in range(0, len(text), size)]
    return "".join([*shown, citations.flush()])


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ferries leave hourly [1][2].", "Ferries leave hourly [1][2]."),
        ("Ferries leave hourly [7].", "Ferries leave hourly."),
        ("Ferries [1] leave [9][2] hourly [0].", "Ferries [1] leave[2] hourly."),
        ("Several [1, 9, 2].", "Several [1][2]."),
        ("A list [1, 2] stays.", "A list [1, 2] stays."),
        ("Code `values[7]` and\n```\nvalues[9] = 1\n```\nthen [9] text.", None),
        ("An open [ bracket and [word] stay, [12", "An open [ bracket and [word] stay, [12"),
        ("Ends with a blank ", "Ends with a blank "),
    ],
)
def test_reader_sees_only_citations_that_lead_somewhere(text: str, expected: str | None, size: int) -> None:
    code = "Code `values[7]` and\n```\nvalues[9] = 1\n```\nthen text."
    assert filtered(text, 2, size) == (code if expected is None else expected)


def test_nothing_but_a_possible_citation_is_held_back() -> None:
    citations = CitationFilter(1)
    assert citations.feed("Word") == "Word"
    assert citations.feed(" [") == ""
    assert citations.feed("1] more") == " [1] more"


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_passages_of_a_long_document_are_numbered_as_they_are_cited(size: int) -> None:
    told: list[tuple[int, int]] = []
    citations = NumberingFilter({12, 340, 1207}, on_new=lambda number, shown: told.append((number, shown)))
    text = "First [340]. Then [12, 1207] and [340] again, never [99]."
    shown = [citations.feed(text[start : start + size]) for start in range(0, len(text), size)]
    assert "".join([*shown, citations.flush()]) == "First [1]. Then [2][3] and [1] again, never."
    assert told == [(340, 1), (12, 2), (1207, 3)]


def test_answer_that_goes_on_keeps_its_numbers() -> None:
    citations = NumberingFilter({7, 8, 9}, known={9: 1})
    assert citations.feed("More [8][9].") + citations.flush() == "More [2][1]."
    assert renumber("So far [1].", {1: 9}) == "So far [9]."
    assert cited_in("One [3], two [4, 5].") == {3, 4, 5}
