"""The built-in quotes, with the real embedding model."""

import asyncio
from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import override_settings

from inference.client import stream_chat
from inference.queries import forget_estate, resolve_model
from inference.quotes.provider import best_quotes
from inference.quotes.sentences import split_sentences
from inference.quotes.support import has_missing_name, is_answered
from inference.services import register_configured_servers
from inference.types import AnswerDelta, ChatRequest, Finish, Passage, Turn
from tests.inference.conftest import add_model

HANDBOOK = Passage(
    n=1,
    title="Handbook",
    text=(
        "The house opens at eight in the morning. Visitors sign the book at the door. "
        "Every employee has thirty days of paid holiday in a year. Unused days expire in March of the next year."
    ),
)
CANTEEN = Passage(
    n=2,
    title="Canteen",
    text="Lunch is served between noon and two. The soup of the day costs three euros. The kitchen closes at four.",
)


@pytest.fixture(autouse=True)
def house(transactional_db: None, embedding_server: str) -> object:
    """A house with the embedded model server and nothing else."""
    with override_settings(EMBEDDING_URL=embedding_server, INFERENCE_URL=""):
        register_configured_servers()
        yield


def in_thread(read, name: str):
    """Run on another thread what asks the database, and leave no connection behind there."""
    try:
        return read(name)
    finally:
        connection.close()


async def ask(question: str, *passages: Passage) -> list:
    target = await asyncio.to_thread(in_thread, resolve_model, "quotes")
    request = ChatRequest(turns=(Turn("user", question),), question=question, passages=passages)
    return [event async for event in stream_chat(target, request)]


def text_of(events: list) -> str:
    assert events[-1] == Finish("stop")
    return "".join(event.text for event in events if isinstance(event, AnswerDelta))


async def test_reader_gets_the_sentence_that_answers_with_its_citation() -> None:
    answer = text_of(await ask("How many days of paid holiday do employees have?", CANTEEN, HANDBOOK))
    assert "> Every employee has thirty days of paid holiday in a year. [1]" in answer
    assert "soup" not in answer


async def test_reader_gets_the_answer_in_small_deltas() -> None:
    events = await ask("When is lunch served?", CANTEEN, HANDBOOK)
    assert len(events) > 20
    assert "between noon and two. [2]" in text_of(events)


async def test_reader_is_told_when_the_documents_do_not_say() -> None:
    answer = text_of(await ask("Which planet has the most moons?", CANTEEN, HANDBOOK))
    assert answer.startswith("I cannot find that in your documents.")
    assert "[" not in answer


async def test_reader_is_told_which_setting_connects_a_model() -> None:
    assert "INFERENCE_URL" in text_of(await ask("When is lunch served?", CANTEEN))
    assert "No language model is connected" in text_of(await ask("Hello there"))


async def test_reader_of_a_house_with_models_is_not_told_to_connect_one() -> None:
    await asyncio.to_thread(in_thread, add_model, "talker")
    forget_estate()
    for answer in (await ask("Hello there"), await ask("When is lunch served?", CANTEEN)):
        assert "INFERENCE_URL" not in text_of(answer)


def test_neighbouring_passages_are_quoted_once() -> None:
    quotes = best_quotes("When does the kitchen close?", [CANTEEN, Passage(3, CANTEEN.text, "Canteen again")])
    assert len({quote.sentence for quote in quotes}) == len(quotes)
    assert quotes[0].n == 2


def test_house_with_a_language_model_prefers_it_to_quotes() -> None:
    assert resolve_model(None).name == "quotes"
    add_model("talker")
    forget_estate()
    assert resolve_model(None).name == "talker"


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("The first sentence is here. The second one follows it! Is the third a question?", 3),
        ("As Smith et al. have shown in Fig. 3, e.g. Paris is larger than Dr. Brown thought it was.", 1),
        ("A heading\n\nA paragraph that is long enough\nto be quoted and has two lines.", 1),
        ("Short. Too. No.", 0),
        ("word " * 300 + ".", 0),
        ("", 0),
    ],
)
def test_text_is_cut_into_sentences_worth_quoting(text: str, sentences: int) -> None:
    assert len(list(split_sentences(text))) == sentences


def test_heading_is_no_part_of_the_sentence_below_it() -> None:
    text = "Abstract\nWe present the ferry and its tides.\n5.1 Effect of the Moon\nThe moon moves it twice a day."
    assert list(split_sentences(text)) == [
        "We present the ferry and its tides.",
        "The moon moves it twice a day.",
    ]


def test_question_for_one_invoice_gets_its_sentence_or_none() -> None:
    text = " ".join(f"Invoice INV-2024-{n:04d} of {n * 13} crowns was paid in May." for n in range(60, 80))
    invoices = Passage(1, text, "Invoices")
    (quote,) = best_quotes("When was INV-2024-0068 paid?", [invoices])
    assert quote.sentence == "Invoice INV-2024-0068 of 884 crowns was paid in May."
    assert best_quotes("When was INV-2031-0068 paid?", [invoices]) == []


