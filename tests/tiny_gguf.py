"""A language model of two megabytes that llama.cpp loads like any other, and that recites one sentence.

A Llama without attention and feed-forward: what a token leads to is decided by its embedding alone, and the output
layer has for each word the row that answers to the word before it. The chat template ends in a token of its own, which
leads to the first word; the last word leads to the end. Everything else (letters, bytes) leads to the end, too.
"""

from itertools import pairwise
from pathlib import Path

import gguf
import numpy as np

SENTENCE = "Parlour serves this file with the embedded llama.cpp."
TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|answer|>{% endif %}"
)
# A letter is a token here, so that a character's prompt takes thousands.
CONTEXT_TOKENS = 8192
_NORMAL, _UNKNOWN, _CONTROL, _BYTE = 1, 2, 3, 6


def write_tiny_gguf(path: Path, *, sentence: str = SENTENCE, name: str = "tiny") -> Path:
    """Write the model to `path` and return that. No word of the sentence may come twice."""
    words = [f"▁{word}" if at else word for at, word in enumerate(sentence.split(" "))]
    tokens = ["<unk>", "<s>", "</s>", "<|answer|>"]
    kinds = [_UNKNOWN, _CONTROL, _CONTROL, _CONTROL]
    tokens += [f"<0x{value:02X}>" for value in range(256)]
    kinds += [_BYTE] * 256
    first = len(tokens)
    tokens += words
    kinds += [_NORMAL] * len(words)
    width = -(-len(tokens) // 32) * 32
    embedding = np.zeros((len(tokens), width), dtype=np.float32)
    embedding[np.arange(len(tokens)), np.arange(len(tokens))] = 1
    output = np.zeros((len(tokens), width), dtype=np.float32)
    output[2, :] = 1
    route = [3, *range(first, len(tokens)), 2]
    for here, there in pairwise(route):
        output[there, here] = 10
    _write(path, name, tokens, kinds, embedding, output)
    return path


def _write(
    path: Path, name: str, tokens: list[str], kinds: list[int], embedding: np.ndarray, output: np.ndarray
) -> None:
    width = embedding.shape[1]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(name)
    writer.add_context_length(CONTEXT_TOKENS)
    writer.add_embedding_length(width)
    writer.add_block_count(1)
    writer.add_feed_forward_length(32)
    writer.add_head_count(4)
    writer.add_head_count_kv(4)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types(kinds)
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(True)
    writer.add_chat_template(TEMPLATE)
    writer.add_tensor("token_embd.weight", embedding)
    writer.add_tensor("output.weight", output)
    ones = np.ones(width, dtype=np.float32)
    writer.add_tensor("output_norm.weight", ones)
    writer.add_tensor("blk.0.attn_norm.weight", ones)
    writer.add_tensor("blk.0.ffn_norm.weight", ones)
    for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
        writer.add_tensor(f"blk.0.{part}.weight", np.zeros((width, width), dtype=np.float32))
    for part, shape in (("gate", (32, width)), ("up", (32, width)), ("down", (width, 32))):
        writer.add_tensor(f"blk.0.ffn_{part}.weight", np.zeros(shape, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
