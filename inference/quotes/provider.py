"""The built-in provider: answers from the passages of a request by quoting their best sentences with citations.

It is what a house without a language model has. A sentence is scored by its cosine with the question, less a little
for every passage that search ranked above its own. On 98 questions about 15 papers three such sentences hold 33 % of
the words of the written answer; scored together with the sentence before it, 28 %. Where the passages do not answer
(`support`), or no sentence reaches `THRESHOLD`, it says that the documents do not say.

A question about a document itself names nothing that its sentences could be near to. Asked what it is about, the
sentences are quoted that are nearest to what its opening says in all; asked for a part, the nearest are.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass

from django.db import connection
from django.utils.translation import gettext

from inference.codes import codes_in, holds_code, names_one_thing
from inference.embeddings import embed_queries
from inference.net.transport import Timeouts
from inference.queries import has_language_model
from inference.quotes.sentences import split_sentences
from inference.quotes.support import is_answered
from inference.quotes.whole import answer_whole, most_central
from inference.subject import Subject, subject_of
from inference.types import AnswerDelta, ChatRequest, Endpoint, Finish, Passage, StreamEvent

# Answerable questions had a best cosine of at least .46, unanswerable ones of at most .20.
THRESHOLD = 0.3
MOST_QUOTES = 3
# What a passage's rank costs its sentences: 0.02 and 0.04 did alike, none and 0.08 worse.
RANK_PENALTY = 0.02
# To a question about a part of a document ("What datasets were used?") sentences less near are about something else.
PART_THRESHOLD = 0.45
# Of more documents nobody says at once what they are about.
WHOLE_DOCUMENTS_MAX = 3
# Half a second of embedding on a laptop; passages come best first.
MOST_SENTENCES = 60
# One way to connect a model, named wherever one is missed.
SETTING = "INFERENCE_URL"

_REFERRING = re.compile(r"\bet al\b|\b(?:19|20)\d\d[a-z]?\)|\[\d+(?:, ?\d+)*\]")


@dataclass(frozen=True, slots=True)
class _Candidate:
    sentence: str
    n: int
    rank: int
    document: str


async def stream_quotes(
    endpoint: Endpoint, request: ChatRequest, timeouts: Timeouts
) -> AsyncGenerator[StreamEvent, None]:
    """The quotes as an answer in small pieces; raises what embedding the question raises."""
    text = await asyncio.to_thread(_answer, request)
    for piece in _pieces(text):
        yield AnswerDelta(piece)
        # Gives way to other streams, as waiting for a server would.
        await asyncio.sleep(0)
    yield Finish("stop")


def _answer(request: ChatRequest) -> str:
    try:
        if not request.passages:
            return _without_documents()
        if request.purpose != "answer":
            return "\n\n".join([*answer_whole(request), *_advice()])
        quotes = best_quotes(request.question, request.passages)
        return "\n\n".join([*_said(quotes), *_advice()])
    finally:
        # This thread belongs to nobody: give its database connection back to the pool.
        connection.close()


def _said(quotes: Sequence[_Candidate]) -> list[str]:
    if not quotes:
        return [gettext("I cannot find that in your documents.")]
    intro = gettext("Your documents say:")
    return [intro, *(f"> {quote.sentence} [{quote.n}]" for quote in quotes)]


def _advice() -> list[str]:
    if has_language_model():
        return []
    return [
        gettext("*No language model is connected, so I can only quote. Set `%(setting)s` to connect one.*")
        % {"setting": SETTING}
    ]


def _without_documents() -> str:
    if has_language_model():
        return gettext("I only quote from documents. Attach one, or choose another model.")
    return gettext(
        "No language model is connected, so I cannot talk; I can only quote from documents. Attach one and ask "
        "about it, or set `%(setting)s` to the address of an OpenAI-compatible server, such as Ollama or vLLM."
    ) % {"setting": SETTING}


def best_quotes(question: str, passages: Sequence[Passage]) -> list[_Candidate]:
    """At most `MOST_QUOTES` sentences that speak to the question, the best first. Those that hold a code of the
    question are all there is to say, if it is one thing's own; where no passage holds it, nothing is.
    """
    candidates = list(_candidates(passages))[:MOST_SENTENCES]
    if not candidates or not question.strip():
        return []
    subject = subject_of(question)
    documents = {passage.document for passage in passages}
    if subject is Subject.WHOLE and len(documents) <= WHOLE_DOCUMENTS_MAX:
        return _telling(candidates)
    codes = [code for code in codes_in(question) if names_one_thing(code)]
    if codes and not any(holds_code(passage.text, code) for passage in passages for code in codes):
        return []
    named = [each for each in candidates if any(holds_code(each.sentence, code) for code in codes)]
    if 0 < len(named) <= MOST_QUOTES:
        return named
    candidates = named or candidates
    vectors = embed_queries([question, *(candidate.sentence for candidate in candidates)])
    cosines = (vectors[1:] @ vectors[0]).tolist()
    least = THRESHOLD
    if not is_answered(question, passages, max(cosines)):
        if subject is not Subject.PART or len(documents) > 1:
            return []
        least = PART_THRESHOLD
    fitting = [scored for scored in zip(cosines, candidates, strict=True) if scored[0] >= least]
    fitting.sort(key=lambda scored: scored[1].rank * RANK_PENALTY - scored[0])
    return [candidate for _cosine, candidate in fitting[:MOST_QUOTES]]


def _telling(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """Of each document the sentences nearest to what all of them say, in the order of the passages.

    What a sentence says of others' work is not what the document is about.
    """
    told: list[_Candidate] = []
    for document in dict.fromkeys(candidate.document for candidate in candidates):
        every = [candidate for candidate in candidates if candidate.document == document]
        own = [candidate for candidate in every if not _REFERRING.search(candidate.sentence)] or every
        vectors = embed_queries([candidate.sentence for candidate in own])
        told += [own[at] for at in most_central(vectors, MOST_QUOTES)]
    return told


def _candidates(passages: Sequence[Passage]) -> Iterator[_Candidate]:
    """Every sentence once, though neighbouring passages overlap."""
    seen: set[str] = set()
    for rank, passage in enumerate(passages):
        for sentence in split_sentences(passage.text):
            if sentence not in seen:
                seen.add(sentence)
                yield _Candidate(sentence, passage.n, rank, passage.document)


def _pieces(text: str) -> Iterator[str]:
    """Words with the blanks before them."""
    for at, word in enumerate(text.split(" ")):
        yield word if at == 0 else f" {word}"
