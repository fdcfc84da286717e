"""Which entries of lorebooks a chat brings up, what they cost, and what was left out for want of room. Pure.

Messages are searched from the newest back, as deep as each entry asks. What fires is told in order of insertion;
where the budget runs out, the lowest priority goes first. Regular expressions share a bound of time: what is not
decided by then counts as no match, and the result says so.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from characters.lorebooks.compiled import CompiledBook, CompiledEntry, FirstKeys, Place, Role
from characters.lorebooks.keys import SEPARATOR, Keys
from characters.lorebooks.search import NOWHERE, KeysFound, PatternsFound, find_keys, find_patterns

# For all expressions of one scan together.
REGEX_SECONDS = 0.02
RECURSION_ROUNDS = 10
# Where so many found no room, there is none; and a list of more helps nobody.
LEFT_OUT_SHOWN = 100
# Of what the model reads, where a book names no budget.
BUDGET_SHARE = 0.25

# The newest question and answer: what was said before them has been heard.
_NEWEST = 2

Reason = Literal["key", "always", "recursion", "forced", "kept"]
# Of an entry for which a key is enough; which one it was is looked up where it is told.
_BY_KEY: tuple[Reason, str] = ("key", "")


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


# Not frozen, which would take three times as long to make, and a scan makes hundreds;
# nor made by names, which takes twice as long.
@dataclass(slots=True)
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
    is_left_out: bool = False
    yields_to_context: bool = False


@dataclass(slots=True)
class Scan:
    """The outcome for all books: in the order of telling, and what could not be decided in time."""

    fired: list[Fired] = field(default_factory=list)
    undecided: int = 0
    disables: frozenset[str] = frozenset()
    seconds: float = 0.0
    # What is left of the time for expressions.
    regex_seconds: float = REGEX_SECONDS


def scan_books(books: Sequence[CompiledBook], scene: Scene, count_tokens: Callable[[str], int]) -> Scan:
    """Scan the chat for all books."""
    begun = time.perf_counter()
    result = Scan()
    for book in books:
        _BookScan(book, scene, result).run(count_tokens)
    result.fired.sort(key=lambda fired: fired.order)
    result.seconds = time.perf_counter() - begun
    return result


class _Heard:
    """What some messages say to a book's entries, all that its keys and expressions find in them."""

    def __init__(
        self, book: CompiledBook, messages: Sequence[str], scene: Scene, result: Scan, *, is_chat: bool
    ) -> None:
        self.messages = messages
        self._book, self._scene, self._result, self._is_chat = book, scene, result, is_chat
        # Cut where the reach of some entry begins, or the newest question.
        cuts = self._cuts(book.key_depths | {_NEWEST} if book.looks_back else book.key_depths)
        if book.looks_back:
            cuts = [0, *cuts]
        self.exact = find_keys(book, book.exact, messages, cuts)
        self.folded = find_keys(book, book.folded, messages, cuts)
        self._filled: dict[tuple[bool, str, int], bool] = {}

    def begin(self, entry: CompiledEntry) -> int:
        """Where the entry's reach begins."""
        return max(len(self.messages) - entry.scan_depth, 0) if self._is_chat else 0

    def keys_of(self, entry: CompiledEntry) -> tuple[Keys, KeysFound]:
        if entry.is_case_sensitive:
            return self._book.exact, self.exact
        return self._book.folded, self.folded

    def ear_for(self, entry: CompiledEntry) -> Callable[[str], bool]:
        """Says of a key of the entry whether it is in the entry's reach."""
        begin, (keys, found) = self.begin(entry), self.keys_of(entry)
        last = found.last_words if entry.is_whole_words else found.lasts
        number_of = keys.number

        def has(key: str) -> bool:
            if "{{" in key:
                return self._has_filled(keys, keys.fold(self._scene.say(key)), begin)
            return last[number_of(key)] >= begin

        return has

    def first_key(self, entry: CompiledEntry) -> str:
        """The first of its keys in the reach of an entry for which any is enough."""
        begin, (keys, found) = self.begin(entry), self.keys_of(entry)
        last = found.last_words if entry.is_whole_words else found.lasts
        for key in entry.keys:
            if last[keys.number(key)] >= begin:
                return key
        return ""

    def has_pattern(self, entry: CompiledEntry, pattern: str) -> bool | None:
        """Whether the expression matches in the entry's reach; None where time was up."""
        number = self._book.patterns.numbers.get((pattern, entry.is_case_sensitive))
        if number is None:
            return False
        if self.patterns.last.get(number, -1) >= self.begin(entry):
            return True
        return None if self.begin(entry) < self.patterns.decided_from else False

    @cached_property
    def patterns(self) -> PatternsFound:
        cuts = self._cuts(self._book.pattern_depths)
        begun = time.perf_counter()
        found = find_patterns(self._book, self.messages, cuts, deadline=begun + self._result.regex_seconds)
        self._result.regex_seconds -= time.perf_counter() - begun
        return found

    def _cuts(self, depths: frozenset[int]) -> list[int]:
        """Rising; none for what is no chat."""
        return sorted({max(len(self.messages) - depth, 0) for depth in depths}) if self._is_chat else []

    def _has_filled(self, keys: Keys, text: str, begin: int) -> bool:
        name = (keys.is_case_sensitive, text, begin)
        if name not in self._filled:
            self._filled[name] = text in keys.fold(SEPARATOR.join(self.messages[begin:]))
        return self._filled[name]


