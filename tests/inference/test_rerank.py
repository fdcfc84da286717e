"""Passages to scores, over each wire format that rerankers have."""

import pytest

from inference.errors import AnswerGarbled, ModelUnavailable, RerankUnavailable, ServerFailed
from inference.models import Capability, Deployment, Server, ServerKind
from inference.rerank import has_reranker, rerank
from tests.inference.conftest import add_model
from tests.openai_server import Recorded, Response, ScriptedServer

pytestmark = pytest.mark.django_db
PASSAGES = ["The Seine is a river.", "Paris is the capital.", "Cheese."]


def common_words(query: str, text: str) -> float:
    return float(len(set(query.lower().split()) & set(text.lower().split())))


def jina(request: Recorded) -> Response:
    """As vLLM, llama.cpp, Jina and Cohere answer: the best first, by index."""
    query, documents = request.body["query"], request.body["documents"]
    scored = [(common_words(query, text), index) for index, text in enumerate(documents)]
    results = [{"index": index, "relevance_score": score} for score, index in sorted(scored, reverse=True)]
    return Response({"model": request.body["model"], "results": results, "usage": {"total_tokens": 9}})


def text_embeddings_inference(request: Recorded) -> Response:
    query, texts = request.body["query"], request.body["texts"]
    scored = [(common_words(query, text), index) for index, text in enumerate(texts)]
    return Response([{"index": index, "score": score} for score, index in sorted(scored, reverse=True)])


def test_caller_gets_a_score_per_passage_in_order(server: ScriptedServer) -> None:
    server.routes["POST", "/v1/rerank"] = jina
    add_model("judge", base_url=server.url, capability=Capability.RERANK)
    assert rerank("Paris is", PASSAGES) == [1.0, 2.0, 0.0]
    assert server.requests[-1].body["model"] == "judge"
    assert has_reranker()


def test_text_embeddings_inference_is_asked_its_own_way(server: ScriptedServer) -> None:
    server.routes["POST", "/rerank"] = text_embeddings_inference
    row = Server.objects.create(name="tei", kind=ServerKind.TGI, base_url=server.url)
    add_model("judge", server=row, capability=Capability.RERANK)
    scores = rerank("Paris", PASSAGES)
    assert scores.index(max(scores)) == 1


def test_nothing_is_asked_about_no_passages(server: ScriptedServer) -> None:
    add_model("judge", base_url=server.url, capability=Capability.RERANK)
    assert rerank("Paris", []) == []
    assert server.requests == []


def test_house_without_a_reranker_says_what_would_connect_one() -> None:
    assert not has_reranker()
    with pytest.raises(RerankUnavailable, match="marks a model"):
        rerank("Paris", PASSAGES)
    with pytest.raises(ModelUnavailable):
        rerank("Paris", PASSAGES, model="no such one")


def test_second_server_answers_when_the_first_is_down(server: ScriptedServer) -> None:
    server.routes["POST", "/v1/rerank"] = jina
    model = add_model("judge", base_url="http://127.0.0.1:1/v1", capability=Capability.RERANK)
    Deployment.objects.update(weight=100)
    second = Server.objects.create(name="second", base_url=server.url)
    Deployment.objects.create(model=model, server=second, remote_name="judge", weight=0)
    assert rerank("Paris", PASSAGES)[1] > 0


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (Response(b"<html>"), AnswerGarbled),
        (Response({"results": [{"index": 0, "relevance_score": 1.0}]}), AnswerGarbled),
        (Response({"results": [{"index": 7, "relevance_score": 1.0}] * 3}), AnswerGarbled),
        (Response({"error": "no"}, status=500), ServerFailed),
    ],
)
def test_answer_that_is_amiss_is_an_error_of_its_own(
    server: ScriptedServer, response: Response, error: type[Exception]
) -> None:
    server.routes["POST", "/v1/rerank"] = lambda request: response
    add_model("judge", base_url=server.url, capability=Capability.RERANK)
    with pytest.raises(error):
        rerank("Paris", PASSAGES)
