"""Whole documents without a language model: the sentences that say most of each part, quoted with their citations.

No summary in new words, and it says so. A document is taken in sections of several pages. Of each section the most
telling sentences by their words go on to be embedded; those nearest to what the section's sentences have in common are
quoted, each unlike the one before. Key facts are the sentences with most figures and names; a comparison quotes both
documents, and the pairs of sentences that are nearest to each other.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from django.utils.translation import gettext

from inference.embeddings import Vectors, embed_queries
from inference.quotes.sentences import split_sentences
from inference.types import ChatRequest, Passage

# As many parts as a reader takes in; of a short document each page is one.
SECTIONS_MOST = 8
QUOTES_A_SECTION = 2
FACTS_MOST = 15
PAIRS_MOST = 4
# Nearer than this, two sentences say the same; further apart, they do not speak of one thing.
SAME_COSINE = 0.9
PAIR_COSINE = 0.5
# A second of embedding on a laptop, whatever the document's length.
EMBEDDED_MOST = 96
# A document's own table of contents, headers and addresses have few words that are words.
_LEAST_WORDS = 6

_WORD = re.compile(r"\w[\w'’-]*\w|\w")
_ITEM = re.compile(r"\s*(?:[-*•–]|\d{1,2}[.)])\s+")
_FIGURE = re.compile(r"\d[\d.,:/-]*")
_NAME = re.compile(r"(?<![.!?]\s)(?<!^)\b[A-ZÀ-ÖØ-Þ][\w’-]+")


Weigh = Callable[[str], float]


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    n: int
    page: int
    weight: float


def answer_whole(request: ChatRequest) -> list[str]:
    """The blocks of an answer to the request, whose passages are whole documents, in reading order."""
    documents = {
        name: list(own) for name, own in groupby(request.passages, key=lambda passage: passage.document)
    }
    match request.purpose:
        case "key_facts":
            return _key_facts(documents)
        case "compare":
            return _compare(documents)
        case _:
            return _summary(documents)


def _summary(documents: dict[str, list[Passage]]) -> list[str]:
    blocks = [gettext("These sentences say most of each part, in the document’s own words:")]
    for name, passages in documents.items():
        if len(documents) > 1:
            blocks.append(f"## {name}")
        blocks += _quoted_sections(passages, SECTIONS_MOST)
    return blocks


def _quoted_sections(passages: Sequence[Passage], most: int) -> list[str]:
    sections = _sections(passages, most)
    blocks = []
    for section, chosen in zip(sections, _central(sections), strict=True):
        if chosen:
            blocks.append(f"**{_pages(section)}**")
            blocks += [_quote(sentence) for sentence in chosen]
    return blocks


def _key_facts(documents: dict[str, list[Passage]]) -> list[str]:
    blocks = [gettext("The sentences with most figures and names in them, in the document’s own words:")]
    for name, passages in documents.items():
        if len(documents) > 1:
            blocks.append(f"## {name}")
        facts = sorted(_weighed(passages, _facts_in), key=lambda sentence: -sentence.weight)[:FACTS_MOST]
        rows = [
            f"| {fact.page} | {fact.text.replace('|', '/')} [{fact.n}] |"
            for fact in sorted(facts, key=lambda sentence: sentence.n)
        ]
        head = f"| {gettext('Page')} | {gettext('What it says')} |\n|---|---|\n"
        blocks.append(head + "\n".join(rows) if rows else gettext("There are none."))
    return blocks


def _compare(documents: dict[str, list[Passage]]) -> list[str]:
    blocks = []
    if len(documents) == 2:
        blocks += _near_pairs(*documents.items())
    for name, passages in documents.items():
        blocks.append(f"## {gettext('What “%(name)s” says') % {'name': name}}")
        blocks += _quoted_sections(passages, SECTIONS_MOST // 2)
    return blocks


def _near_pairs(first: tuple[str, list[Passage]], second: tuple[str, list[Passage]]) -> list[str]:
    """A table of what both speak of, in the words of each."""
    one, other = (
        _best(_weighed(passages, _telling(passages)), EMBEDDED_MOST // 2) for _n, passages in (first, second)
    )
    if not one or not other:
        return []
    vectors = embed_queries([sentence.text for sentence in (*one, *other)])
    cosines = vectors[: len(one)] @ vectors[len(one) :].T
    rows: list[str] = []
    while len(rows) < PAIRS_MOST:
        row, column = divmod(int(np.argmax(cosines)), cosines.shape[1])
        if cosines[row, column] < PAIR_COSINE:
            break
        cosines[row, :] = cosines[:, column] = -1.0
        rows.append(f"| {_cell(one[row])} | {_cell(other[column])} |")
    if not rows:
        return [gettext("I found no two sentences in them that speak of the same thing.")]
    head = (
        "| " + " | ".join(name.replace("|", "/") for name, _passages in (first, second)) + " |\n|---|---|\n"
    )
    return [gettext("Where both speak of the same thing, as far as I can tell:"), head + "\n".join(rows)]


def _central(sections: Sequence[Sequence[Passage]]) -> list[list[_Sentence]]:
    """The sentences of each section that are nearest to what its sentences have in common, in their order."""
    each = max(QUOTES_A_SECTION * 3, EMBEDDED_MOST // max(len(sections), 1))
    candidates = [_best(_weighed(section, _telling(section)), each) for section in sections]
    texts = [sentence.text for section in candidates for sentence in section]
    if not texts:
        return [[] for _section in sections]
    vectors, chosen, begin = embed_queries(texts), [], 0
    for section in candidates:
        own = vectors[begin : begin + len(section)]
        begin += len(section)
        chosen.append([section[at] for at in most_central(own, QUOTES_A_SECTION)] if section else [])
    return chosen


def most_central(vectors: Vectors, most: int) -> list[int]:
    """Which of the unit vectors are nearest to their middle, each unlike those before it; in their order."""
    order = np.argsort(-(vectors @ vectors.mean(axis=0)))
    chosen: list[int] = []
    for at in order.tolist():
        if all(float(vectors[at] @ vectors[other]) < SAME_COSINE for other in chosen):
            chosen.append(at)
        if len(chosen) == most:
            break
    return sorted(chosen)


def _sections(passages: Sequence[Passage], most: int) -> list[list[Passage]]:
    """Whole pages together, in at most `most` sections of about the same number of pages."""
    pages = [list(own) for _page, own in groupby(passages, key=lambda passage: passage.page)]
    size = math.ceil(len(pages) / most)
    return [
        [passage for page in pages[at : at + size] for passage in page] for at in range(0, len(pages), size)
    ]


def _prose(text: str) -> str:
    """The text without its tables, headings and code, which are no sentences; each item of a list stands alone."""
    lines, is_code = [], False
    for line in text.split("\n"):
        mark = line.strip()
        if mark.startswith("```"):
            is_code = not is_code
        elif is_code or mark.startswith(("|", "#")):
            lines.append("")
        elif item := _ITEM.match(line):
            lines += ["", line[item.end() :]]
        else:
            lines.append(line)
    return "\n".join(lines)


def _weighed(passages: Iterable[Passage], weigh: Weigh) -> list[_Sentence]:
    """Every sentence once, in order; those without weight are left out."""
    seen: set[str] = set()
    sentences = []
    for passage in passages:
        for text in split_sentences(_prose(passage.text)):
            if text in seen or len(_WORD.findall(text)) < _LEAST_WORDS:
                continue
            seen.add(text)
            if (weight := weigh(text)) > 0:
                sentences.append(_Sentence(text, passage.n, passage.page, weight))
    return sentences


def _best(sentences: Sequence[_Sentence], most: int) -> list[_Sentence]:
    """The weightiest, in their order."""
    best = sorted(range(len(sentences)), key=lambda at: -sentences[at].weight)[:most]
    return [sentences[at] for at in sorted(best)]


def _telling(passages: Sequence[Passage]) -> Weigh:
    """How much of what the passages speak of most a sentence has: words count less the commoner they are in all."""
    counts = Counter(word.lower() for passage in passages for word in set(_WORD.findall(passage.text)))
    every = max(len(passages), 1)

    def weigh(text: str) -> float:
        words = {word.lower() for word in _WORD.findall(text) if len(word) > 3}
        # In several passages, but not in all of them: a subject, rather than a word of the language.
        return sum(
            counts[word] * math.log(1 + every / counts[word]) for word in words if counts[word]
        ) / math.sqrt(len(words) + 4)

    return weigh


def _facts_in(text: str) -> float:
    figures, names = len(_FIGURE.findall(text)), len(_NAME.findall(text))
    # A line of nothing but figures is a table that has lost its head.
    return 0.0 if figures * 2 > len(_WORD.findall(text)) else figures * 2 + min(names, 4)


def _pages(section: Sequence[Passage]) -> str:
    first, last = section[0].page, section[-1].page
    if first == last:
        return gettext("Page %(page)s") % {"page": first}
    return gettext("Pages %(first)s to %(last)s") % {"first": first, "last": last}


def _quote(sentence: _Sentence) -> str:
    return f"> {sentence.text} [{sentence.n}]"


def _cell(sentence: _Sentence) -> str:
    return f"{sentence.text.replace('|', '/')} [{sentence.n}]"
