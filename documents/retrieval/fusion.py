"""One ranking out of several: weighted reciprocal ranks, references held back, openings lifted, documents spread.

Pure.
"""

import math
from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from documents.retrieval.places import Place, RankedPlace

# Reciprocal rank fusion's constant, from Cormack, Clarke and Büttcher (SIGIR 2009). On ARAGOG 30 to 100 are alike.
RRF_K = 60
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


def favour_openings(
    ranked: Sequence[tuple[Place, float]], weight: float = OPENING_WEIGHT
) -> list[tuple[Place, float]]:
    """The ranking with the first pages of a document lifted by its share of the best chunks' scores; best is 1."""
    leading: dict[UUID, float] = {}
    for place, score in ranked[:LEADING_CHUNKS]:
        leading[place.document_id] = leading.get(place.document_id, 0.0) + score
    total = sum(leading.values())

    def lift(place: Place) -> float:
        share = leading.get(place.document_id, 0.0) / total
        return 1 + weight * share * math.exp((1 - place.page) / OPENING_FADE_PAGES)

    return _sorted([(place, score * lift(place) / (1 + weight)) for place, score in ranked])


def spread_documents(ranked: Sequence[tuple[Place, float]]) -> list[tuple[Place, float]]:
    """The ranking with each document's second chunk held back a little, its third twice as much, and so on."""
    seen: Counter[UUID] = Counter()
    spread: list[tuple[Place, float]] = []
    for place, score in ranked:
        spread.append((place, score * FURTHER_CHUNK_WEIGHT ** seen[place.document_id]))
        seen[place.document_id] += 1
    return _sorted(spread)


def _sorted(scored: list[tuple[Place, float]]) -> list[tuple[Place, float]]:
    return sorted(scored, key=lambda entry: (-entry[1], entry[0].chunk_id))
