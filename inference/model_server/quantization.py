"""Weights as 8-bit integers, such that MiniLM's vectors stay what they are. Pure numpy; `graph` has the operators.

Done plainly, 1 - cosine to the exact vectors is .008 and one in ten of the best passages changes. What it came from,
measured on the ARAGOG papers, and what is done against it:

- A processor with AVX2 but without VNNI adds two products in 16 bits, and what does not fit is cut off: `quantize`
  chooses scales with which everything fits.
- A few channels of the state are several times what the others are, and would leave those a handful of steps:
  `balance` moves a part of a channel's size into its weights (SmoothQuant, arXiv 2211.10438).
- In the first layers a neuron answers the first token with 20 where others have 2, and writes with a weight of 8 where
  others have .2 (massive activations, arXiv 2402.17762): `massive_rows` finds them, to be computed exactly.
- Tokens differ in size: `graph` gives each its own scale.

With all of it, 1 - cosine is .0005.
"""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

# Two products of an unsigned byte and a weight must fit 16 bits with a sign.
_SAFE_PAIR = 32767 / 255
# How far a channel of a layer norm's output reaches: four standard deviations, but for those that this model makes
# much of. Measured on 40 passages, and alike in all layers.
_REACH = 4.0
_OUTLYING_CHANNELS = {99: 4.8, 63: 2.5, 157: 2.5, 223: 3.0, 338: 1.9, 127: 2.0}
# The next largest after the massive ones (8 to 3.5) is 1.8.
_MASSIVE_WEIGHT = 3.0


def quantize(matrix: Array) -> tuple[npt.NDArray[np.int8], Array]:
    """Integers (in, out) and a scale for each output, such that no pair of products overflows 16 bits: the
    processor takes inputs 0 and 1 together, 2 and 3, and so on.
    """
    upper, lower = (side[0::2] + side[1::2] for side in (matrix.clip(min=0), matrix.clip(max=0)))
    pairs = np.maximum(upper, -lower).max(axis=0) / (_SAFE_PAIR - 1)
    largest = np.abs(matrix).max(axis=0) / 127
    # An output without weights needs a scale, too.
    scales = np.maximum(np.maximum(largest, pairs), np.finfo(np.float32).tiny).astype(np.float32)
    return np.round(matrix / scales).astype(np.int8), scales


def balance(matrix: Array, magnitudes: Array, *, share: float) -> Array:
    """A factor for each input: its values are to be divided by it and its row multiplied. `share` says how much of
    the differences between inputs moves into the weights.
    """
    factors = magnitudes**share / np.abs(matrix).max(axis=1) ** (1 - share)
    even: Array = (factors / np.exp(np.log(factors).mean())).astype(np.float32)
    return even


def magnitudes(gain: Array, offset: Array) -> Array:
    """How large each channel of a layer norm's output becomes, told from the norm's own weights."""
    reach: Array = (_REACH * np.abs(gain) + np.abs(offset)).astype(np.float32)
    for channel, times in _OUTLYING_CHANNELS.items():
        reach[channel] *= times
    floored: Array = np.maximum(reach, reach.max() / 100).astype(np.float32)
    return floored


def massive_rows(matrix: Array) -> npt.NDArray[np.intp]:
    """The inputs with a weight beyond what the other inputs of a feed-forward's second half have."""
    return np.flatnonzero(np.abs(matrix).max(axis=1) > _MASSIVE_WEIGHT)


def pair_rows(matrix: Array) -> npt.NDArray[np.intp]:
    """An order of the inputs in which large rows stand beside small ones, so that `quantize` has finer scales."""
    by_size = np.argsort(np.abs(matrix).max(axis=1))
    half = len(by_size) // 2
    return np.stack([by_size[::-1][:half], by_size[:half]], axis=1).reshape(-1)
