"""Which keys and expressions of a book stand where in a chat.

A chat is cut where the reach of some entry begins. Between two cuts only whether a key is there counts,
and what was searched before is remembered (`memory`).
"""

import time
from bisect import bisect, bisect_left
from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np

from characters.lorebooks.compiled import CompiledBook
from characters.lorebooks.keys import Keys
from characters.lorebooks.memory import Flags, Part, memory, name_of, own_borders, split_chat

# Keys: anyhow, and alone as words.
_Found = tuple[Flags, Flags]
# Where a key was not found.
NOWHERE = -1


class KeysFound:
    """By the number of a key: the last cut before it, anyhow and alone as a word, and the first.

    What is no key has the number -1, and the place behind all of them.
    """

    def __init__(self, key_count: int) -> None:
        self.first, self.last, self.last_word = np.full((3, key_count + 1), NOWHERE, np.int32)
        # For those who ask for one after the other: an array of numpy's takes four times as long to say it.
        self.lasts, self.last_words = self.last.data, self.last_word.data


def find_keys(book: CompiledBook, keys: Keys, messages: Sequence[str], cuts: Sequence[int] = ()) -> KeysFound:
    """Search the messages from the first of `cuts` on, which rise; without any, all of them in one part."""
    found = KeysFound(len(keys.numbers))
    if not keys.numbers or not messages:
        return found
    first, last, last_word = found.first[:-1], found.last[:-1], found.last_word[:-1]
    borders = own_borders(messages, cuts[0]) if cuts else []
    for begin, end in pairwise([*(cuts or [0]), len(messages)]):
        own = borders[bisect_left(borders, begin) : bisect(borders, end)]
        for present, alone in _search_stretch(book, keys, messages, begin, end, own):
            last[present] = begin
            if book.looks_back:
                first[present & (first == NOWHERE)] = begin
            last_word[alone] = begin
    return found


def _search_stretch(
    book: CompiledBook, keys: Keys, messages: Sequence[str], begin: int, end: int, borders: Sequence[int]
) -> list[_Found]:
    """What stands between two cuts: what lies between the first and the last border there may be remembered."""
    if not borders:
        return [keys.search(messages[begin:end], wants_alone=book.wants_words)]
    first, last = borders[0], borders[-1]
    # The beginning of a chat stays as well, unless it falls away.
    head = [0, first] if begin == 0 < first else []
    found = [_recall(book, keys, messages, run) for run in (head, borders) if len(run) > 1]
    rest = [(last, end)] if head else [(begin, first), (last, end)]
    return found + [
        keys.search(messages[start:stop], wants_alone=book.wants_words)
        for start, stop in rest
        if start < stop
    ]


def _recall(book: CompiledBook, keys: Keys, messages: Sequence[str], borders: Sequence[int]) -> _Found:
    """What stands from the first border to the last; only what follows the longest beginning known is searched.

    In one go, since much of what is said in one part is said in others too.
    """
    parts = (messages[start:stop] for start, stop in pairwise(borders))
    chain = list(accumulate(parts, lambda name, part: name_of(part, name), initial=0))[1:]
    names = [(book.mark, keys.is_case_sensitive, name) for name in chain]
    for at in range(len(names) - 1, -1, -1):
        kept = memory.get(names[at])
        if kept is None:
            continue
        known = (kept[0], kept[1])
        if at == len(names) - 1:
            return known
        more = keys.search(messages[borders[at + 1] : borders[-1]], wants_alone=book.wants_words)
        found = known[0] | more[0], known[1] | more[1]
        break
    else:
        found = keys.search(messages[borders[0] : borders[-1]], wants_alone=book.wants_words)
    memory.put(names[-1], found)
    return found


class PatternsFound:
    """Where the last part begins that an expression matches in; what stands before `decided_from` was not seen."""

    __slots__ = ("decided_from", "last")

    def __init__(self) -> None:
        self.last: dict[int, int] = {}
        self.decided_from = 0


def find_patterns(
    book: CompiledBook, messages: Sequence[str], cuts: Sequence[int] = (), *, deadline: float
) -> PatternsFound:
    """Search from the newest message back to the first cut, until all are found or `deadline` has come."""
    found = PatternsFound()
    if not book.patterns.names or not messages:
        return found
    for part in reversed(split_chat(messages, cuts) if cuts else [Part(0, len(messages))]):
        name = (book.mark, part.name)
        kept = memory.get(name) if part.name is not None else None
        present = (
            _match_patterns(book, messages[part.begin : part.end], deadline)
            if kept is None
            else set(np.flatnonzero(kept[0]).tolist())
        )
        if present is None:
            found.decided_from = part.end
            return found
        if kept is None and part.name is not None:
            flags = np.zeros(len(book.patterns.names), np.bool_)
            flags[list(present)] = True
            memory.put(name, (flags,))
        for number in present:
            found.last.setdefault(number, part.begin)
        if len(found.last) == len(book.patterns.names):
            break
    return found


def _match_patterns(book: CompiledBook, messages: Sequence[str], deadline: float) -> set[int] | None:
    """What matches in any of the messages; None when time runs out."""
    present = set[int]()
    for message in reversed(messages):
        for matched in book.patterns.search(message):
            present |= matched
            if time.perf_counter() > deadline:
                return None
    return present
