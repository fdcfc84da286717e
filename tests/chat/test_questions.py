"""Follow-up questions are searched for as questions that stand alone."""

import pytest

from chat.prompting.questions import leans_on_earlier


@pytest.mark.parametrize(
    ("question", "is_leaning"),
    [
        ("How long does it take?", True),
        ("And in winter?", True),
        ("Why?", True),
        ("Und im Winter, wenn der Hafen geschlossen ist?", True),
        ("What fares does the ferry company charge for children in summer?", False),
        ("Wie hoch ist der Fahrpreis der Fähre für Kinder im Sommer?", False),
    ],
)
def test_question_that_points_back_is_told_from_one_that_stands_alone(
    question: str, is_leaning: bool
) -> None:
    assert leans_on_earlier(question) is is_leaning
