"""Regular expressions that people bring along, in time that grows with the text and never explodes.

RE2 matches without going back, so no pattern can make it hang; in return it knows no look-around and no
back-references. JavaScript's way of writing (`/ferry\\w*/i`) is understood. Long patterns and those that unfold
to large programs are refused: what is left takes at most some milliseconds for a piece of text.
"""

import functools
import re
from collections.abc import Iterable, Iterator, Sequence

import re2

MAX_PATTERN_LENGTH = 400
# Bytes for a compiled pattern. `[ab]{1,900}c`, the costliest known that fits into four times as much, takes 0.3 s
# for 10,000 characters; what fits into this takes under 10 ms for 2,000 (tests/characters/test_lorebook_scan.py).
_MAX_MEMORY = 1 << 16
_SLASHED = re.compile(r"/(.*)/([a-z]*)", re.DOTALL)
# JavaScript's \uXXXX and \/ in RE2's words.
_UNICODE = re.compile(r"\\u([0-9a-fA-F]{4})")


# An expression sees a message in pieces of this length; they overlap, so that no match is cut.
PIECE_CHARACTERS = 2_000
PIECE_OVERLAP = 200
# For expressions that are matched together. More of them would fit into more, but each new state of such an automaton
# costs as much time as all of them are long.
_SET_MEMORY = 1 << 17
_SET_MOST = 128

Pattern = tuple[str, bool]
"""An expression as it is written, and whether it minds capitals."""


class PatternSets:
    """Expressions that are looked for together: one pass for a hundred of them instead of a hundred passes."""

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        # Those that are valid, by their number.
        self.names = [name for name in dict.fromkeys(patterns) if compile_pattern(*name) is not None]
        self.numbers = {name: number for number, name in enumerate(self.names)}
        self._groups: list[_Group] = []
        for at in range(0, len(self.names), _SET_MOST):
            self._groups += _group(range(at, min(at + _SET_MOST, len(self.names))), self.names)

    def search(self, text: str) -> Iterator[set[int]]:
        """Numbers of those that match, a few at a time: between them one may look at the clock."""
        for at in range(0, max(len(text), 1), PIECE_CHARACTERS - PIECE_OVERLAP):
            piece = text[at : at + PIECE_CHARACTERS].encode()
            for group in self._groups:
                yield from group.search(piece)


class _Group:
    """Some of the expressions, in one automaton where they fit into one."""

    def __init__(self, numbers: Sequence[int], names: Sequence[Pattern], automaton: re2.Set | None) -> None:
        self._numbers = numbers
        self._patterns = [names[number] for number in numbers]
        self._automaton = automaton

    def search(self, piece: bytes) -> Iterator[set[int]]:
        if self._automaton is not None:
            matched = self._automaton.Match(piece) or ()
            # The last one matches anything: without it the automaton ran out of memory.
            if len(self._numbers) in matched:
                yield {self._numbers[at] for at in matched if at < len(self._numbers)}
                return
        for number, name in zip(self._numbers, self._patterns, strict=True):
            pattern = compile_pattern(*name)
            yield {number} if pattern is not None and pattern.search(piece) is not None else set()


def _group(numbers: Sequence[int], names: Sequence[Pattern]) -> list[_Group]:
    """Groups that are small enough to be compiled."""
    if len(numbers) == 1:
        return [_Group(numbers, names, None)]
    automaton = re2.Set.SearchSet(_options(_SET_MEMORY))
    try:
        for number in numbers:
            automaton.Add(_translate(*names[number]))
        automaton.Add("")
        automaton.Compile()
    except re2.error:
        middle = len(numbers) // 2
        return [*_group(numbers[:middle], names), *_group(numbers[middle:], names)]
    return [_Group(numbers, names, automaton)]


@functools.lru_cache(maxsize=4096)
def compile_pattern(pattern: str, is_case_sensitive: bool) -> re2._Regexp | None:
    """The expression ready to search, or None for one that is not valid here."""
    if len(pattern) > MAX_PATTERN_LENGTH:
        return None
    try:
        return re2.compile(_translate(pattern, is_case_sensitive), _options(_MAX_MEMORY))
    except re2.error:
        return None


def _translate(pattern: str, is_case_sensitive: bool) -> str:
    """The expression in RE2's words."""
    flags = "" if is_case_sensitive else "i"
    if slashed := _SLASHED.fullmatch(pattern):
        pattern, own = slashed.groups()
        flags = "".join(flag for flag in "ims" if flag in own)
    pattern = _UNICODE.sub(r"\\x{\1}", pattern).replace("\\/", "/")
    return f"(?{flags}){pattern}" if flags else pattern


def _options(memory: int) -> re2.Options:
    options = re2.Options()
    options.max_mem = memory
    options.log_errors = False
    return options
