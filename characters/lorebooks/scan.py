"""Which entries of lorebooks a chat brings up, what they cost, and what was left out for want of room. Pure.

Messages are searched from the newest back, as deep as each entry asks. What fires is told in order of insertion;
where the budget runs out, the lowest priority goes first. Regular expressions share a bound of time: what is not
decided by then counts as no match, and the result says so.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Literal

from ahocorasick_rs import AhoCorasick

from characters.lorebooks.compiled import (
    CompiledBook,
    CompiledEntry,
    Keys,
    Place,
    Role,
    is_word_there,
)
from characters.lorebooks.patterns import compile_pattern

# For all expressions of one scan together.
REGEX_SECONDS = 0.02
# An expression sees a message in pieces of this length; they overlap, so that no match is cut.
PIECE_CHARACTERS = 2_000
PIECE_OVERLAP = 200
RECURSION_ROUNDS = 10
# Where so many found no room, there is none; and a list of more helps nobody.
LEFT_OUT_SHOWN = 100
# Of what the model reads, where a book names no budget.
BUDGET_SHARE = 0.25
# Between messages: nobody writes it, so that no key matches across two of them.
_SEPARATOR = "\n\x00\n"

Reason = Literal["key", "always", "recursion", "forced", "kept"]


@dataclass(frozen=True, slots=True)
class Scene:
    """What a chat is like when it is scanned. `messages` go from the oldest to the newest."""

    messages: Sequence[str]
    answers: int = 0
    greeting: int | None = None
    context_tokens: int = 8192
    seed: str = ""
    # Fills in names; `None` leaves texts as they are.
    expand: Callable[[str], str] | None = None

    def say(self, text: str) -> str:
        return self.expand(text) if self.expand is not None else text


@dataclass(frozen=True, slots=True)
class Fired:
    """An entry that came up. `is_left_out` where the budget had no room for it; `because` is the key."""

    book: str
    entry: str
    reason: Reason
    because: str
    text: str
    tokens: int
    place: Place
    depth: int
    role: Role
    order: int
    rank: float
    is_left_out: bool = False
    yields_to_context: bool = False


@dataclass(slots=True)
class Scan:
    """The outcome for all books: in the order of telling, and what could not be decided in time."""

    fired: list[Fired] = field(default_factory=list)
    undecided: int = 0
    disables: frozenset[str] = frozenset()
    seconds: float = 0.0


def scan_books(books: Sequence[CompiledBook], scene: Scene, count_tokens: Callable[[str], int]) -> Scan:
    """Scan the chat for all books."""
    begun = time.perf_counter()
    result = Scan()
    for book in books:
        _BookScan(book, scene, result, begun).run(count_tokens)
    result.fired.sort(key=lambda fired: fired.order)
    result.seconds = time.perf_counter() - begun
    return result


class _Found:
    """In which message each key occurs: the last that has it, alone as a word and anyhow, and the first."""

    __slots__ = ("first", "last", "last_word")

    def __init__(self) -> None:
        self.first: dict[str, int] = {}
        self.last: dict[str, int] = {}
        self.last_word: dict[str, int] = {}

    def look(self, keys: Keys, messages: Sequence[str], *, wants_words: bool, wants_first: bool) -> None:
        texts = [keys.fold(message) for message in messages]
        if keys.word_automaton is not None:
            # A word that is said a thousand times is searched once.
            seen: dict[str, int] = {}
            for at, text in enumerate(texts):
                seen.update(dict.fromkeys(text.split(), at))
            self._find(keys.word_automaton, list(keys.words), list(seen), list(seen.values()), wants_words)
        if keys.phrase_automaton is not None:
            self._find(keys.phrase_automaton, list(keys.phrases), texts, range(len(texts)), wants_words)
        if wants_first:
            for at, text in enumerate(texts):
                for key in self.last:
                    if key not in self.first and key in text:
                        self.first[key] = at

    def _find(
        self,
        automaton: AhoCorasick,
        keys: Sequence[str],
        texts: Sequence[str],
        places: Sequence[int],
        wants_words: bool,
    ) -> None:
        text = _SEPARATOR.join(texts)
        gap = len(_SEPARATOR)
        last: dict[int, int] = {}
        ends = list(accumulate(len(part) + gap for part in texts))
        at = 0
        for pattern, start, end in automaton.find_matches_as_indexes(text, overlapping=True):
            # Matches come by where they end, and none reaches over a separator.
            while end > ends[at]:
                at += 1
            place = places[at]
            if last.get(pattern, -1) < place:
                last[pattern] = place
            if (
                wants_words
                and self.last_word.get(keys[pattern], -1) < place
                and is_word_there(text, start, end)
            ):
                self.last_word[keys[pattern]] = place
        self.last |= {keys[pattern]: place for pattern, place in last.items()}


class _BookScan:
    """One book in one scene."""

    def __init__(self, book: CompiledBook, scene: Scene, result: Scan, begun: float) -> None:
        self.book, self.scene, self.result = book, scene, result
        self.deadline = begun + REGEX_SECONDS
        self.fired: dict[int, tuple[Reason, str]] = {}
        count = len(scene.messages)
        depth = count if book.looks_back else min(book.most_depth, count)
        self.messages = scene.messages[count - depth :]
        self.wants_words = any(entry.is_whole_words for entry in book.entries)
        self.exact, self.folded = _Found(), _Found()

    def run(self, count_tokens: Callable[[str], int]) -> None:
        self._look(self.exact, self.folded, self.messages, wants_first=self.book.looks_back)
        for at in self._candidates(self.exact, self.folded, len(self.messages)):
            self._try(at)
        if self.book.is_recursive:
            self._recurse()
        self._tell(count_tokens)

    def _look(
        self, exact: _Found, folded: _Found, messages: Sequence[str], *, wants_first: bool = False
    ) -> None:
        for found, keys in ((exact, self.book.exact), (folded, self.book.folded)):
            found.look(keys, messages, wants_words=self.wants_words, wants_first=wants_first)

    def _candidates(self, exact: _Found, folded: _Found, count: int) -> list[int]:
        """The entries to look at more closely; those for which a key is enough have fired when this returns."""
        entries, left = self.book.entries, dict.fromkeys(self.book.always)
        for index, where in ((self.book.by_exact, exact), (self.book.by_folded, folded)):
            for key, place in where.last.items():
                for at in index.get(key, ()):
                    if not entries[at].is_simple:
                        left[at] = None
                    elif place >= count - entries[at].scan_depth:
                        self.fired.setdefault(at, ("key", key))
        return list(left)

    def _try(self, at: int) -> None:
        entry = self.book.entries[at]
        if at in self.fired or not self._is_allowed(entry):
            return
        rules = entry.rules
        if rules.is_forced:
            self.fired[at] = ("forced", "")
        elif rules.stays_silent and self._was_matched_before(entry):
            return
        elif entry.is_constant:
            self.fired[at] = ("always", "")
        elif because := self._match(entry, entry.scan_depth, self.messages, self.exact, self.folded):
            self.fired[at] = ("key", because)
        elif rules.keeps_active and self._was_matched_before(entry):
            self.fired[at] = ("kept", "")

    def _is_allowed(self, entry: CompiledEntry) -> bool:
        rules, scene = entry.rules, self.scene
        if rules.is_forced:
            return True
        if rules.is_barred:
            return False
        if rules.only_after is not None and scene.answers < rules.only_after:
            return False
        if rules.only_every is not None and scene.answers % rules.only_every:
            return False
        if (
            rules.is_greeting is not None
            and scene.greeting is not None
            and scene.greeting != rules.is_greeting
        ):
            return False
        # One chat and one message throw the same dice, however often the prompt is built.
        return entry.chance >= 1 or random.Random(f"{scene.seed}/{entry.n}").random() < entry.chance  # noqa: S311

    def _match(
        self, entry: CompiledEntry, depth: int, messages: Sequence[str], exact: _Found, folded: _Found
    ) -> str | None:
        """The key that brings the entry up in the newest `depth` messages; None where nothing does."""
        begin = max(len(messages) - depth, 0)
        if entry.uses_regex:
            because = self._match_patterns(entry, entry.keys, messages[begin:])
            more = entry.rules.additional_keys
            if because and more and not self._match_patterns(entry, more, messages[begin:]):
                return None
            return because
        keys, where = (self.book.exact, exact) if entry.is_case_sensitive else (self.book.folded, folded)
        last = where.last_word if entry.is_whole_words else where.last

        def is_there(key: str) -> bool:
            if "{{" in key:
                filled = keys.fold(self.scene.say(key))
                return any(filled in keys.fold(message) for message in messages[begin:])
            return last.get(keys.fold(key), -1) >= begin

        because = next((key for key in entry.keys if is_there(key)), None)
        if because is None:
            return None
        rules = entry.rules
        if rules.additional_keys and not any(is_there(key) for key in rules.additional_keys):
            return None
        if any(is_there(key) for key in rules.exclude_keys):
            return None
        return because if self._second_keys_agree(entry, is_there) else None

    def _second_keys_agree(self, entry: CompiledEntry, is_there: Callable[[str], bool]) -> bool:
        if not entry.secondary:
            return True
        match entry.logic:
            case "any":
                return any(is_there(key) for key in entry.secondary)
            case "all":
                return all(is_there(key) for key in entry.secondary)
            case "none":
                return not any(is_there(key) for key in entry.secondary)
            case "not_all":
                return not all(is_there(key) for key in entry.secondary)

    def _match_patterns(
        self, entry: CompiledEntry, patterns: Sequence[str], messages: Sequence[str]
    ) -> str | None:
        for pattern in patterns:
            compiled = compile_pattern(pattern, entry.is_case_sensitive)
            if compiled is None:
                continue
            for message in reversed(messages):
                for at in range(0, max(len(message), 1), PIECE_CHARACTERS - PIECE_OVERLAP):
                    if time.perf_counter() > self.deadline:
                        self.result.undecided += 1
                        return None
                    if compiled.search(message[at : at + PIECE_CHARACTERS]) is not None:
                        return pattern
        return None

    def _was_matched_before(self, entry: CompiledEntry) -> bool:
        """Whether a key stood in what was said before the newest question and answer."""
        if entry.uses_regex:
            return False
        keys, where = (
            (self.book.exact, self.exact) if entry.is_case_sensitive else (self.book.folded, self.folded)
        )
        newest = len(self.messages) - 2
        return any(where.first.get(keys.fold(key), newest) < newest for key in entry.keys)

    def _recurse(self) -> None:
        """Search what has fired for the keys of what has not, until nothing new comes up."""
        fresh = list(self.fired)
        for _round in range(RECURSION_ROUNDS):
            entries = [self.book.entries[at] for at in fresh]
            texts = [self.scene.say(entry.text) for entry in entries if not entry.ends_recursion]
            if not texts:
                return
            exact, folded = _Found(), _Found()
            self._look(exact, folded, texts)
            known = set(self.fired)
            for at in (*self.book.always, *self._named(exact, folded)):
                entry = self.book.entries[at]
                if at in self.fired or entry.ignores_recursion or not self._is_allowed(entry):
                    continue
                if because := self._match(entry, len(texts), texts, exact, folded):
                    self.fired[at] = ("recursion", because)
            fresh = [at for at in self.fired if at not in known]

    def _named(self, exact: _Found, folded: _Found) -> list[int]:
        """The entries of which a first key was found."""
        pairs = ((self.book.by_exact, exact), (self.book.by_folded, folded))
        return [at for index, where in pairs for key in where.last for at in index.get(key, ())]

    def _tell(self, count_tokens: Callable[[str], int]) -> None:
        budget = self.book.token_budget or int(self.scene.context_tokens * BUDGET_SHARE)
        left_out = 0
        # The most important first; of equals, those that stand later in the prompt.
        entries = self.book.entries
        for at in sorted(self.fired, key=lambda at: (not entries[at].is_constant, -entries[at].rank)):
            if left_out == LEFT_OUT_SHOWN:
                break
            entry, (reason, because) = entries[at], self.fired[at]
            text = self.scene.say(entry.text)
            tokens, depth = count_tokens(text), entry.depth
            if entry.reverse_depth is not None:
                depth = max(len(self.scene.messages) - entry.reverse_depth, 0)
            fits = tokens <= budget
            budget -= tokens if fits else 0
            left_out += not fits
            if fits:
                self.result.disables |= entry.rules.disables
            self.result.fired.append(
                Fired(
                    book=self.book.name,
                    entry=entry.name or (entry.keys[0] if entry.keys else f"#{entry.n + 1}"),
                    reason=reason,
                    because=because,
                    text=text,
                    tokens=tokens,
                    place=entry.place,
                    depth=depth,
                    role=entry.role,
                    order=entry.order,
                    rank=entry.rank,
                    is_left_out=not fits,
                    yields_to_context=entry.rules.yields_to_context,
                )
            )
