"""The embedded model server: the real process with the real model, asked over HTTP."""

import base64
import json
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai import OpenAI

from inference.model_server.files import DIMENSIONS, MAX_TOKENS, MODEL_NAME
from inference.model_server.scheduler import plan_slices
from tests.inference.reference import reference_embedding

PARAGRAPH = (
    "Retrieval augmented generation looks up passages of documents that speak to a question and gives them to "
    "a language model together with it, so that the answer rests on what was written rather than remembered. "
)


def ask(url: str, body: object, path: str = "/embeddings") -> tuple[int, dict]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url + path, data=data), timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def embed(url: str, *texts: str) -> np.ndarray:
    status, answer = ask(url, {"input": list(texts), "model": MODEL_NAME})
    assert status == 200
    return np.array([item["embedding"] for item in answer["data"]], dtype=np.float32)


def test_server_embeds_as_the_reference_does(embedding_server: str) -> None:
    texts = ["How tall is the tower?", PARAGRAPH, "Größe: 3,5 m — naïve café №7 東京 🙂", ""]
    cosines = [
        reference_embedding(text) @ vector
        for text, vector in zip(texts, embed(embedding_server, *texts), strict=True)
    ]
    # Weights as integers cost .0005 on average; done carelessly, they cost ten times that.
    assert min(cosines) > 0.998


def test_vectors_have_length_one(embedding_server: str) -> None:
    vectors = embed(embedding_server, "a", PARAGRAPH, PARAGRAPH * 20)
    assert vectors.shape == (3, DIMENSIONS)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_paraphrases_are_nearer_than_strangers(embedding_server: str) -> None:
    asked, same, other = embed(
        embedding_server,
        "How high is the Eiffel tower?",
        "What is the height of the tower in Paris that Eiffel built?",
        "Bananas ripen faster beside apples.",
    )
    assert asked @ same > 0.7
    assert asked @ other < 0.2


def test_order_and_company_change_nothing(embedding_server: str) -> None:
    texts = [PARAGRAPH * (number % 4) + f"text {number}" for number in range(12)]
    together = embed(embedding_server, *texts)
    alone = np.concatenate([embed(embedding_server, text) for text in texts])
    assert np.allclose(together, alone, atol=1e-6)


def test_text_is_cut_after_the_tokens_the_model_knows(embedding_server: str) -> None:
    words = [f"word{number % 7}" for number in range(400)]
    status, answer = ask(embedding_server, {"input": " ".join(words), "model": MODEL_NAME})
    assert status == 200
    assert answer["usage"]["prompt_tokens"] == MAX_TOKENS
    cut, longer = embed(embedding_server, " ".join(words), " ".join([*words, "and", "something", "else"]))
    assert np.array_equal(cut, longer)


def test_openai_client_gets_the_same_in_base64(embedding_server: str) -> None:
    with OpenAI(base_url=embedding_server, api_key="none") as client:
        assert [model.id for model in client.models.list()] == [MODEL_NAME]
        answer = client.embeddings.create(model=MODEL_NAME, input=PARAGRAPH)
        given = answer.data[0].embedding
    assert np.allclose(given, embed(embedding_server, PARAGRAPH)[0], atol=1e-6)
    _, raw = ask(embedding_server, {"input": PARAGRAPH, "encoding_format": "base64"})
    assert len(base64.b64decode(raw["data"][0]["embedding"])) == 4 * DIMENSIONS


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"not json", 400),
        ({"model": MODEL_NAME}, 400),
        ({"input": [], "model": MODEL_NAME}, 400),
        ({"input": [1, 2], "model": MODEL_NAME}, 400),
        ({"input": ["x"] * 3000, "model": MODEL_NAME}, 400),
        ({"input": "x", "model": "another"}, 404),
    ],
)
def test_bad_request_is_told_what_is_wrong(embedding_server: str, body: object, status: int) -> None:
    answered, error = ask(embedding_server, body)
    assert answered == status
    assert error["error"]["message"]


def test_query_does_not_wait_behind_a_document(embedding_server: str) -> None:
    def patience() -> float:
        waits = []
        for number in range(6):
            start = time.monotonic()
            embed(embedding_server, f"a short question {number}")
            waits.append(time.monotonic() - start)
        return sorted(waits)[3]

    with ThreadPoolExecutor(1) as pool:
        start = time.monotonic()
        document = pool.submit(
            embed, embedding_server, *[PARAGRAPH * 4 + str(number) for number in range(32)]
        )
        time.sleep(0.05)
        waited = patience()
        assert not document.done()
        document.result()
    # A slice is a small part of the document; a busy machine gets some leeway.
    assert waited < (time.monotonic() - start) / 8


@given(st.lists(st.integers(min_value=1, max_value=256), max_size=200))
def test_slices_hold_every_row_once_within_the_budget(lengths: list[int]) -> None:
    slices = plan_slices(lengths, budget=256)
    assert sorted(position for group in slices for position in group) == list(range(len(lengths)))
    for group in slices:
        assert group
        assert len(group) * max(lengths[position] for position in group) <= 256
