"""Texts to vectors, through whichever server has the embedding model: batches, retries, one array out.

Synchronous: questions are embedded inside retrieval, documents inside Celery. On a laptop the server is
`inference.model_server`; on an estate it is anything that speaks OpenAI's /v1/embeddings.
"""

import base64
import random
import time
from collections.abc import Callable, Iterator, Sequence

import msgspec
import numpy as np
import numpy.typing as npt
from django.conf import settings

from inference.errors import AnswerGarbled, EmbeddingsUnavailable, ModelUnavailable, RateLimited, ServerError
from inference.metrics import EMBEDDING_LATENCY
from inference.net.http import Place, call, place
from inference.queries import embedding_dimensions, resolve_model
from inference.services import note_dimensions
from inference.types import EmbeddingModel, Endpoint

Vectors = npt.NDArray[np.float32]

# A batch of this size is the step of a document's progress bar: about two seconds on a laptop.
BATCH_TEXTS = 64
# A laptop needs 2 s for such a batch alone and shares its model server with other workers.
ANSWER_SECONDS = 120.0
# Waits of 0.5, 1, 2, 4 and 8 seconds: a model server that starts again is back by then.
PASSAGE_RETRIES = 5
# Somebody waits for the answer: once more, in case a pooled connection had died.
QUERY_RETRIES = 1
FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0


class _Item(msgspec.Struct):
    embedding: str | list[float]
    index: int = -1


class _Response(msgspec.Struct):
    data: list[_Item]


_decode_response = msgspec.json.Decoder(_Response).decode


def embed_queries(texts: Sequence[str], *, model: str | None = None) -> Vectors:
    """Unit vectors (n, dimensions) float32 of short texts that somebody waits for, in their order.

    By the chosen model, or by `model` where vectors of an earlier choice are still searched.
    """
    return _embed(texts, model, retries=QUERY_RETRIES, on_batch=None)


def query_embedder(model: str | None = None) -> Callable[[Sequence[str]], Vectors]:
    """`embed_queries` with its server found out already: what is returned needs no database, and so any thread may
    call it. Raises `EmbeddingsUnavailable` if no server has the model.
    """
    endpoint = _endpoint(model or settings.EMBEDDING_MODEL)
    return lambda texts: _request(endpoint, texts, retries=QUERY_RETRIES)


def embed_passages(
    texts: Sequence[str], on_batch: Callable[[int], None] | None = None, *, model: str | None = None
) -> Vectors:
    """Unit vectors (n, dimensions) float32 of parts of documents, in their order, by the chosen model or by `model`.

    `on_batch` is called after each batch with the number of texts done so far. A busy or restarting server is
    waited for, some fifteen seconds in all; then its ServerError is raised, and nothing is kept.
    """
    return _embed(texts, model, retries=PASSAGE_RETRIES, on_batch=on_batch)


def current_embedding_model(model: str | None = None) -> EmbeddingModel:
    """The chosen model, or the one called `model`; raises `EmbeddingsUnavailable` if no server has it."""
    name = model or settings.EMBEDDING_MODEL
    endpoint = _endpoint(name)
    dimensions = embedding_dimensions(name)
    if dimensions is None:
        # Not every server tells, and one that was down at registration could not: ask with one word.
        dimensions = _request(endpoint, ["dimensions"], retries=QUERY_RETRIES).shape[1]
        note_dimensions(model_name=name, dimensions=dimensions)
    return EmbeddingModel(name=name, dimensions=dimensions)


def _endpoint(name: str) -> Endpoint:
    try:
        return resolve_model(name, capability="embeddings").endpoints[0]
    except ModelUnavailable:
        raise EmbeddingsUnavailable from None


def _embed(
    texts: Sequence[str], model: str | None, *, retries: int, on_batch: Callable[[int], None] | None
) -> Vectors:
    endpoint = _endpoint(model or settings.EMBEDDING_MODEL)
    if not texts:
        return np.empty((0, current_embedding_model(model).dimensions), dtype=np.float32)
    batches: list[Vectors] = []
    done = 0
    for batch in _batches(texts):
        batches.append(_request(endpoint, batch, retries=retries))
        done += len(batch)
        if on_batch is not None:
            on_batch(done)
    return batches[0] if len(batches) == 1 else np.concatenate(batches)


def _batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(texts), BATCH_TEXTS):
        yield texts[start : start + BATCH_TEXTS]


def _request(endpoint: Endpoint, texts: Sequence[str], *, retries: int) -> Vectors:
    server = place(server_name=endpoint.server_name, base_url=endpoint.base_url, api_key=endpoint.api_key)
    body = msgspec.json.encode(
        {"model": endpoint.remote_name, "input": list(texts), "encoding_format": "base64"}
    )
    for attempt in range(retries + 1):
        try:
            with EMBEDDING_LATENCY.time():
                answer = call(server, "/embeddings", body, answer_seconds=ANSWER_SECONDS)
            return _read(answer, len(texts), server)
        except ServerError as error:
            if not error.is_retryable or attempt == retries:
                raise
            time.sleep(_wait_seconds(error, attempt))
    raise AssertionError("unreachable: the last attempt returns or raises")


def _wait_seconds(error: ServerError, attempt: int) -> float:
    if isinstance(error, RateLimited) and error.retry_after_seconds is not None:
        return min(error.retry_after_seconds, LONGEST_WAIT_SECONDS)
    # Spread out, so that workers that failed together do not come back together.
    return FIRST_WAIT_SECONDS * 2.0**attempt * random.uniform(0.8, 1.2)  # noqa: S311 - no secret


def _read(body: bytes, count: int, server: Place) -> Vectors:
    """The vectors of a response by index, scaled to length one; raises `AnswerGarbled` if any is amiss."""
    try:
        items = _decode_response(body).data
        rows: list[Vectors | None] = [None] * count
        for position, item in enumerate(items):
            at = position if item.index < 0 else item.index
            rows[at] = (
                np.frombuffer(base64.b64decode(item.embedding), dtype="<f4")
                if isinstance(item.embedding, str)
                else np.asarray(item.embedding, dtype=np.float32)
            )
        vectors = np.stack([row for row in rows if row is not None]).astype(np.float32)
    except (msgspec.DecodeError, ValueError, IndexError):
        raise AnswerGarbled(server.server_name) from None
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    if len(vectors) != count or not np.all(np.isfinite(norms)) or not np.all(norms > 0):
        raise AnswerGarbled(server.server_name)
    scaled: Vectors = vectors / norms
    return scaled
