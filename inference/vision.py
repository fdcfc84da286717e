"""What a picture says, through whichever server has a model that sees: OpenAI's `/chat/completions` with an image.

The wire format is https://platform.openai.com/docs/guides/images-vision as vLLM, llama.cpp and Ollama speak it.
"""

import base64

import msgspec

from inference.asking import ask_in_turn, post
from inference.errors import AnswerGarbled
from inference.models import Capability
from inference.queries import resolve_model
from inference.types import Endpoint

# A page of dense text on a laptop's model.
ANSWER_SECONDS = 300.0
MAX_TOKENS = 2048


class _Message(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Message


class _Answer(msgspec.Struct):
    choices: list[_Choice]


def ask_about_picture(question: str, picture: bytes, *, media_type: str) -> str:
    """The model's answer. Raises `ModelUnavailable` if none sees, or a ServerError."""
    target = resolve_model(None, capability=Capability.VISION)
    address = f"data:{media_type};base64,{base64.b64encode(picture).decode()}"
    return ask_in_turn(target, lambda endpoint: _ask(endpoint, question, address))


def _ask(endpoint: Endpoint, question: str, address: str) -> str:
    parts = [{"type": "text", "text": question}, {"type": "image_url", "image_url": {"url": address}}]
    body = {
        "model": endpoint.remote_name,
        "messages": [{"role": "user", "content": parts}],
        "max_tokens": MAX_TOKENS,
        "temperature": 0,
    }
    answer = post(endpoint, "/chat/completions", msgspec.json.encode(body), answer_seconds=ANSWER_SECONDS)
    try:
        return msgspec.json.decode(answer, type=_Answer).choices[0].message.content or ""
    except (msgspec.DecodeError, IndexError):
        raise AnswerGarbled(endpoint.server_name) from None
