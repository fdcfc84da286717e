"""Whether passages answer a question, or only speak of the same things: a judgement from a few numbers. Pure.

Logistic regression on 98 questions about 15 papers, each also asked with its paper taken away, and 40 about other
things: what search thinks of its passages, the best sentence, and whether a name that the question gives is nowhere in
them. Fitted, with its threshold, on one half of the questions and tried on the other, over twenty divisions: 4.7 %
false refusals; refused are 78 % of the questions whose paper was taken away (papers cite one another), 88 % of 20 about
other papers of the field, all about other things; 85 % together. The best sentence alone refuses 63 % of the first.
"""

import re
from collections.abc import Sequence

from inference.types import Passage

_BEST_SENTENCE, _SIMILARITY, _SCORE, _MISSING_NAME, _CONSTANT = 5.2, 7.2, 16.0, -2.0, -17.0
# Where 4 of 98 answerable questions are refused. Below 0: a wrong refusal annoys more than a vague quote.
LOG_ODDS_MIN = -0.6
# A sentence this near to the question settles it: 26 % of the answerable questions have one, 2 % of the others (45 and
# 6 % have one at .72).
CERTAIN_COSINE = 0.76
# So little to read in all is a letter or a leaflet, of which search gives whatever there is: what it thinks of the
# rest says nothing. Then the best sentence alone decides; questions about other things reach .35 in the middle.
FEW_CHARACTERS = 2_000
NEAR_COSINE = 0.4
# A passage that only its words have found, not its meaning, is at most this near.
_UNKNOWN_SIMILARITY = 0.2

_WORD = re.compile(r"\w[\w\-.'’]*\w")
_NAME = re.compile(r"\d|\w[A-Z]")
_GENITIVE = re.compile(r"['’]s$")


def is_answered(question: str, passages: Sequence[Passage], best_cosine: float) -> bool:
    """Whether to answer from these passages; `best_cosine` is that of the question and their best sentence.

    Passages that do not say how search ranked them are taken as they are.
    """
    scores = [passage.score for passage in passages if passage.score is not None]
    if not passages or len(scores) < len(passages):
        return True
    if best_cosine >= CERTAIN_COSINE:
        return True
    if sum(len(passage.text) for passage in passages) < FEW_CHARACTERS:
        return best_cosine >= NEAR_COSINE
    similarities = [
        _UNKNOWN_SIMILARITY if passage.similarity is None else passage.similarity for passage in passages
    ]
    log_odds = (
        _CONSTANT
        + _BEST_SENTENCE * best_cosine
        + _SIMILARITY * sum(similarities) / len(similarities)
        + _SCORE * sum(scores) / len(scores)
        + _MISSING_NAME * has_missing_name(question, passages)
    )
    return log_odds >= LOG_ODDS_MIN


def has_missing_name(question: str, passages: Sequence[Passage]) -> bool:
    """Whether the question names something that no passage does: `QX-7741`, `DistilBERT`, `GPT`.

    Only what cannot be an ordinary word in any language counts: a digit, or a capital after the first letter.
    """
    text = "\n".join(f"{passage.title}\n{passage.text}" for passage in passages).lower()
    names = {_GENITIVE.sub("", word).lower() for word in _WORD.findall(question) if _NAME.search(word)}
    return any(not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) for name in names)
