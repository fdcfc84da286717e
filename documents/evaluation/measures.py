"""How good retrieval is, as numbers: the same questions after every change.

Over all questions, on the first results of a search; shares go from 0 to 1:
- right first, right among RESULTS: the first result, or one of the first RESULTS, is from a right document;
- recall@10: the share of a question's right documents among the first ten distinct documents;
- MRR: one divided by the place of the first right document among those ten, 0 if it is not there;
- nDCG@10: the documents' grades, discounted by log2(place + 1), against the best order there is. The grades as they
  are, as trec_eval has it, by which standard collections are measured (https://github.com/usnistgov/trec_eval,
  m_ndcg_cut.c); what is graded below 0 counts 0;
- words found, where there is a written answer: the share of the answer's content words that stand in the first
  RESULTS results' text, the texts joined in order and cut at TEXT_CHARACTERS in all. A content word is a run of
  letters and digits, lower-cased, of two characters at least, that is not among STOP_WORDS; each counts once. A
  question whose answer has none counts 1.
"""

import math
import re
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from documents.evaluation.questions import Question
from documents.retrieval.search import Hit

RESULTS = 5
# Standard collections are measured at ten documents; so many passages hold them, nearly always.
DEPTH = 10
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


@dataclass(frozen=True, slots=True)
class Report:
    """Means over all questions; `words_found` is None where no answer is written. Milliseconds of one search."""

    questions: int
    right_first: float
    right_among: float
    recall_10: float
    mrr: float
    ndcg_10: float
    words_found: float | None
    p50_ms: float
    p99_ms: float


def content_words(text: str) -> set[str]:
    """The distinct content words of a text, as defined above."""
    return set(_WORD.findall(text.lower())) - STOP_WORDS


def share_of_words_found(answer: str, hits: Sequence[Hit]) -> float:
    """How much of the answer's wording the first results hold."""
    wanted = content_words(answer)
    found = content_words("\n".join(hit.text for hit in hits[:RESULTS])[:TEXT_CHARACTERS])
    return len(wanted & found) / len(wanted) if wanted else 1.0


def rank_documents(hits: Sequence[Hit]) -> list[str]:
    """The names of the first DEPTH distinct documents, in the order of their best passages."""
    return list(dict.fromkeys(hit.document_name for hit in hits))[:DEPTH]


def ndcg(ranked: Sequence[str], grades: Mapping[str, int]) -> float:
    """nDCG of these documents against the best order of the graded ones, both cut at DEPTH."""

    def gain(of: Sequence[int]) -> float:
        return sum(max(0, grade) / math.log2(place + 2) for place, grade in enumerate(of[:DEPTH]))

    best = gain(sorted(grades.values(), reverse=True))
    return gain([grades.get(name, 0) for name in ranked]) / best if best else 0.0


def evaluate(
    questions: Sequence[Question],
    search: Callable[[str], Sequence[Hit]],
    *,
    search_deep: Callable[[str], Sequence[Hit]] | None = None,
) -> Report:
    """Ask every question once, after one that warms up connections and is not counted.

    `search` gives RESULTS results, and is what is timed; `search_deep` gives enough for DEPTH documents.
    """
    search_deep = search_deep or search
    search(questions[0].question)
    first, among, recall, reciprocal, gains, words, times_ms = [], [], [], [], [], [], []
    for question in questions:
        started = time.perf_counter()
        hits = search(question.question)
        times_ms.append((time.perf_counter() - started) * 1000)
        right = {name for name, grade in question.grades.items() if grade > 0}
        names = [hit.document_name for hit in hits[:RESULTS]]
        first.append(bool(right.intersection(names[:1])))
        among.append(bool(right.intersection(names)))
        if question.answer is not None:
            words.append(share_of_words_found(question.answer, hits))
        ranked = rank_documents(search_deep(question.question))
        recall.append(len(right.intersection(ranked)) / len(right))
        reciprocal.append(next((1 / n for n, name in enumerate(ranked, start=1) if name in right), 0.0))
        gains.append(ndcg(ranked, question.grades))
    times_ms.sort()
    return Report(
        questions=len(questions),
        right_first=statistics.mean(first),
        right_among=statistics.mean(among),
        recall_10=statistics.mean(recall),
        mrr=statistics.mean(reciprocal),
        ndcg_10=statistics.mean(gains),
        words_found=statistics.mean(words) if words else None,
        p50_ms=statistics.median(times_ms),
        p99_ms=times_ms[min(len(times_ms) - 1, int(0.99 * len(times_ms)))],
    )
