"""A lorebook made ready to scan: keys indexed, decorators read, counts taken. Pure.

A compiled book is kept by processes for as long as its revision stands.
"""

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from characters.cards.card import Book, BookEntry, Logic
from characters.cards.jsons import Json, as_bool, as_int, as_object, parse_object
from characters.lorebooks.decorators import Decorators, split_decorators
from characters.lorebooks.keys import Keys
from characters.lorebooks.patterns import PatternSets

Place = Literal["before_char", "after_char", "before_desc", "after_desc", "personality", "scenario", "depth"]
Role = Literal["system", "user", "assistant"]

DEFAULT_DEPTH = 4
_ROLES: dict[int, Role] = {0: "system", 1: "user", 2: "assistant"}
# SillyTavern's position "at depth".
_AT_DEPTH = 4


@dataclass(slots=True)
class CompiledEntry:
    """One entry with everything it says about itself, from columns, decorators and SillyTavern's extensions."""

    n: int
    name: str
    text: str
    keys: tuple[str, ...]
    secondary: tuple[str, ...]
    logic: Logic
    uses_regex: bool
    is_case_sensitive: bool
    is_whole_words: bool
    is_constant: bool
    order: int
    rank: float
    place: Place
    depth: int
    reverse_depth: int | None
    role: Role
    scan_depth: int
    rules: Decorators
    chance: float
    ignores_recursion: bool
    ends_recursion: bool
    # Whether anything but its keys decides.
    has_conditions: bool = True
    # Whether a first key in reach is all it takes.
    is_simple: bool = False


class KeyIndex:
    """First keys by their numbers, and beside each an entry that has it."""

    def __init__(self, pairs: list[tuple[int, int]]) -> None:
        self._keys, self._entries = np.array(pairs, np.intp).reshape(-1, 2).T.copy()

    def entries_since(self, begin: int, last: NDArray[np.int32]) -> list[int]:
        """The entries with a first key that stands at `begin` or behind, some of them twice."""
        named: list[int] = self._entries[last[self._keys] >= begin].tolist()
        return named


@dataclass(frozen=True, slots=True)
class FirstKeys:
    """Entries by their first keys: those for which one is enough, and the others.

    The former by how far back they look, and whether a key must stand alone.
    """

    simple: dict[tuple[int, bool], KeyIndex]
    others: KeyIndex


@dataclass(slots=True)
class CompiledBook:
    """A book ready for `characters.lorebooks.scan`."""

    id: str
    name: str
    token_budget: int | None
    is_recursive: bool
    entries: list[CompiledEntry]
    exact: Keys
    folded: Keys
    by_exact: FirstKeys
    by_folded: FirstKeys
    # Entries without a first key are looked at every time.
    always: list[int]
    patterns: PatternSets
    # How far back entries with keys look, and those with expressions.
    key_depths: frozenset[int]
    pattern_depths: frozenset[int]
    wants_words: bool
    looks_back: bool
    # Entries from the most important to the least: what finds room first.
    ranked: list[int]
    # Names this book, as it is now, in the memory of scans.
    mark: object = field(default_factory=object)


def compile_book(book: Book, *, book_id: str = "") -> CompiledBook:
    """The book ready to scan; entries that are off or say nothing are left out."""
    depth = DEFAULT_DEPTH if book.scan_depth is None else book.scan_depth
    entries = [
        entry
        for n, row in enumerate(book.entries)
        if row.is_enabled and (entry := _compile_entry(n, row, depth)).text
    ]
    exact, by_exact = _index_keys(entries, is_case_sensitive=True)
    folded, by_folded = _index_keys(entries, is_case_sensitive=False)
    return CompiledBook(
        id=book_id,
        name=book.name,
        token_budget=book.token_budget,
        is_recursive=book.is_recursive,
        entries=entries,
        exact=exact,
        folded=folded,
        by_exact=by_exact,
        by_folded=by_folded,
        always=[at for at, entry in enumerate(entries) if _is_always_tried(entry)],
        patterns=PatternSets(
            (pattern, entry.is_case_sensitive)
            for entry in entries
            if entry.uses_regex
            for pattern in (*entry.keys, *entry.rules.additional_keys)
        ),
        key_depths=frozenset(entry.scan_depth for entry in entries if not entry.uses_regex),
        pattern_depths=frozenset(entry.scan_depth for entry in entries if entry.uses_regex),
        wants_words=any(entry.is_whole_words for entry in entries),
        looks_back=any(entry.rules.keeps_active or entry.rules.stays_silent for entry in entries),
        ranked=_ranked(entries),
    )


