"""What the built-in `quotes` answers: whether it refuses what the documents do not say, and cites what it says.

Each question is asked as it stands, and once more with its right documents taken out of what is searched; beside
them stand EVERYDAY questions that no folder of papers answers. Measured:
- false refusals: questions whose documents are there and that are answered "not found" all the same;
- refused without the document, refused everyday: those answered "not found", as they should be. (A little of the
  first is honestly answerable: papers cite one another.)
- refused: both together, over all of them;
- citation precision: of the citations in answers to the questions as they stand, the share that lead to a right
  document, and quote words that stand in the passage cited.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from documents.evaluation.questions import Question
from documents.retrieval.hits import Hit
from inference.quotes.provider import best_quotes
from inference.types import Passage

_EVERYDAY = """\
How many days of paid leave do employees get in their first year?
What is the boiling point of ethanol at sea level?
How do I reset the password of my router?
When was the Treaty of Westphalia signed?
What temperature should a sourdough loaf be baked at?
What is the notice period in my employment contract?
How often should the oil of a diesel engine be changed?
Who painted the ceiling of the Sistine Chapel?
Which vaccines are recommended before travelling to Kenya?
What did the board decide about the dividend?
What is the maximum load of the warehouse lift?
Why do leaves change colour in autumn?
Which bus goes to the airport on Sundays?
What are the fire safety rules for the laboratory?
How do I prune an apple tree?
What is the refund policy for cancelled flights?
Who is responsible for data protection in the company?
How does the human kidney filter blood?
What does the contract say about late payment?
How is the pension contribution split between employer and employee?
"""
EVERYDAY = tuple(_EVERYDAY.splitlines())


@dataclass(frozen=True, slots=True)
class AnswerReport:
    """Shares from 0 to 1, as defined above."""

    false_refusals: float
    refused_without_document: float
    refused_everyday: float
    refused: float
    citation_precision: float


def evaluate_answers(
    questions: Sequence[Question], search: Callable[[str, Sequence[str]], Sequence[Hit]]
) -> AnswerReport:
    """Ask everything; `search` gets a question, and the names of documents to leave out."""
    false_refusals = without = right = cited = 0
    for question in questions:
        hits = search(question.question, ())
        quotes = best_quotes(question.question, _passages(hits))
        false_refusals += not quotes
        for quote in quotes:
            hit = hits[quote.n - 1]
            is_quoted = " ".join(quote.sentence.split()) in " ".join(hit.text.split())
            right += is_quoted and question.grades.get(hit.document_name, 0) > 0
            cited += 1
        names = tuple(question.grades)
        without += not best_quotes(question.question, _passages(search(question.question, names)))
    everyday = sum(not best_quotes(asked, _passages(search(asked, ()))) for asked in EVERYDAY)
    return AnswerReport(
        false_refusals=false_refusals / len(questions),
        refused_without_document=without / len(questions),
        refused_everyday=everyday / len(EVERYDAY),
        refused=(without + everyday) / (len(questions) + len(EVERYDAY)),
        citation_precision=right / cited if cited else 1.0,
    )


def _passages(hits: Sequence[Hit]) -> list[Passage]:
    return [
        Passage(
            n,
            hit.text,
            hit.document_name,
            score=hit.score,
            similarity=hit.similarity,
            document=hit.document_name,
            page=hit.page,
        )
        for n, hit in enumerate(hits, start=1)
    ]