class _BookScan:
    """One book in one scene."""

    def __init__(self, book: CompiledBook, scene: Scene, result: Scan) -> None:
        self.book, self.scene, self.result = book, scene, result
        self.fired: dict[int, tuple[Reason, str]] = {}
        self.undecided: set[int] = set()
        self.chat = self._hear(scene.messages, is_chat=True)

    def run(self, count_tokens: Callable[[str], int]) -> None:
        for at in self._candidates():
            self._try(at)
        if self.book.is_recursive:
            self._recurse()
        self.result.undecided += len(self.undecided - self.fired.keys())
        self._tell(count_tokens)

    def _hear(self, messages: Sequence[str], *, is_chat: bool) -> _Heard:
        return _Heard(self.book, messages, self.scene, self.result, is_chat=is_chat)

    def _candidates(self) -> list[int]:
        """The entries to look at more closely; those for which a key is enough have fired when this returns."""
        left, count = dict.fromkeys(self.book.always), len(self.scene.messages)
        for index, found in self._indexes(self.chat):
            for (depth, is_whole_words), firsts in index.simple.items():
                last = found.last_word if is_whole_words else found.last
                named = firsts.entries_since(max(count - depth, 0), last)
                self.fired.update(dict.fromkeys(named, _BY_KEY))
            left.update(dict.fromkeys(index.others.entries_since(0, found.last)))
        # In the order of the book, whatever the order of sets.
        return sorted(left)

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
        elif because := self._match(at, self.chat):
            self.fired[at] = ("key", because)
        elif rules.keeps_active and self._was_matched_before(entry):
            self.fired[at] = ("kept", "")

    def _is_allowed(self, entry: CompiledEntry) -> bool:
        if not entry.has_conditions:
            return True
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

    def _match(self, at: int, heard: _Heard) -> str | None:
        """The key that brings the entry up; None where nothing does."""
        entry = self.book.entries[at]
        rules = entry.rules
        if entry.uses_regex:
            because = self._match_patterns(at, entry.keys, heard)
            if (
                because
                and rules.additional_keys
                and not self._match_patterns(at, rules.additional_keys, heard)
            ):
                return None
            return because

        is_there = heard.ear_for(entry)
        for because in entry.keys:
            if is_there(because):
                break
        else:
            return None
        if rules.additional_keys and not any(map(is_there, rules.additional_keys)):
            return None
        if any(map(is_there, rules.exclude_keys)):
            return None
        return because if self._second_keys_agree(entry, is_there) else None

    def _second_keys_agree(self, entry: CompiledEntry, is_there: Callable[[str], bool]) -> bool:
        if not entry.secondary:
            return True
        match entry.logic:
            case "any":
                return any(map(is_there, entry.secondary))
            case "all":
                return all(map(is_there, entry.secondary))
            case "none":
                return not any(map(is_there, entry.secondary))
            case "not_all":
                return not all(map(is_there, entry.secondary))

    def _match_patterns(self, at: int, patterns: Sequence[str], heard: _Heard) -> str | None:
        for pattern in patterns:
            matches = heard.has_pattern(self.book.entries[at], pattern)
            if matches:
                return pattern
            if matches is None:
                self.undecided.add(at)
        return None

    def _was_matched_before(self, entry: CompiledEntry) -> bool:
        """Whether a key stood in what was said before the newest question and answer."""
        if entry.uses_regex:
            return False
        keys, found = self.chat.keys_of(entry)
        newest = len(self.scene.messages) - _NEWEST
        return any(NOWHERE < found.first[keys.number(key)] < newest for key in entry.keys)

    def _recurse(self) -> None:
        """Search what has fired for the keys of what has not, until nothing new comes up."""
        fresh = list(self.fired)
        for _round in range(RECURSION_ROUNDS):
            entries = [self.book.entries[at] for at in fresh]
            texts = [self.scene.say(entry.text) for entry in entries if not entry.ends_recursion]
            if not texts:
                return
            heard = self._hear(texts, is_chat=False)
            known = set(self.fired)
            for at in (*self.book.always, *self._named(heard)):
                entry = self.book.entries[at]
                if at in self.fired or entry.ignores_recursion or not self._is_allowed(entry):
                    continue
                if because := self._match(at, heard):
                    self.fired[at] = ("recursion", because)
            fresh = [at for at in self.fired if at not in known]

    def _named(self, heard: _Heard) -> list[int]:
        """The entries of which a first key was found, each once."""
        named = set[int]()
        for index, found in self._indexes(heard):
            for firsts in (*index.simple.values(), index.others):
                named.update(firsts.entries_since(0, found.last))
        return sorted(named)

    def _indexes(self, heard: _Heard) -> tuple[tuple[FirstKeys, KeysFound], ...]:
        return (self.book.by_exact, heard.exact), (self.book.by_folded, heard.folded)

    def _tell(self, count_tokens: Callable[[str], int]) -> None:
        budget = self.book.token_budget or int(self.scene.context_tokens * BUDGET_SHARE)
        left_out = 0
        entries = self.book.entries
        for at in self.book.ranked:
            if at not in self.fired:
                continue
            if left_out == LEFT_OUT_SHOWN:
                break
            entry, (reason, because) = entries[at], self.fired[at]
            if not because and reason == "key":
                because = self.chat.first_key(entry)
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
                    self.book.name,
                    entry.name or (entry.keys[0] if entry.keys else f"#{entry.n + 1}"),
                    reason,
                    because,
                    text,
                    tokens,
                    entry.place,
                    depth,
                    entry.role,
                    entry.order,
                    not fits,
                    entry.rules.yields_to_context,
                )
            )
