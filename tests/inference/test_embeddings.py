"""Texts to vectors through a server: batches, order, retries, and answers that are amiss."""

import base64
import json
import struct
from threading import Thread

import numpy as np
import pytest
from django.db import connection
from django.test.utils import override_settings

from inference.embeddings import BATCH_TEXTS, current_embedding_model, embed_passages, embed_queries
from inference.errors import (
    AnswerGarbled,
    EmbeddingsUnavailable,
    KeyMissing,
    KeyRefused,
    RateLimited,
    ServerFailed,
    ServerUnreachable,
)
from inference.models import Capability, Model, Server
from inference.net.http import MAX_ANSWER_BYTES
from tests.inference.conftest import add_model
from tests.openai_server import Refusal, ScriptedServer, embed

pytestmark = pytest.mark.django_db
NAME = "test-embedder"


@pytest.fixture(autouse=True)
def embedder(db: None, server: ScriptedServer) -> object:
    with override_settings(EMBEDDING_MODEL=NAME):
        yield add_model(NAME, base_url=server.url, capability=Capability.EMBEDDINGS)


def test_caller_gets_a_unit_vector_per_text_in_order(server: ScriptedServer) -> None:
    texts = [f"text number {number}" for number in range(5)]
    vectors = embed_queries(texts)
    assert vectors.shape == (5, server.dimensions)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
    for text, vector in zip(texts, vectors, strict=True):
        assert np.allclose(embed_queries([text])[0], vector)


def test_connection_is_kept_between_calls(server: ScriptedServer) -> None:
    for _ in range(4):
        embed_queries(["one"])
    assert server.connections_made == 1


def test_endless_answer_is_not_read_to_its_end(server: ScriptedServer) -> None:
    server.answer_everything = Refusal(200, body=b" " * (MAX_ANSWER_BYTES + 2))
    with pytest.raises(AnswerGarbled):
        embed_queries(["one"])


def test_passages_travel_in_batches_and_report_each(server: ScriptedServer) -> None:
    done: list[int] = []
    count = 2 * BATCH_TEXTS + 3
    assert len(embed_passages([f"passage {number}" for number in range(count)], done.append)) == count
    assert done == [BATCH_TEXTS, 2 * BATCH_TEXTS, count]
    assert [len(request.body["input"]) for request in server.embedding_requests] == [
        BATCH_TEXTS,
        BATCH_TEXTS,
        3,
    ]


def test_no_texts_give_an_empty_array(server: ScriptedServer) -> None:
    assert embed_passages([]).shape == (0, server.dimensions)


def test_current_model_learns_and_keeps_its_dimensions(server: ScriptedServer) -> None:
    assert current_embedding_model().dimensions == server.dimensions
    assert current_embedding_model().name == NAME
    assert Model.objects.get(name=NAME).dimensions == server.dimensions
    assert len(server.embedding_requests) == 1


def test_passages_wait_for_a_busy_server(server: ScriptedServer) -> None:
    server.embedding_refusals = [Refusal(429, retry_after=0.05), Refusal(503)]
    assert len(embed_passages(["one", "two"])) == 2
    assert len(server.embedding_requests) == 3


def test_query_does_not_wait_for_long(server: ScriptedServer) -> None:
    server.embedding_refusals = [Refusal(500)] * 9
    with pytest.raises(ServerFailed):
        embed_queries(["one"])
    assert len(server.embedding_requests) == 2


def test_refused_key_is_not_tried_again(server: ScriptedServer) -> None:
    server.embedding_refusals = [Refusal(401)]
    with pytest.raises(KeyRefused):
        embed_passages(["one"])
    assert len(server.embedding_requests) == 1


def test_rate_limited_query_tells_when_to_come_back(server: ScriptedServer) -> None:
    server.embedding_refusals = [Refusal(429, retry_after=0.01)] * 2
    with pytest.raises(RateLimited, match="Try again in 1 seconds"):
        embed_queries(["one"])


def vectors_body(*vectors: object) -> bytes:
    data = [{"index": at, "embedding": vector} for at, vector in enumerate(vectors)]
    return json.dumps({"data": data}).encode()


def packed(*values: float) -> str:
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()


def test_server_that_ignores_base64_is_understood(server: ScriptedServer) -> None:
    server.answer_everything = Refusal(200, body=vectors_body([3, 4], packed(0, 2)))
    assert embed_queries(["one", "two"]).tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0, 1]]


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b'{"data": "none"}',
        vectors_body([1, 0]),
        vectors_body([1, 0], [1, 0, 0]),
        vectors_body([1, 0], [0, 0]),
        vectors_body([1, 0], packed(float("nan"), 1)),
        vectors_body([1, 0], "!"),
        vectors_body([1, 0], [1, 0], [1, 0]),
        b'{"data": [{"index": 0, "embedding": [1]}, {"index": 0, "embedding": [1]}]}',
    ],
)
def test_answer_that_is_amiss_is_refused(server: ScriptedServer, body: bytes) -> None:
    server.answer_everything = Refusal(200, body=body)
    with pytest.raises(AnswerGarbled):
        embed_queries(["one", "two"])


def test_server_that_is_down_is_named(server: ScriptedServer) -> None:
    server.stop()
    with pytest.raises(ServerUnreachable, match="server of test-embedder"):
        embed_queries(["one"])


def test_house_without_an_embedding_model_says_which_settings_connect_one(embedder: Model) -> None:
    embedder.delete()
    with pytest.raises(EmbeddingsUnavailable, match="EMBEDDING_URL"):
        embed_queries(["one"])


def test_missing_key_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    Server.objects.update(api_key_ref="env:SOME_KEY")
    monkeypatch.delenv("SOME_KEY", raising=False)
    with pytest.raises(KeyMissing, match="set SOME_KEY"):
        embed_queries(["one"])


@pytest.mark.django_db(transaction=True)
def test_threads_share_the_pool_without_mixing_answers(server: ScriptedServer) -> None:
    wrong: list[int] = []

    def ask(number: int) -> None:
        text = f"thread {number}"
        expected = embed(text, server.dimensions)
        wrong.extend(number for _ in range(10) if not np.allclose(embed_queries([text])[0], expected))
        connection.close()

    threads = [Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
