"""What in a question is meant to the letter."""

import pytest

from inference.codes import codes_in, holds_code, names_one_thing


@pytest.mark.parametrize(
    ("question", "codes"),
    [
        ("When was INV-2024-0068 paid?", ["INV-2024-0068"]),
        ("Is boat77 or part 4711/B in order 1234567?", ["boat77", "4711/B", "1234567"]),
        ("What were the top 5 of 2023, after the 3rd?", []),
    ],
)
def test_codes_are_what_is_meant_to_the_letter(question: str, codes: list[str]) -> None:
    assert codes_in(question) == codes


@pytest.mark.parametrize(
    ("code", "is_one"),
    [
        ("INV-2024-0068", True),
        ("QX-7741", True),
        ("1234567", True),
        ("GPT-3", False),
        ("V100", False),
        ("FY2024", False),
        ("500MB", False),
        ("2024-05-01", False),
    ],
)
def test_code_with_figures_enough_is_one_things_own(code: str, is_one: bool) -> None:
    assert names_one_thing(code) is is_one


def test_code_is_found_in_other_capitals_and_not_within_a_longer_one() -> None:
    assert holds_code("Paid: inv-2024-0068.", "INV-2024-0068")
    assert not holds_code("Paid: INV-2024-00681.", "INV-2024-0068")


@pytest.mark.parametrize("written", ["175000", "175,000", "175 000", "175.000"])
def test_number_is_found_with_its_thousands_apart(written: str) -> None:
    assert holds_code(f"It has {written} parameters.", "175000")
    assert not holds_code(f"It has 1{written} parameters.", "175000")
