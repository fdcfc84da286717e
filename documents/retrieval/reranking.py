"""A second look at the best passages by a model made for it, where one is connected; without one, nothing changes."""

import logging
from collections.abc import Callable
from dataclasses import replace

from documents.retrieval.hits import Hit
from inference.errors import InferenceError
from inference.rerank import has_reranker, rerank

logger = logging.getLogger(__name__)

# A cross-encoder reads every candidate: three for each place keep a request to a dozen or two.
CANDIDATES_PER_PLACE = 3


def best_first(query: str, find: Callable[[int], list[Hit]], k: int) -> list[Hit]:
    """The `k` best of what `find` gives for a number of passages, as the reranker orders them if there is one.

    The places change, the scores stay what fusion gave: one scale, whichever model had the last word.
    """
    if not has_reranker():
        return find(k)
    candidates = find(k * CANDIDATES_PER_PLACE)
    try:
        scores = rerank(query, [hit.text for hit in candidates])
    except InferenceError as error:
        logger.warning("passages are not reranked: %s", type(error).__name__)
        return candidates[:k]
    order = sorted(range(len(candidates)), key=lambda index: -scores[index])[:k]
    kept = sorted((candidates[index].score for index in order), reverse=True)
    return [replace(candidates[index], score=score) for index, score in zip(order, kept, strict=True)]
