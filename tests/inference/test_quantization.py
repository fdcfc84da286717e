"""Weights as 8-bit integers: nothing overflows, nothing is lost that need not be."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from inference.model_server.quantization import balance, massive_rows, pair_rows, quantize

SIZE = 64


def weights(seed: int) -> np.ndarray:
    """A matrix with the heavy tails that a model's weights have."""
    return np.random.default_rng(seed).standard_t(3, size=(SIZE, SIZE)).astype(np.float32)


@given(st.integers(min_value=0, max_value=10_000))
def test_two_products_fit_in_sixteen_bits(seed: int) -> None:
    integers = quantize(weights(seed))[0].astype(np.int32)
    for side in (integers.clip(min=0), integers.clip(max=0)):
        assert np.abs(255 * (side[0::2] + side[1::2])).max() <= 32767


@given(st.integers(min_value=0, max_value=10_000))
def test_integers_give_the_weights_back(seed: int) -> None:
    matrix = weights(seed)
    integers, scales = quantize(matrix)
    assert np.abs(integers * scales - matrix).max() <= scales.max() * 0.501


def test_output_without_weights_stays_zero() -> None:
    matrix = weights(1)
    matrix[:, 3] = 0
    integers, scales = quantize(matrix)
    assert not (integers * scales)[:, 3].any()


@given(st.integers(min_value=0, max_value=10_000))
def test_balancing_changes_no_product(seed: int) -> None:
    matrix, source = weights(seed), weights(seed + 1)
    factors = balance(matrix, np.abs(source).max(axis=0), share=0.5)
    assert np.allclose(
        (source / factors) @ (matrix * factors[:, None]), source @ matrix, rtol=1e-3, atol=1e-2
    )


def test_pairing_keeps_every_row_and_makes_scales_finer() -> None:
    matrix = weights(2) * np.linspace(0.1, 1, SIZE, dtype=np.float32)[:, None]
    order = pair_rows(matrix)
    assert sorted(order) == list(range(SIZE))
    assert quantize(matrix[order])[1].mean() < quantize(matrix)[1].mean()


def test_a_massive_row_is_found() -> None:
    matrix = np.full((SIZE, SIZE), 0.2, dtype=np.float32)
    matrix[7, 9] = -8
    assert massive_rows(matrix).tolist() == [7]
