"""A long text cut down to what a search for keys has to see: each word once, and what keys with white space in them
may stand in. For searches that care only for what is there. Pure.

People repeat themselves: a chat of 108,000 words has 14,000 different ones. Every different word stays at least
once; which repetitions stay is a matter of speed. Texts come in pieces, so that all that is made on the way fits into
the processor's caches: in one piece, 800 kB take twice the time.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

# A word is what stands between bytes up to the space: white space and control signs of ASCII.
_SPACE = 32
# Words up to this length are compared, as two numbers of eight bytes; longer ones stay.
_COMPARED_BYTES = 16
# The first bytes of words by their length, as two numbers that are read from their small ends.
_HEADS = np.array([(1 << 8 * min(n, 8)) - 1 for n in range(_COMPARED_BYTES + 1)], dtype="<u8")
_TAILS = np.array([(1 << 8 * max(n - 8, 0)) - 1 for n in range(_COMPARED_BYTES + 1)], dtype="<u8")
# Two primes for mixing, and how many of the mixed bits are looked at: at most 1 MB of places for words.
_MIX = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))
_PLACE_BITS = 16
# Before and behind a piece; nobody writes it.
_BEFORE, _BEHIND = b"\x00" * 4, b"\x00" * _COMPARED_BYTES
# Of a key with white space in it: so many signs before a white space and so many behind it tell it from most texts.
_SIGNS_BEFORE, _SIGNS_BEHIND = 2, 3
_SURROUNDINGS = np.uint64((1 << 8 * (_SIGNS_BEFORE + 1 + _SIGNS_BEHIND)) - 1)
# At both ends of what was cut out: no white space, so that no word seems to stand alone that does not.
_EDGE = b"_\x00_"


class Piece:
    """Some of a text in UTF-8, and where its words end."""

    def __init__(self, text: bytes) -> None:
        self.text = _BEFORE + text + _BEHIND
        self.signs = np.frombuffer(self.text, dtype=np.uint8)
        first, last = len(_BEFORE) - 1, len(self.text) - len(_BEHIND) + 1
        self.gaps = np.flatnonzero(self.signs[first:last] <= _SPACE) + first


class Words:
    """The words of some pieces, each at least once."""

    def __init__(self, text_bytes: int) -> None:
        """Room for as many words as texts of this length together may have."""
        self._bits = min((text_bytes // 8).bit_length(), _PLACE_BITS)
        self._heads = np.zeros(1 << self._bits, dtype="<u8")
        self._tails = np.zeros(1 << self._bits, dtype="<u8")
        self._last = np.empty(1 << self._bits, dtype=np.int32)

    def take_new(self, piece: Piece) -> bytes:
        """The words that were not seen before, with something around them that is no part of a word."""
        starts, lengths = piece.gaps[:-1] + 1, np.diff(piece.gaps) - 1
        both = np.ndarray((len(piece.signs) - 15,), dtype="V16", buffer=piece.text, strides=(1,))[starts]
        heads = both.view("<u8")[0::2] & _HEADS.take(lengths, mode="clip")
        tails = both.view("<u8")[1::2] & _TAILS.take(lengths, mode="clip")
        places = _places(heads * _MIX[0] ^ tails, self._bits)
        is_long = lengths > _COMPARED_BYTES
        is_known = (self._heads.take(places) == heads) & (self._tails.take(places) == tails)
        fresh = np.flatnonzero(~is_known | is_long)
        kept = fresh[self._keep(places[fresh], heads[fresh], tails[fresh], is_long[fresh])]
        return _take(piece.signs, starts[kept], lengths[kept])

    def _keep(
        self,
        places: NDArray[np.intp],
        heads: NDArray[np.uint64],
        tails: NDArray[np.uint64],
        is_long: NDArray[np.bool_],
    ) -> NDArray[np.bool_]:
        """Which of these words are the last of their kind, or cannot be told from others; the former are noted."""
        order = np.arange(len(places), dtype=np.int32)
        self._last[places] = order
        other = self._last.take(places)
        is_last = (other == order) & ~is_long
        last = np.flatnonzero(is_last)
        self._heads[places[last]] = heads[last]
        self._tails[places[last]] = tails[last]
        # A longer word that begins as this one ends up in the same place, and does not stand for it.
        is_kept: NDArray[np.bool_] = (
            is_last | is_long | is_long[other] | (heads != heads[other]) | (tails != tails[other])
        )
        return is_kept


class Surroundings:
    """What stands around a white space in some keys."""

    def __init__(self, keys: Iterable[bytes]) -> None:
        """All of them must have `surroundings_of`."""
        kept = list(keys)
        self._reach = max(map(len, kept)) + 1
        signs = b"".join(surroundings_of(key).ljust(8, b"\x00") for key in kept)
        self._is_there = np.zeros(1 << _PLACE_BITS, dtype=np.bool_)
        self._is_there[_places(np.frombuffer(signs, dtype="<u8") * _MIX[0])] = True

    def cut_out(self, piece: Piece) -> list[bytes]:
        """All that the keys can stand in, and little else."""
        eights = np.ndarray((len(piece.signs) - 7,), dtype="V8", buffer=piece.text, strides=(1,))
        around = eights[piece.gaps - _SIGNS_BEFORE].view("<u8") & _SURROUNDINGS
        middles = piece.gaps[self._is_there.take(_places(around * _MIX[0]))]
        if not len(middles):
            return []
        starts = np.maximum(middles - self._reach, len(_BEFORE) - 1)
        ends = np.minimum(middles + self._reach, len(piece.text) - len(_BEHIND) + 1)
        is_apart = starts[1:] > ends[:-1]
        firsts = starts[np.concatenate(([True], is_apart))].tolist()
        lasts = ends[np.concatenate((is_apart, [True]))].tolist()
        return [piece.text[start:end] for start, end in zip(firsts, lasts, strict=True)]


def join_cuttings(cuttings: Iterable[bytes]) -> bytes:
    """One text of all of them; a key at the end of one stands alone there only if it does so in another."""
    return _EDGE + _EDGE.join(cuttings) + _EDGE


def surroundings_of(key: bytes) -> bytes:
    """A white space of the key with what stands around it; empty where none has enough on both sides."""
    for at in range(_SIGNS_BEFORE, len(key) - _SIGNS_BEHIND):
        if key[at] <= _SPACE:
            return key[at - _SIGNS_BEFORE : at + _SIGNS_BEHIND + 1]
    return b""


def _places(mixed: NDArray[np.uint64], bits: int = _PLACE_BITS) -> NDArray[np.intp]:
    places: NDArray[np.intp] = ((mixed * _MIX[1]) >> np.uint64(64 - bits)).view(np.int64)
    return places


def _take(signs: NDArray[np.uint8], starts: NDArray[np.intp], lengths: NDArray[np.intp]) -> bytes:
    """These words, each with the sign that follows it."""
    sizes = lengths + 1
    begins = np.cumsum(sizes) - sizes
    where = np.arange(int(sizes.sum())) + np.repeat(starts - begins, sizes)
    taken: NDArray[np.uint8] = signs[where]
    return b"\n" + taken.tobytes()