def _index_keys(entries: list[CompiledEntry], *, is_case_sensitive: bool) -> tuple[Keys, FirstKeys]:
    keys = Keys(is_case_sensitive)
    mine = [
        (at, entry)
        for at, entry in enumerate(entries)
        if entry.is_case_sensitive == is_case_sensitive and not entry.uses_regex
    ]
    for _at, entry in mine:
        for key in (*entry.keys, *entry.secondary, *entry.rules.additional_keys, *entry.rules.exclude_keys):
            keys.add(key)
    keys.build()
    simple, others = dict[tuple[int, bool], list[tuple[int, int]]](), list[tuple[int, int]]()
    for at, entry in mine:
        kind = entry.scan_depth, entry.is_whole_words
        pairs = simple.setdefault(kind, []) if entry.is_simple else others
        pairs.extend((keys.number(key), at) for key in entry.keys)
    by_kind = {kind: KeyIndex(pairs) for kind, pairs in simple.items()}
    return keys, FirstKeys(by_kind, KeyIndex(others))


def _is_always_tried(entry: CompiledEntry) -> bool:
    """Whether it may come up without a first key that stands in the chat to the letter."""
    rules = entry.rules
    is_key_filled = not entry.uses_regex and _has_macro(entry.keys)
    return is_key_filled or entry.uses_regex or entry.is_constant or rules.is_forced or rules.keeps_active


def _has_macro(keys: tuple[str, ...]) -> bool:
    return any("{{" in key for key in keys)


def _ranked(entries: list[CompiledEntry]) -> list[int]:
    """Constant ones first, then by rank, then by the book."""
    return sorted(range(len(entries)), key=lambda at: (not entries[at].is_constant, -entries[at].rank))


def _compile_entry(n: int, row: BookEntry, depth: int) -> CompiledEntry:
    rules, text = split_decorators(row.content)
    extensions = as_object(parse_object(row.source).get("extensions")) if row.source else {}
    own_depth = as_int(extensions.get("scan_depth"), least=0, most=1_000_000)
    scan_depth = next(value for value in (rules.scan_depth, own_depth, depth) if value is not None)
    place, at_depth = _place(row, rules, extensions)
    keys = tuple(key for key in row.keys if key.strip())
    entry = CompiledEntry(
        n=n,
        name=row.name,
        text=text.strip("\n"),
        keys=keys,
        secondary=tuple(key for key in row.secondary_keys if key.strip())
        if row.is_selective and not row.uses_regex
        else (),
        logic=row.logic,
        uses_regex=row.uses_regex,
        is_case_sensitive=row.is_case_sensitive,
        is_whole_words=row.is_whole_words,
        # The specification: a constant entry that uses expressions is no constant one.
        is_constant=row.is_constant and not (row.uses_regex and keys),
        order=row.insertion_order,
        rank=row.priority if row.priority is not None else row.insertion_order,
        place=place,
        depth=at_depth,
        reverse_depth=None if rules.depth is not None else rules.reverse_depth,
        role=rules.role or _role(extensions),
        scan_depth=scan_depth,
        rules=rules,
        chance=_chance(extensions),
        ignores_recursion=as_bool(extensions.get("exclude_recursion")),
        ends_recursion=as_bool(extensions.get("prevent_recursion")),
    )
    holds_back = Decorators(
        depth=rules.depth,
        reverse_depth=rules.reverse_depth,
        role=rules.role,
        scan_depth=rules.scan_depth,
        position=rules.position,
        disables=rules.disables,
    )
    entry.has_conditions = rules != holds_back or entry.chance < 1
    needs_more = entry.secondary or entry.uses_regex or entry.is_constant or _has_macro(keys)
    entry.is_simple = not entry.has_conditions and not needs_more
    return entry


def _place(row: BookEntry, rules: Decorators, extensions: Json) -> tuple[Place, int]:
    if rules.position is not None:
        return rules.position, 0
    if rules.depth is not None or rules.reverse_depth is not None:
        return "depth", rules.depth or 0
    if extensions.get("position") == _AT_DEPTH:
        depth = as_int(extensions.get("depth"), least=0, most=1_000_000)
        return "depth", DEFAULT_DEPTH if depth is None else depth
    return row.position, 0


def _role(extensions: Json) -> Role:
    role = extensions.get("role")
    return _ROLES.get(role, "system") if isinstance(role, int) else "system"


def _chance(extensions: Json) -> float:
    """From 0 to 1."""
    value = extensions.get("probability")
    if not as_bool(extensions.get("useProbability"), True) or isinstance(value, bool):
        return 1.0
    if not isinstance(value, int | float) or math.isnan(value):
        return 1.0
    return min(max(value / 100, 0.0), 1.0)
