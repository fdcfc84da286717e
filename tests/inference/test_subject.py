"""A question about a document itself is told from one about something in the world."""

import pytest

from inference.subject import Subject, subject_of


@pytest.mark.parametrize(
    ("question", "subject"),
    [
        ("What is this paper about?", Subject.WHOLE),
        ("What problem does the paper address?", Subject.WHOLE),
        ("Please give me a short summary of the attached PDF in three sentences.", Subject.WHOLE),
        ("What’s in this file?", Subject.WHOLE),
        ("tl;dr", Subject.WHOLE),
        ("Who wrote this?", Subject.FRONT),
        ("When was it published?", Subject.FRONT),
        ("What are its limitations?", Subject.PART),
        ("Which datasets did they use?", Subject.PART),
        ("What does the paper say about BERT?", Subject.NAMED),
        ("What is the notice period?", Subject.NAMED),
        ("Worum geht es in diesem Papier?", Subject.NAMED),
        ("Why?", Subject.NAMED),
        ("", Subject.NAMED),
    ],
)
def test_subject_is_told_from_the_words_alone(question: str, subject: Subject) -> None:
    assert subject_of(question) is subject
