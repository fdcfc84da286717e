"""A long text with most repetitions of its words left out, for searches that care only for what is there. Pure.

People repeat themselves: a chat of 108,000 words has 14,000 different ones. Every different word stays at least
once; which repetitions stay is a matter of speed. A set of Python's own strings takes four times as long.
"""

import numpy as np
from numpy.typing import NDArray

# A word is what stands between bytes up to the space: white space and control signs of ASCII.
_SPACE = 32
# Words up to this length are compared, as two numbers of eight bytes; longer ones stay.
_COMPARED_BYTES = 16
# Below this a search takes as long as leaving out.
_SHORT_BYTES = 16_000
# The first n bytes of eight, as a number that is read from its small end.
_FIRST = np.array([(1 << 8 * n) - 1 for n in range(9)], dtype="<u8")
# Two primes for mixing, and how many of the mixed bits are looked at: 1 MB of places for the last of each word.
_MIX = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))
_PLACE_BITS = 18


def leave_out_repetitions(text: bytes) -> bytes:
    """The words of a UTF-8 text, each at least once, with something between them that is no part of a word."""
    if len(text) < _SHORT_BYTES:
        return text
    # Every word has a gap on either side, and eight bytes can be read from everywhere in it.
    signs = np.frombuffer(b"\n" + text + b"\n" * _COMPARED_BYTES, dtype=np.uint8)
    is_gap = signs <= _SPACE
    borders = np.flatnonzero(is_gap[1:] != is_gap[:-1]) + 1
    starts, ends = borders[0::2], borders[1::2]
    is_kept = _find_last_ones(signs, starts, ends - starts)
    return _take(signs, starts[is_kept], ends[is_kept])


def _find_last_ones(
    signs: NDArray[np.uint8], starts: NDArray[np.intp], lengths: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Which words are the last of their kind, or cannot be told from others."""
    eights = np.ndarray((len(signs) - 7,), dtype="<u8", buffer=signs.data, strides=(1,))
    is_long = lengths > _COMPARED_BYTES
    head = eights[starts] & _FIRST[np.minimum(lengths, 8)]
    tail = np.zeros_like(head)
    has_tail = np.flatnonzero(lengths > 8)
    tail[has_tail] = eights[starts[has_tail] + 8] & _FIRST[np.minimum(lengths[has_tail] - 8, 8)]
    # No word begins with a zero, so that this is equal to none.
    head[is_long] = 0
    places = ((head * _MIX[0] ^ tail) * _MIX[1]) >> np.uint64(64 - _PLACE_BITS)
    order = np.arange(len(starts), dtype=np.int32)
    last = np.zeros(1 << _PLACE_BITS, dtype=np.int32)
    last[places] = order
    other = last[places]
    is_kept: NDArray[np.bool_] = is_long | (other == order) | (head != head[other]) | (tail != tail[other])
    return is_kept


def _take(signs: NDArray[np.uint8], starts: NDArray[np.intp], ends: NDArray[np.intp]) -> bytes:
    """These words, each with the sign that follows it."""
    sizes = ends - starts + 1
    begins = np.cumsum(sizes) - sizes
    where = np.arange(int(sizes.sum())) + np.repeat(starts - begins, sizes)
    taken: NDArray[np.uint8] = signs[where]
    return b"\n" + taken.tobytes()
