"""Which keys and expressions of a book stand where in a chat.

A chat is cut where the reach of some entry begins. Between two cuts only whether a key is there counts,
and what was searched before is remembered (`memory`).
"""

import time
from array import array
from bisect import bisect
from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter

from characters.lorebooks.compiled import CompiledBook, Keys, is_word_there
from characters.lorebooks.memory import SEPARATOR, Numbers, Part, memory, split_chat


class KeysFound:
    """For the keys as they are compared: the last cut before them, anyhow and alone as words, and the first."""

    __slots__ = ("first", "last", "last_word")

    def __init__(self) -> None:
        self.first: dict[str, int] = {}
        self.last: dict[str, int] = {}
        self.last_word: dict[str, int] = {}


def find_keys(book: CompiledBook, keys: Keys, messages: Sequence[str], cuts: Sequence[int] = ()) -> KeysFound:
    """Search the messages from the first of `cuts` on, which rise; without any, all of them in one part."""
    found = KeysFound()
    if not keys.names or not messages:
        return found
    parts = split_chat(messages, cuts) if cuts else [Part(0, len(messages))]
    for cut, group in groupby(parts, key=lambda part: bisect(cuts, part.begin)):
        present, alone = set[int](), set[int]()
        begin = cuts[cut - 1] if cuts else 0
        for part in group:
            more, more_alone = _recall(book, keys, messages, part)
            present.update(more)
            alone.update(more_alone)
        names = [keys.names[number] for number in present]
        found.last.update(dict.fromkeys(names, begin))
        if book.looks_back:
            found.first = dict.fromkeys(names, begin) | found.first
        found.last_word.update(dict.fromkeys([keys.names[number] for number in alone], begin))
    return found


def _recall(
    book: CompiledBook, keys: Keys, messages: Sequence[str], part: Part
) -> tuple[Iterable[int], Iterable[int]]:
    """What a part has, from memory or else by searching it."""
    if part.name is None:
        return _search(keys, messages[part.begin : part.end], book.wants_words)
    name = (book.mark, keys.is_case_sensitive, part.name)
    kept = memory.get(name)
    if kept is None:
        kept = tuple(map(_packed, _search(keys, messages[part.begin : part.end], book.wants_words)))
        memory.put(name, kept)
    return kept[0], kept[1]


def _search(keys: Keys, messages: Iterable[str], wants_words: bool) -> tuple[set[int], set[int]]:
    """The numbers of the keys that some message has: anyhow, and (if wanted) alone as a word."""
    text = keys.fold(SEPARATOR.join(messages))
    matches = (
        keys.automaton.find_matches_as_indexes(text, overlapping=True) if keys.automaton is not None else []
    )
    present, alone = set(map(itemgetter(0), matches)), set[int]()
    if wants_words:
        for number, start, end in matches:
            if number not in alone and is_word_there(text, start, end):
                alone.add(number)
    return present, alone


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
            _match_patterns(book, messages[part.begin : part.end], deadline) if kept is None else kept[0]
        )
        if present is None:
            found.decided_from = part.end
            return found
        if kept is None and part.name is not None:
            memory.put(name, (_packed(present),))
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


def _packed(numbers: Iterable[int]) -> Numbers:
    return array("I", numbers)
