"""The plain keys of a book, found in a text all at once, whatever their number (Aho and Corasick 1975). Pure.

A key without white space lies within one word, so that it is enough to search each different word once; a key with
white space is sought only where what it has around it stands. That takes a third of the time of a search in all.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain
from operator import itemgetter

import numpy as np
from ahocorasick_rs import BytesAhoCorasick, Implementation
from numpy.typing import NDArray

from characters.lorebooks.memory import Flags
from characters.lorebooks.words import Piece, Surroundings, Words, join_cuttings, surroundings_of

# Between messages: nobody writes it, so that no key matches across two of them.
SEPARATOR = "\n\x00\n"
# The kind that walks fastest takes some 100 bytes for each of its keys, and a while to build: 9 ms for so many.
_QUICK_KEYS_BYTES = 16_000
# Below this, leaving out takes as long as it saves.
_SHORT_BYTES = 16_000
# What is cut down at once.
_PIECE_SIGNS = 128_000
# What lies between words.
_SPACE = re.compile(r"[\x00-\x20]")
# Of one sign in UTF-8, at most.
_SIGN_BYTES = 4
# A byte beside a match: a letter, digit or underscore, or part of a sign that must be looked at.
_IN_WORD, _UNCLEAR = 1, 2
_BESIDE = np.array(
    [_UNCLEAR if n > 127 else _IN_WORD * (chr(n).isalnum() or chr(n) == "_") for n in range(256)], np.uint8
)


@dataclass(slots=True)
class Keys:
    """The plain keys of a book that are compared in one way, capitals minded or not."""

    is_case_sensitive: bool
    # After `build`: as they are compared, and as they are written.
    numbers: dict[str, int] = field(default_factory=dict)
    _written: dict[str, int] = field(default_factory=dict)
    # Those without white space, those that are sought by what is around it, and the others.
    _single: BytesAhoCorasick | None = None
    _spaced: BytesAhoCorasick | None = None
    _others: BytesAhoCorasick | None = None
    _surroundings: Surroundings | None = None
    _first_spaced: int = 0
    _first_other: int = 0

    def fold(self, text: str) -> str:
        """A text as it is compared."""
        return text if self.is_case_sensitive else text.lower()

    def add(self, key: str) -> None:
        self.numbers[self.fold(key)] = self._written[key] = -1

    def build(self) -> None:
        """Number the keys and make them ready; none can be added after."""
        single = [key for key in self.numbers if not _SPACE.search(key)]
        spaced = [key for key in self.numbers if surroundings_of(_encode(key))]
        others = [key for key in self.numbers if _SPACE.search(key) and not surroundings_of(_encode(key))]
        self.numbers = {key: number for number, key in enumerate([*single, *spaced, *others])}
        self._written = {key: self.numbers[self.fold(key)] for key in self._written}
        self._first_spaced, self._first_other = len(single), len(single) + len(spaced)
        self._single = _automaton(single, Implementation.ContiguousNFA)
        self._spaced, self._others = _quick_automaton(spaced), _quick_automaton(others)
        self._surroundings = Surroundings(map(_encode, spaced)) if spaced else None

    def number(self, key: str) -> int:
        """Of a key as it was added; -1 for a text that is none."""
        return self._written.get(key, -1)

    def search(self, messages: Sequence[str], *, wants_alone: bool) -> tuple[Flags, Flags]:
        """Which keys some message has: anyhow, and (if wanted) alone as a word."""
        found = np.zeros((2, len(self.numbers)), np.bool_)
        texts = [_encode(self.fold(SEPARATOR.join(some))) for some in _cut(messages)]
        words, cuttings = self._cut_down(texts)
        for first, automaton, some in (
            (0, self._single, words),
            (self._first_spaced, self._spaced, cuttings),
            (self._first_other, self._others, texts),
        ):
            if automaton is not None:
                for text in some:
                    _find(automaton, text, found[:, first:], wants_alone=wants_alone)
        return found[0], found[1]

    def _cut_down(self, texts: list[bytes]) -> tuple[list[bytes], list[bytes]]:
        """What is to be searched for keys without white space, and for those with it."""
        text_bytes = sum(map(len, texts))
        if text_bytes < _SHORT_BYTES:
            return texts, texts
        words, new, cuttings = Words(text_bytes), list[bytes](), list[bytes]()
        for piece in map(Piece, texts):
            new.append(words.take_new(piece))
            if self._surroundings is not None:
                cuttings += self._surroundings.cut_out(piece)
        return new, [join_cuttings(cuttings)] if cuttings else []


def _cut(messages: Sequence[str]) -> Iterator[Sequence[str]]:
    ends = list(accumulate(map(len, messages)))
    begin = 0
    while begin < len(messages):
        end = bisect_left(ends, (ends[begin - 1] if begin else 0) + _PIECE_SIGNS) + 1
        yield messages[begin:end]
        begin = end


def _quick_automaton(keys: list[str]) -> BytesAhoCorasick | None:
    is_small = sum(map(len, keys)) <= _QUICK_KEYS_BYTES
    return _automaton(keys, Implementation.DFA if is_small else Implementation.ContiguousNFA)


def _automaton(keys: list[str], kind: Implementation) -> BytesAhoCorasick | None:
    return BytesAhoCorasick([_encode(key) for key in keys], implementation=kind) if keys else None


def _find(automaton: BytesAhoCorasick, text: bytes, found: NDArray[np.bool_], *, wants_alone: bool) -> None:
    """Set what is found of the automaton's keys: anyhow, and alone."""
    matches = automaton.find_matches_as_indexes(text, overlapping=True)
    if not wants_alone:
        found[0, np.fromiter(map(itemgetter(0), matches), np.intp, len(matches))] = True
        return
    rows = np.fromiter(chain.from_iterable(matches), np.intp, 3 * len(matches)).reshape(-1, 3)
    numbers, starts, ends = rows[:, 0], rows[:, 1], rows[:, 2]
    signs = np.frombuffer(b"\n" + text + b"\n", np.uint8)
    beside = _BESIDE[signs[starts]] | _BESIDE[signs[ends + 1]]
    found[0, numbers] = True
    found[1, numbers[beside == 0]] = True
    for number, start, end in rows[beside == _UNCLEAR].tolist():
        if not found[1, number] and _stands_alone(text, start, end):
            found[1, number] = True


def _stands_alone(text: bytes, start: int, end: int) -> bool:
    """Whether there is no letter, digit or underscore on either side of the match."""
    before = text[max(start - _SIGN_BYTES, 0) : start].decode(errors="ignore")[-1:]
    after = text[end : end + _SIGN_BYTES].decode(errors="ignore")[:1]
    return not (before.isalnum() or before == "_" or after.isalnum() or after == "_")


def _encode(text: str) -> bytes:
    # Half a pair of UTF-16, as JSON may have it, is no reason to stop.
    return text.encode(errors="surrogatepass")
