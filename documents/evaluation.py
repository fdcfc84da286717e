"""How good retrieval is, as numbers: the same questions after every change.

What is measured, per question, on the first RESULTS results:
- right first: the first result is from the document that holds the answer;
- right among them: any of them is;
- words found: the share of the written answer's content words that stand in the results' text, the texts joined
  in order and cut at TEXT_CHARACTERS in all. A content word is a run of letters and digits, lower-cased, of two
  characters at least, that is not among STOP_WORDS; each counts once. A question whose answer has none counts 1.
The report gives the means over all questions, and the times.
"""

import json
import re
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from documents.retrieval import Hit

RESULTS = 5
# What a small model's context has room for beside the conversation, and what others are measured with.
TEXT_CHARACTERS = 4000

_STOP_WORDS = """
a about all also an and any are as at be been being both but by can could did do does during each either few for
from had has have having he her here his how i if in into is it its itself may me might more most must my no nor
not of on one only or other our over own same shall she should so some such than that the their them then there
these they this those to too under until up upon very was we were what when where which while who whom whose why
will with within without would you your
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())
_WORD = re.compile(r"[^\W_]{2,}")


class Question(msgspec.Struct, frozen=True):
    """One line of `questions.jsonl`: `document` is the name of the file that holds the answer."""

    question: str
    answer: str
    document: str


@dataclass(frozen=True, slots=True)
class Report:
    """Means over all questions; shares from 0 to 1, milliseconds of one search."""

    questions: int
    right_first: float
    right_among: float
    words_found: float
    p50_ms: float
    p99_ms: float


def read_questions(path: Path) -> list[Question]:
    """The questions of a `questions.jsonl`; raises ValueError naming the line that is none."""
    questions = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if line.strip():
            try:
                questions.append(msgspec.convert(json.loads(line), Question))
            except (ValueError, msgspec.ValidationError) as error:
                raise ValueError(f"{path.name}, line {number}: {error}") from error
    return questions


def content_words(text: str) -> set[str]:
    """The distinct content words of a text, as defined above."""
    return set(_WORD.findall(text.lower())) - STOP_WORDS


def share_of_words_found(answer: str, hits: Sequence[Hit]) -> float:
    """How much of the answer's wording the first results hold."""
    wanted = content_words(answer)
    found = content_words("\n".join(hit.text for hit in hits[:RESULTS])[:TEXT_CHARACTERS])
    return len(wanted & found) / len(wanted) if wanted else 1.0


def evaluate(questions: Sequence[Question], search: Callable[[str], Sequence[Hit]]) -> Report:
    """Ask every question once, after one that warms up connections and is not counted."""
    search(questions[0].question)
    first, among, words, times_ms = [], [], [], []
    for question in questions:
        started = time.perf_counter()
        hits = search(question.question)
        times_ms.append((time.perf_counter() - started) * 1000)
        names = [hit.document_name for hit in hits[:RESULTS]]
        first.append(names[:1] == [question.document])
        among.append(question.document in names)
        words.append(share_of_words_found(question.answer, hits))
    times_ms.sort()
    return Report(
        questions=len(questions),
        right_first=statistics.mean(first),
        right_among=statistics.mean(among),
        words_found=statistics.mean(words),
        p50_ms=statistics.median(times_ms),
        p99_ms=times_ms[min(len(times_ms) - 1, int(0.99 * len(times_ms)))],
    )
