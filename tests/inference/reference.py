"""MiniLM once more, in plain numpy from the same weights: slow, and written from the paper rather than the graph."""

import functools
import math

import numpy as np
from tokenizers import Tokenizer

from inference.model_server.files import MAX_TOKENS, model_folder
from inference.model_server.weights import read_weights

HEADS = 12
LAYERS = 6


@functools.cache
def _weights() -> dict[str, np.ndarray]:
    return read_weights()


@functools.cache
def _tokenizer() -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(model_folder() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer


def _linear(name: str, x: np.ndarray) -> np.ndarray:
    return x @ _weights()[f"{name}.weight"].T + _weights()[f"{name}.bias"]


def _norm(name: str, x: np.ndarray) -> np.ndarray:
    centred = x - x.mean(axis=-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-12)
    return scaled * _weights()[f"{name}.weight"] + _weights()[f"{name}.bias"]


def _attend(at: str, x: np.ndarray) -> np.ndarray:
    def heads(name: str) -> np.ndarray:
        return _linear(f"{at}.self.{name}", x).reshape(len(x), HEADS, -1).transpose(1, 0, 2)

    query, key, value = heads("query"), heads("key"), heads("value")
    scores = query @ key.transpose(0, 2, 1) / math.sqrt(query.shape[-1])
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares = scores / scores.sum(axis=-1, keepdims=True)
    return (shares @ value).transpose(1, 0, 2).reshape(len(x), -1)


def _gelu(x: np.ndarray) -> np.ndarray:
    return 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def reference_embedding(text: str) -> np.ndarray:
    """The unit vector of a text as sentence-transformers computes it: mean of the last layer's tokens."""
    ids = _tokenizer().encode(text).ids
    weights = _weights()
    x = weights["embeddings.word_embeddings.weight"][ids].astype(np.float64)
    x = x + weights["embeddings.position_embeddings.weight"][: len(ids)]
    x = _norm("embeddings.LayerNorm", x + weights["embeddings.token_type_embeddings.weight"][0])
    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}"
        attended = _linear(f"{at}.attention.output.dense", _attend(f"{at}.attention", x))
        x = _norm(f"{at}.attention.output.LayerNorm", x + attended)
        wide = _gelu(_linear(f"{at}.intermediate.dense", x))
        x = _norm(f"{at}.output.LayerNorm", x + _linear(f"{at}.output.dense", wide))
    mean = x.mean(axis=0)
    return mean / np.linalg.norm(mean)
