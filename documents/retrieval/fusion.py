"""One ranking out of two, by words and by meaning: weighted reciprocal ranks in long documents, shares of the best
score in short texts; references held back, openings lifted, documents spread.

Pure. Measured on ARAGOG (98 questions), on the FAQs of Perl, Python and Debian with their questions taken out (571;
44 long documents, or 1,800 short texts), and on 2,200 descriptions of Debian's packages, asked by their synopsis or by
a sentence taken out of them (431).
"""

import math
from collections.abc import Sequence

from documents.retrieval.places import Place, RankedPlace

# Reciprocal rank fusion's constant, from Cormack, Clarke and Büttcher (SIGIR 2009). On ARAGOG 30 to 100 are alike.
RRF_K = 60
# The words count as much as the meaning's 1 where the best chunk has so much of them (`lexical` says what is summed):
# three or four rare ones. Words found on ARAGOG and the FAQs: with 1.5 for every question .649 and .812; in proportion,
# even at 5.3 .646 and .821, at 6.7 .649 and .821, at 8 .650 and .825, at 9 .642 and .825; all in one database, where
# words are rarer: 1.5 .638 and .809, even at 8 .640 and .816, at 12 .640 and .820.
EVEN_WORDS_SCORE = 8.0
WORDS_WEIGHT_MIN, WORDS_WEIGHT_MAX = 0.25, 2.25
# Beside the meaning's 1 in short texts. Ranks would not say how far ahead the first is, and a poor ranking would spoil
# a good one: nDCG@10 of meaning alone, words alone, ranks fused, shares fused: FAQ answers .723 .452 .651 .731,
# packages .742 .732 .782 .800. With .5 .739 and .793, with 1 .705 and .805.
WORDS_SHARE = 0.7
# A list of references holds every word of the field and answers nothing: right first +.01 on ARAGOG.
# (It has no vectors either, see `documents.ingest.embedding`.)
REFERENCE_WEIGHT = 0.5
# A document's opening says what the rest is about: in the document that leads, page 1 counts this much more, page 2
# half of that, and so on. ARAGOG: words found .607 without, .631 with .2, .637 with .3, .636 with .4; right first
# .959, .949, .949, .949. Short texts have none.
OPENING_WEIGHT = 0.3
OPENING_FADE_PAGES = 1.5
# For a question about the document itself ("What is this paper about?") nothing else tells which passage answers it.
OPENING_WEIGHT_WHOLE = 3.0
# What each further chunk of a document counts beside the one before it, so that one document does not fill the answer
# when others are nearly as good. ARAGOG: words found .646 without, .646, .649, .647, .643 with .99, .98, .97, .95; of
# 98 answers 25 instead of 18 come from more than one paper, the right one is first as often.
FURTHER_CHUNK_WEIGHT = 0.98
# How many of the best chunks say which document leads.
LEADING_CHUNKS = 5


def fuse(rankings: Sequence[tuple[float, Sequence[RankedPlace]]]) -> list[tuple[Place, float]]:
    """Places by weighted reciprocal rank, best first; 1 is the score of one that leads everywhere."""
    total = sum(weight for weight, _ in rankings)
    places: dict[int, Place] = {}
    scores: dict[int, float] = {}
    for weight, ranking in rankings:
        for rank, ranked in enumerate(ranking, start=1):
            place = ranked.place
            places[place.chunk_id] = place
            share = weight / total * (RRF_K + 1) / (RRF_K + rank)
            kept = REFERENCE_WEIGHT if place.is_reference else 1.0
            scores[place.chunk_id] = scores.get(place.chunk_id, 0.0) + kept * share
    return _sorted([(places[chunk_id], score) for chunk_id, score in scores.items()])


def weigh_words(by_words: Sequence[RankedPlace]) -> float:
    """What the ranking by words counts beside the meaning's 1: the more, the more rare words its best chunk has."""
    best = -by_words[0].distance if by_words else 0.0
    return min(WORDS_WEIGHT_MAX, max(WORDS_WEIGHT_MIN, best / EVEN_WORDS_SCORE))


def order_by_shares(
    fused: Sequence[tuple[Place, float]],
    by_words: Sequence[RankedPlace],
    by_meaning: Sequence[RankedPlace],
) -> list[tuple[Place, float]]:
    """The fused places by how near they come to the best score by words, and by meaning.

    The places change, the scores stay: one scale, however they are ordered.
    """
    shares = {place.chunk_id: 0.0 for place, _ in fused}
    for weight, ranking in ((WORDS_SHARE, by_words), (1.0, by_meaning)):
        # A chunk with no word is at distance 0. Meaning has no such point: the last one read is it.
        farthest = 0.0 if ranking is by_words else max((ranked.distance for ranked in ranking), default=0.0)
        breadth = farthest - min((ranked.distance for ranked in ranking), default=0.0)
        for ranked in ranking:
            share = (farthest - ranked.distance) / breadth if breadth else 1.0
            shares[ranked.place.chunk_id] += weight * share
    kept = {place.chunk_id: REFERENCE_WEIGHT if place.is_reference else 1.0 for place, _ in fused}
    places = sorted((place for place, _ in fused), key=lambda p: -kept[p.chunk_id] * shares[p.chunk_id])
    return [(place, score) for place, (_, score) in zip(places, fused, strict=True)]


def favour_openings(
    ranked: Sequence[tuple[Place, float]], weight: float = OPENING_WEIGHT
) -> list[tuple[Place, float]]:
    """The ranking with the first pages of a document lifted by its share of the best chunks' scores; best is 1."""
    # By their numbers: Python takes ten times as long to find a UUID.
    leading: dict[int, float] = {}
    for place, score in ranked[:LEADING_CHUNKS]:
        document = place.document_id.int
        leading[document] = leading.get(document, 0.0) + score
    total = sum(leading.values())

    def lift(place: Place) -> float:
        share = leading.get(place.document_id.int, 0.0) / total
        return 1 + weight * share * math.exp((1 - place.page) / OPENING_FADE_PAGES)

    return _sorted([(place, score * lift(place) / (1 + weight)) for place, score in ranked])


def spread_documents(ranked: Sequence[tuple[Place, float]]) -> list[tuple[Place, float]]:
    """The ranking with each document's second chunk held back a little, its third twice as much, and so on."""
    seen: dict[int, float] = {}
    spread: list[tuple[Place, float]] = []
    for place, score in ranked:
        document = place.document_id.int
        weight = seen.get(document, 1.0)
        spread.append((place, score * weight))
        seen[document] = weight * FURTHER_CHUNK_WEIGHT
    return _sorted(spread)


def _sorted(scored: list[tuple[Place, float]]) -> list[tuple[Place, float]]:
    return sorted(scored, key=lambda entry: (-entry[1], entry[0].chunk_id))