def test_passages_that_only_speak_of_the_same_things_are_no_answer() -> None:
    much = HANDBOOK.text * 20
    far = replace(HANDBOOK, text=much, score=0.5, similarity=0.2)
    near = replace(HANDBOOK, text=much, score=1.0, similarity=0.7)
    assert is_answered("How many days of holiday are there?", [near], 0.7)
    assert not is_answered("How many days of holiday are there?", [far], 0.5)
    assert is_answered("How many days of holiday are there?", [HANDBOOK], 0.4)


def test_name_that_stands_nowhere_in_the_passages_is_missed() -> None:
    assert has_missing_name("What does DistilBERT's teacher do?", [HANDBOOK])
    assert not has_missing_name("What does the Handbook say of visitors?", [HANDBOOK])
    assert has_missing_name("What is QX-7741?", [HANDBOOK])


def test_leaflet_is_judged_by_its_best_sentence_alone() -> None:
    rest = [replace(HANDBOOK, score=0.3, similarity=0.0), replace(HANDBOOK, score=0.2, similarity=-0.1)]
    assert is_answered("How many days of holiday are there?", rest, 0.55)
    assert not is_answered("Who won the match?", rest, 0.2)


LEASE = [
    Passage(n=1, title="Lease, p. 1", document="lease.pdf", page=1, text=HANDBOOK.text),
    Passage(
        n=2,
        title="Lease, p. 2",
        document="lease.pdf",
        page=2,
        text="| a | table of | 7 |\n- The rent of 900 crowns is paid to Mrs Holm on the first of May. It rises.",
    ),
]


async def ask_whole(purpose: str, *passages: Passage) -> str:
    target = await asyncio.to_thread(in_thread, resolve_model, "quotes")
    request = ChatRequest(
        turns=(Turn("user", "Do it."),), question="Do it.", purpose=purpose, passages=passages
    )
    return text_of([event async for event in stream_chat(target, request)])


async def test_summary_without_a_model_quotes_each_part_and_says_that_no_model_is_connected() -> None:
    answer = await ask_whole("summarise", *LEASE)
    assert "**Page 1**" in answer
    assert "> The rent of 900 crowns is paid to Mrs Holm on the first of May. [2]" in answer
    assert "No language model is connected" in answer
    assert "| a | table of" not in answer


async def test_key_facts_without_a_model_are_the_sentences_with_figures_and_names() -> None:
    answer = await ask_whole("key_facts", *LEASE)
    assert "| 2 | The rent of 900 crowns is paid to Mrs Holm on the first of May. [2] |" in answer
    assert "Visitors sign" not in answer


async def test_comparison_without_a_model_puts_side_by_side_what_speaks_of_the_same() -> None:
    other = Passage(
        n=3,
        title="Offer, p. 1",
        document="offer.pdf",
        page=1,
        text="The rent is 950 crowns, paid on the first of May.",
    )
    answer = await ask_whole("compare", *LEASE, other)
    assert (
        "crowns is paid to Mrs Holm on the first of May. [2] | The rent is 950 crowns, paid on the first of May. [3] |"
        in answer
    )
    assert "offer.pdf" in answer


PAPER = tuple(
    Passage(
        n=n, title="kettles.pdf, p. 1", document="kettles.pdf", page=1, score=0.8, similarity=0.1, text=text
    )
    for n, text in enumerate(
        (
            "Kettles lose a third of their heat to the kitchen before the water boils. We measure where the heat of a "
            "kettle goes and propose a lid that keeps it inside. Our lid halves the heat that a kettle loses, at the "
            "cost of a minute of cooling afterwards. The kitchen of the institute was painted green last spring.",
            "The rest of the paper is organised as follows. Twelve volunteers boiled water in forty kettles with our "
            "lid and without. The volunteers were thanked with tea. " * 8,
        ),
        start=1,
    )
)


@pytest.mark.parametrize("question", ["What is this paper about?", "What problem does the paper address?"])
def test_question_about_the_document_itself_is_answered_with_what_its_opening_says(question: str) -> None:
    quotes = best_quotes(question, PAPER)
    assert any("heat" in quote.sentence for quote in quotes)
    assert all("painted green" not in quote.sentence for quote in quotes)


def test_question_about_a_thing_that_is_not_there_is_refused_all_the_same() -> None:
    assert best_quotes("What is the capital of France?", PAPER) == []


def test_what_many_documents_are_about_is_not_answered_from_one_of_them() -> None:
    many = [replace(PAPER[0], n=n, document=f"{n}.pdf") for n in range(1, 6)]
    assert best_quotes("What is this paper about?", many) == []
