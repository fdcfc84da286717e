"""The model server's HTTP surface: the part of OpenAI's API that concerns embeddings, and /health.

Shapes: https://platform.openai.com/docs/api-reference/embeddings. Errors carry OpenAI's error object.
"""

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
from aiohttp import web

from inference.model_server.encoder import Encoder, Vectors
from inference.model_server.files import DIMENSIONS, MAX_TOKENS, MODEL_NAME
from inference.model_server.scheduler import Scheduler

# OpenAI's own limit of inputs in one request.
MAX_INPUTS = 2048
MAX_BODY_BYTES = 32 * 1024 * 1024

SCHEDULER = web.AppKey("scheduler", Scheduler)


class EmbeddingsRequest(msgspec.Struct):
    """What a client asks; other fields of the API mean nothing here and are ignored."""

    input: str | list[str]
    model: str = MODEL_NAME
    encoding_format: str = "float"


def build_app(data_dir: Path, *, threads: int) -> web.Application:
    """The application with the model loaded; the first start under `data_dir` writes the graph."""
    encoder = Encoder(data_dir, cores=threads)

    async def scheduling(app: web.Application) -> AsyncIterator[None]:
        app[SCHEDULER] = Scheduler(encoder, cores=threads)
        runner = asyncio.create_task(app[SCHEDULER].run())
        yield
        runner.cancel()
        await asyncio.gather(runner, return_exceptions=True)

    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app.cleanup_ctx.append(scheduling)
    app.router.add_get("/health", answer_health)
    app.router.add_get("/v1/models", answer_models)
    app.router.add_post("/v1/embeddings", answer_embeddings)
    return app


async def answer_health(_request: web.Request) -> web.Response:
    return _answer({"status": "ok"})


async def answer_models(_request: web.Request) -> web.Response:
    model = {
        "id": MODEL_NAME,
        "object": "model",
        "created": 0,
        "owned_by": "parlour",
        "max_model_len": MAX_TOKENS,
        "dimensions": DIMENSIONS,
    }
    return _answer({"object": "list", "data": [model]})


async def answer_embeddings(request: web.Request) -> web.Response:
    try:
        wanted = msgspec.json.decode(await request.read(), type=EmbeddingsRequest)
    except msgspec.DecodeError as error:
        return _refuse(400, f"The request is not what it should be: {error}.")
    texts = [wanted.input] if isinstance(wanted.input, str) else wanted.input
    if wanted.model != MODEL_NAME:
        return _refuse(404, f"The model {wanted.model!r} is not here; this server has {MODEL_NAME}.")
    if not 1 <= len(texts) <= MAX_INPUTS:
        return _refuse(400, f"Send between 1 and {MAX_INPUTS} inputs, not {len(texts)}.")
    vectors, tokens = await request.app[SCHEDULER].embed(texts)
    as_base64 = wanted.encoding_format == "base64"
    return _answer(
        {
            "object": "list",
            "model": MODEL_NAME,
            "data": [
                {"object": "embedding", "index": index, "embedding": _encode(vectors, index, as_base64)}
                for index in range(len(texts))
            ],
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        }
    )


def _encode(vectors: Vectors, index: int, as_base64: bool) -> str | list[float]:
    """A vector as little-endian float32 in base64, a fifth of the size of numbers in text, or as numbers."""
    if as_base64:
        return base64.b64encode(vectors[index].astype("<f4").tobytes()).decode()
    numbers: list[float] = vectors[index].tolist()
    return numbers


def _answer(body: object, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), status=status, content_type="application/json")


def _refuse(status: int, message: str) -> web.Response:
    return _answer({"error": {"message": message, "type": "invalid_request_error"}}, status)
