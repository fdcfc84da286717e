"""How well passages answer a question, by a model made for that.

The request is Jina's and Cohere's, which vLLM, llama.cpp (`--reranking`) and hosted rerankers take at `/rerank`; Text
Embeddings Inference has one of its own above `/v1` (https://huggingface.github.io/text-embeddings-inference/).
"""

from collections.abc import Sequence

import msgspec

from inference.asking import ask_in_turn, post
from inference.endpoints import own_api
from inference.errors import AnswerGarbled, ModelUnavailable, RerankUnavailable
from inference.models import Capability, ServerKind
from inference.queries import resolve_model
from inference.types import Endpoint, ModelTarget

# Somebody waits; fifty passages take a cross-encoder some seconds on a processor.
ANSWER_SECONDS = 30.0


class _Result(msgspec.Struct):
    index: int
    relevance_score: float | None = None
    score: float | None = None


class _Results(msgspec.Struct):
    results: list[_Result]


def has_reranker() -> bool:
    """Whether any model can rerank now."""
    try:
        resolve_model(None, capability=Capability.RERANK)
    except ModelUnavailable:
        return False
    return True


def rerank(query: str, passages: Sequence[str], *, model: str | None = None) -> list[float]:
    """A score for each passage in their order, higher for a better answer; no passages, no call.

    Scores of one call compare with each other only: some models give probabilities, some logits. `model` is a
    name, the default reranker for None. Raises `RerankUnavailable` if there is none, or a ServerError.
    """
    try:
        target = resolve_model(model, capability=Capability.RERANK)
    except ModelUnavailable:
        if model is not None:
            raise
        raise RerankUnavailable from None
    return rerank_with(target, query, passages)


def rerank_with(target: ModelTarget, query: str, passages: Sequence[str]) -> list[float]:
    """The same with a model that was resolved before."""
    if not passages:
        return []
    return ask_in_turn(target, lambda endpoint: _ask(endpoint, query, passages))


def _ask(endpoint: Endpoint, query: str, passages: Sequence[str]) -> list[float]:
    if endpoint.kind == ServerKind.TGI:
        endpoint, body = own_api(endpoint), {"query": query, "texts": list(passages), "truncate": True}
    else:
        body = {
            "model": endpoint.remote_name,
            "query": query,
            "documents": list(passages),
            "top_n": len(passages),
        }
    answer = post(endpoint, "/rerank", msgspec.json.encode(body), answer_seconds=ANSWER_SECONDS)
    return _read(answer, len(passages), endpoint)


def _read(answer: bytes, count: int, endpoint: Endpoint) -> list[float]:
    try:
        found = msgspec.json.decode(answer, type=_Results | list[_Result])
        results = found.results if isinstance(found, _Results) else found
    except msgspec.DecodeError:
        raise AnswerGarbled(endpoint.server_name) from None
    scores: dict[int, float] = {}
    for result in results:
        score = result.score if result.relevance_score is None else result.relevance_score
        if score is not None:
            scores[result.index] = score
    if set(scores) != set(range(count)):
        raise AnswerGarbled(endpoint.server_name)
    return [scores[position] for position in range(count)]
