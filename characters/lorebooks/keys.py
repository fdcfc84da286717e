"""The plain keys of a book, found in a text all at once, whatever their number (Aho and Corasick 1975). Pure.

A key without white space lies within one word, so that it is enough to search each different word once; only keys
with white space see the whole text. That takes a third of the time that the whole text takes for all of them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import itemgetter

from ahocorasick_rs import BytesAhoCorasick, Implementation

from characters.lorebooks.words import leave_out_repetitions

# Between messages: nobody writes it, so that no key matches across two of them.
SEPARATOR = "\n\x00\n"
# The kind that walks fastest takes some 100 bytes for each of its keys, and a while to build: 9 ms for so many.
_QUICK_KEYS_BYTES = 16_000
# What lies between the words of `leave_out_repetitions`.
_SPACE = re.compile(r"[\x00-\x20]")
# Of one sign in UTF-8, at most.
_SIGN_BYTES = 4


@dataclass(slots=True)
class Keys:
    """The plain keys of a book that are compared in one way, capitals minded or not."""

    is_case_sensitive: bool
    # After `build`: those without white space first.
    numbers: dict[str, int] = field(default_factory=dict)
    _single: BytesAhoCorasick | None = None
    _spaced: BytesAhoCorasick | None = None
    _first_spaced: int = 0

    def fold(self, text: str) -> str:
        """A text as it is compared."""
        return text if self.is_case_sensitive else text.lower()

    def add(self, key: str) -> None:
        self.numbers.setdefault(self.fold(key), len(self.numbers))

    def build(self) -> None:
        """Number the keys and make them ready; none can be added after."""
        single = [key for key in self.numbers if not _SPACE.search(key)]
        spaced = [key for key in self.numbers if _SPACE.search(key)]
        self.numbers = {key: number for number, key in enumerate([*single, *spaced])}
        self._first_spaced = len(single)
        self._single = _automaton(single, Implementation.ContiguousNFA)
        is_small = sum(map(len, spaced)) <= _QUICK_KEYS_BYTES
        self._spaced = _automaton(spaced, Implementation.DFA if is_small else Implementation.ContiguousNFA)

    def number(self, key: str) -> int:
        """-1 for a text that is no key."""
        return self.numbers.get(self.fold(key), -1)

    def search(self, messages: Iterable[str], *, wants_alone: bool) -> tuple[set[int], set[int]]:
        """The numbers of the keys that some message has: anyhow, and (if wanted) alone as a word."""
        text = _encode(self.fold(SEPARATOR.join(messages)))
        present, alone = set[int](), set[int]()
        if self._single is not None:
            present, alone = _find(self._single, leave_out_repetitions(text), wants_alone=wants_alone)
        if self._spaced is not None:
            more, more_alone = _find(self._spaced, text, wants_alone=wants_alone)
            present.update(number + self._first_spaced for number in more)
            alone.update(number + self._first_spaced for number in more_alone)
        return present, alone


def _automaton(keys: list[str], kind: Implementation) -> BytesAhoCorasick | None:
    return BytesAhoCorasick([_encode(key) for key in keys], implementation=kind) if keys else None


def _find(automaton: BytesAhoCorasick, text: bytes, *, wants_alone: bool) -> tuple[set[int], set[int]]:
    matches = automaton.find_matches_as_indexes(text, overlapping=True)
    present, alone = set(map(itemgetter(0), matches)), set[int]()
    if wants_alone:
        for number, start, end in matches:
            if number not in alone and _stands_alone(text, start, end):
                alone.add(number)
    return present, alone


def _stands_alone(text: bytes, start: int, end: int) -> bool:
    """Whether there is no letter, digit or underscore on either side of the match."""
    before = text[max(start - _SIGN_BYTES, 0) : start].decode(errors="ignore")[-1:]
    after = text[end : end + _SIGN_BYTES].decode(errors="ignore")[:1]
    return not (before.isalnum() or before == "_" or after.isalnum() or after == "_")


def _encode(text: str) -> bytes:
    # Half a pair of UTF-16, as JSON may have it, is no reason to stop.
    return text.encode(errors="surrogatepass")
