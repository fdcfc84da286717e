"""The figures that people plan GPU memory with."""

from itertools import pairwise

import pytest

from inference.figures.capacity import (
    GPU_SIZES,
    GpuSize,
    Precision,
    Shape,
    Workload,
    plan_capacity,
    weights_gigabytes,
)


@pytest.mark.parametrize(
    ("billions", "bits_16", "bits_8", "bits_4"), [(7, 14, 8, 4), (13, 26, 14, 8), (70, 140, 70, 40)]
)
def test_weights_are_the_usual_figures(billions: float, bits_16: float, bits_8: float, bits_4: float) -> None:
    sizes = [weights_gigabytes(billions, bits) for bits in Precision]
    assert sizes == pytest.approx([bits_16, bits_8, bits_4])


@pytest.mark.parametrize("bits", list(Precision))
def test_weights_grow_with_the_model_without_a_jump(bits: Precision) -> None:
    sizes = [weights_gigabytes(tenth / 10, bits) for tenth in range(1, 5000)]
    steps = [after - before for before, after in pairwise(sizes)]
    assert min(steps) > 0
    assert max(steps) < 0.25


def test_cache_is_a_key_and_a_value_for_each_layer_head_and_token() -> None:
    # Llama 3.1 8B: 128 KiB a token in 16 bits.
    assert Shape(32, 8, 128).bytes_per_token() == 131_072
    assert Shape(32, 8, 128).bytes_per_token(Precision.BITS_8) == 65_536
    plan = plan_capacity(Workload(8, context_tokens=10_000, concurrent_answers=20))
    assert plan.cache_gigabytes == pytest.approx(131_072 * 10_000 * 20 / 1e9)


def test_given_shape_counts_before_the_usual_one() -> None:
    old = Workload(7, context_tokens=4096, concurrent_answers=4, shape=Shape(32, 32, 128))
    assert plan_capacity(old).cache_gigabytes == pytest.approx(4 * 2.147483648)


@pytest.mark.parametrize(
    ("workload", "smallest"),
    [
        (Workload(7, Precision.BITS_4, 4096), "Standard_NC4as_T4_v3"),
        (Workload(7, Precision.BITS_16, 4096), "Standard_NV36ads_A10_v5"),
        (Workload(13, Precision.BITS_16, 8192), "Standard_NV72ads_A10_v5"),
        (Workload(70, Precision.BITS_4, 8192, 4), "Standard_NC64as_T4_v3"),
        (Workload(70, Precision.BITS_16, 8192, 8), "Standard_NC80adis_H100_v5"),
        (Workload(405, Precision.BITS_16, 8192, 8), "Standard_ND96isr_H200_v5"),
    ],
)
def test_smallest_size_that_holds_it_is_named(workload: Workload, smallest: str) -> None:
    size = plan_capacity(workload).smallest
    assert size is not None
    assert size.name == smallest


def test_what_no_machine_holds_has_no_size() -> None:
    plan = plan_capacity(Workload(2000, Precision.BITS_16))
    assert plan.smallest is None
    assert not any(fit.holds or fit.answers_at_once for fit in plan.fits)


def test_answers_at_once_are_what_the_room_beside_the_weights_holds() -> None:
    card = GpuSize("one", "card", 1, 100)
    (fit,) = plan_capacity(Workload(10, context_tokens=10_000, shape=Shape(50, 10, 100)), [card]).fits
    # 20 GB of weights (interpolated), 90 usable, 2 GB an answer.
    assert fit.answers_at_once == 35
    assert (
        plan_capacity(
            Workload(10, context_tokens=10_000, concurrent_answers=35, shape=Shape(50, 10, 100)), [card]
        ).smallest
        == card
    )


def test_sizes_are_listed_once() -> None:
    assert len({size.name for size in GPU_SIZES}) == len(GPU_SIZES)
