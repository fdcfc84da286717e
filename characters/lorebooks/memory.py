"""What was found in the part of a chat that does not change any more, kept by the process while there is room.

A chat grows at its end, and where it is very long it loses its oldest messages: what stands between is searched once
for each book. Borders stand where the words of a message say so, hence at the same messages each time. What is kept
is named by the book as it was compiled and by the words, so that nothing has to be told of changes.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

# By the number of a key or an expression: 10 kB for 10,000 of them.
Flags: TypeAlias = NDArray[np.bool_]
KEEP_BYTES = 32 << 20
# What a name and the book-keeping take beside the arrays.
_OVERHEAD_BYTES = 300
# How long parts are on average, and at most. What is new since the last border is searched each time: 2 ms for so many.
PART_MESSAGES = 128
PART_MOST = 512


class Memory:
    """Arrays by name; those asked for the longest time ago go first."""

    def __init__(self, keep_bytes: int) -> None:
        self._keep_bytes = keep_bytes
        self._bytes = 0
        self._kept: OrderedDict[object, tuple[Flags, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: object) -> tuple[Flags, ...] | None:
        with self._lock:
            found = self._kept.get(name)
            if found is not None:
                self._kept.move_to_end(name)
            return found

    def put(self, name: object, arrays: tuple[Flags, ...]) -> None:
        with self._lock:
            self._bytes += _size(arrays) - _size(self._kept.pop(name, None))
            self._kept[name] = arrays
            while self._bytes > self._keep_bytes:
                self._bytes -= _size(self._kept.popitem(last=False)[1])

    def __len__(self) -> int:
        return len(self._kept)


# One for the process: scans of all its chats share the room.
memory = Memory(KEEP_BYTES)


@dataclass(frozen=True, slots=True)
class Part:
    """Messages from `begin` to before `end`. `name` is there where the part will be met again."""

    begin: int
    end: int
    name: object = None


def split_chat(messages: Sequence[str], cuts: Sequence[int]) -> list[Part]:
    """The chat from the first cut on, cut at all of them and into parts that can be remembered, oldest first."""
    begin, count = cuts[0], len(messages)
    own = set(own_borders(messages, begin))
    borders = sorted({border for border in (*cuts, *own, count) if border >= begin})
    return [
        Part(
            start, end, name_of(messages[start:end]) if end in own and (start in own or start == 0) else None
        )
        for start, end in pairwise(borders)
    ]


def own_borders(messages: Sequence[str], begin: int) -> list[int]:
    """Where parts begin that stay the same, whatever is said later or falls away before. Rising."""
    borders, last = [], begin
    for at in range(begin, len(messages)):
        # Python's hash differs from process to process, as does this memory.
        if hash(messages[at]) % PART_MESSAGES == 0 or at - last >= PART_MOST:
            borders.append(at)
            last = at
    return borders


def name_of(messages: Sequence[str], after: int = 0) -> int:
    """A name for these messages, following those of the name `after`.

    64 bits that nobody outside the process can foresee: by chance two of a million names are equal once in 10^7 such
    millions. Strings keep theirs, so that a digest of the text costs ten times more.
    """
    return hash((after, *messages))


def _size(arrays: tuple[Flags, ...] | None) -> int:
    if arrays is None:
        return 0
    return _OVERHEAD_BYTES + sum(flags.nbytes for flags in arrays)
