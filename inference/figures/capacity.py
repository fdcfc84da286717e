"""How much GPU memory a model needs, and which Azure sizes have it. Arithmetic only, no IO.

Weights follow the figures that people plan with: a 7B model is 14, 8 or 4 GB in 16, 8 and 4 bits, 13B is 26, 14 or
8, 70B is 140, 70 or 40. Sizes between those are interpolated, sizes beyond go on at the nearest figure's rate.
The key-value cache is exact where the model's layers are given: a token keeps one key and one value for each layer
and key-value head. Gigabytes are powers of ten, as model files and cards are sold.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

GIGA = 1e9
# What vLLM takes of a card unless told otherwise (--gpu-memory-utilization); the rest is for the driver, the
# runtime and activations.
USABLE_SHARE = 0.9


class Precision(StrEnum):
    """Bits of a weight, or of a cached value."""

    BITS_16 = "16"
    BITS_8 = "8"
    BITS_4 = "4"


# Billions of parameters → gigabytes of weights.
USUAL_WEIGHTS: dict[Precision, tuple[tuple[float, float], ...]] = {
    Precision.BITS_16: ((7, 14), (13, 26), (70, 140)),
    Precision.BITS_8: ((7, 8), (13, 14), (70, 70)),
    Precision.BITS_4: ((7, 4), (13, 8), (70, 40)),
}


@dataclass(frozen=True, slots=True)
class Shape:
    """What the key-value cache of a model depends on."""

    layers: int
    key_value_heads: int
    head_size: int

    def bytes_per_token(self, cache_bits: Precision = Precision.BITS_16) -> float:
        """A key and a value for every layer and key-value head."""
        return 2 * self.layers * self.key_value_heads * self.head_size * int(cache_bits) / 8


# Up to this many billions of parameters → the shape to expect. From the configuration files of Llama 3.2 1B and 3B,
# Llama 3.1 8B, Qwen 2.5 14B and 32B, Llama 3.1 70B and 405B; all of them share key-value heads between queries.
USUAL_SHAPES: tuple[tuple[float, Shape], ...] = (
    (2, Shape(16, 8, 64)),
    (5, Shape(28, 8, 128)),
    (10, Shape(32, 8, 128)),
    (20, Shape(48, 8, 128)),
    (40, Shape(64, 8, 128)),
    (120, Shape(80, 8, 128)),
    (float("inf"), Shape(126, 8, 128)),
)


@dataclass(frozen=True, slots=True)
class Workload:
    """What is to be held: billions of parameters, and the text of everybody who is answered at once."""

    parameters_billions: float
    weight_bits: Precision = Precision.BITS_16
    context_tokens: int = 8192
    concurrent_answers: int = 1
    cache_bits: Precision = Precision.BITS_16
    # None: the usual shape of a model of this size.
    shape: Shape | None = None


@dataclass(frozen=True, slots=True)
class GpuSize:
    """A virtual machine size: how many cards of how many gigabytes each."""

    name: str
    card: str
    cards: int
    card_gigabytes: float

    @property
    def total_gigabytes(self) -> float:
        return self.cards * self.card_gigabytes

    @property
    def usable_gigabytes(self) -> float:
        return self.total_gigabytes * USABLE_SHARE


# https://learn.microsoft.com/azure/virtual-machines/sizes/gpu-accelerated, the accelerators of each series; sizes
# that differ only in processors are left out, and so are shares of a card.
GPU_SIZES: tuple[GpuSize, ...] = (
    GpuSize("Standard_NC4as_T4_v3", "T4", 1, 16),
    GpuSize("Standard_NV36ads_A10_v5", "A10", 1, 24),
    GpuSize("Standard_NV72ads_A10_v5", "A10", 2, 24),
    GpuSize("Standard_NC64as_T4_v3", "T4", 4, 16),
    GpuSize("Standard_NC24ads_A100_v4", "A100", 1, 80),
    GpuSize("Standard_NC40ads_H100_v5", "H100 NVL", 1, 94),
    GpuSize("Standard_NC48ads_A100_v4", "A100", 2, 80),
    GpuSize("Standard_NC80adis_H100_v5", "H100 NVL", 2, 94),
    GpuSize("Standard_NC96ads_A100_v4", "A100", 4, 80),
    GpuSize("Standard_ND96amsr_A100_v4", "A100", 8, 80),
    GpuSize("Standard_ND96isr_H100_v5", "H100", 8, 80),
    GpuSize("Standard_ND96isr_H200_v5", "H200", 8, 141),
    GpuSize("Standard_ND96isr_MI300X_v5", "MI300X", 8, 192),
)


@dataclass(frozen=True, slots=True)
class Fit:
    """How a size does: whether it holds the workload, and how many answers of that length it would hold at once."""

    size: GpuSize
    holds: bool
    # 0 where not even the weights and one answer fit.
    answers_at_once: int


@dataclass(frozen=True, slots=True)
class Capacity:
    """Gigabytes of GPU memory that a workload takes, and the sizes, smallest first."""

    weights_gigabytes: float
    cache_gigabytes: float
    answer_gigabytes: float
    shape: Shape
    fits: tuple[Fit, ...]

    @property
    def gigabytes(self) -> float:
        """What the model itself needs."""
        return self.weights_gigabytes + self.cache_gigabytes

    @property
    def card_gigabytes(self) -> float:
        """What the cards must have, since a server takes only `USABLE_SHARE` of them."""
        return self.gigabytes / USABLE_SHARE

    @property
    def smallest(self) -> GpuSize | None:
        """The size with the least memory that holds it; None where no single machine does."""
        return next((fit.size for fit in self.fits if fit.holds), None)


def plan_capacity(workload: Workload, sizes: Sequence[GpuSize] = GPU_SIZES) -> Capacity:
    """The memory that `workload` takes, and how each of `sizes` does with it."""
    weights = weights_gigabytes(workload.parameters_billions, workload.weight_bits)
    shape = workload.shape or usual_shape(workload.parameters_billions)
    answer = shape.bytes_per_token(workload.cache_bits) * workload.context_tokens / GIGA
    cache = answer * workload.concurrent_answers
    return Capacity(
        weights_gigabytes=weights,
        cache_gigabytes=cache,
        answer_gigabytes=answer,
        shape=shape,
        fits=tuple(
            Fit(
                size=size,
                holds=weights + cache <= size.usable_gigabytes,
                answers_at_once=max(0, int((size.usable_gigabytes - weights) / answer)),
            )
            for size in sorted(sizes, key=lambda size: (size.total_gigabytes, size.cards))
        ),
    )


def weights_gigabytes(parameters_billions: float, bits: Precision) -> float:
    """Gigabytes of weights, along the usual figures."""
    figures = USUAL_WEIGHTS[bits]
    for (least, least_size), (most, most_size) in pairwise(figures):
        if least <= parameters_billions <= most:
            along = (parameters_billions - least) / (most - least)
            return least_size + along * (most_size - least_size)
    nearest, size = figures[0] if parameters_billions < figures[0][0] else figures[-1]
    return parameters_billions * size / nearest


def usual_shape(parameters_billions: float) -> Shape:
    """The shape that a model of this size mostly has."""
    return next(shape for most, shape in USUAL_SHAPES if parameters_billions <= most)
