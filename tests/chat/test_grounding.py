"""What counts as found in the documents."""

import uuid

import pytest

from accounts.models import User
from chat.prompting import grounding
from chat.prompting.grounding import Scope, find_sources
from documents.retrieval.hits import Hit


def hit(similarity: float | None) -> Hit:
    return Hit(uuid.uuid4(), "a.txt", 1, "text", 0, 4, 1.0, similarity)


@pytest.mark.parametrize(
    ("question", "similarities", "is_found"),
    [
        ("How do I prune an old apple tree?", [0.1, 0.2, None], False),
        ("How do I prune an old apple tree?", [0.1, 0.45], True),
        ("QX-7741", [0.1], True),
        ("How do I prune an old apple tree?", [None, None], True),
    ],
)
def test_passages_that_are_all_far_from_the_question_are_none(
    question: str, similarities: list[float | None], is_found: bool
) -> None:
    assert grounding.speak_to(question, [hit(similarity) for similarity in similarities]) is is_found


@pytest.mark.django_db
def test_person_without_documents_gets_no_sources() -> None:
    user = User.objects.create_user("ada@example.org")
    assert find_sources(user, "How do I prune an apple tree?", Scope(has_floor=True)) == ()
