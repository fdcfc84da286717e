"""Takes citations out of an answer that lead nowhere, as it streams: `[7]` where there are six sources.

Pure. What might yet become a citation is held back until it is one or is not: three characters, never a word. Code
is left alone. Where a model has read more passages than anybody wants to count, the citations are numbered anew in the
order in which they come (`NumberingFilter`).
"""

import re
from collections.abc import Callable, Container, Mapping

# `[12]`, also with several numbers in it, as some models write: `[1, 7]`.
_CITATION = re.compile(r" ?\[(\d{1,3}(?:\s?,\s?\d{1,3})*)\]")
# Of a whole document's passages; among a few sources a number of four digits is a year.
_LONG_CITATION = re.compile(r" ?\[(\d{1,5}(?:\s?,\s?\d{1,5})*)\]")
_BEGUN = re.compile(r" ?\[[\d,\s]{0,24}$| $")
_CODE = re.compile(r"`+")


class CitationFilter:
    """Feeds on pieces of an answer that may cite sources 1 to `sources`."""

    _pattern = _CITATION

    def __init__(self, sources: int) -> None:
        self._sources = sources
        self._held = ""
        self._fence = ""

    def feed(self, text: str) -> str:
        """What of the text so far can be shown."""
        text = self._held + text
        begun = _BEGUN.search(text)
        self._held = text[begun.start() :] if begun else ""
        # A run of backticks may go on in the next piece, and means another thing then.
        ticks = re.search(r"`+$", text)
        if ticks:
            self._held = text[ticks.start() :]
        return self._check(text[: len(text) - len(self._held)])

    def flush(self) -> str:
        """What was held back, at the end."""
        held, self._held = self._held, ""
        return self._check(held)

    def _check(self, text: str) -> str:
        shown: list[str] = []
        position = 0
        for run in _CODE.finditer(text):
            shown.append(self._checked(text[position : run.start()]))
            shown.append(run[0])
            if not self._fence:
                self._fence = run[0]
            elif run[0] == self._fence:
                self._fence = ""
            position = run.end()
        shown.append(self._checked(text[position:]))
        return "".join(shown)

    def _checked(self, text: str) -> str:
        return text if self._fence else self._pattern.sub(self._keep, text)

    def _keep(self, match: re.Match[str]) -> str:
        numbers = [int(number) for number in match[1].split(",")]
        right = [shown for number in numbers if (shown := self._shown(number)) is not None]
        if right == numbers:
            return match[0]
        blank = " " if match[0].startswith(" ") and right else ""
        return blank + "".join(f"[{number}]" for number in dict.fromkeys(right))

    def _shown(self, number: int) -> int | None:
        """The number that the citation is shown with; None for one that leads nowhere."""
        return number if 1 <= number <= self._sources else None


class NumberingFilter(CitationFilter):
    """Numbers what is cited from 1 on, in the order of first citations.

    `allowed` are the numbers that the model has seen, `known` those that have a number to be shown with already.
    `on_new` is told of each that gets one, before any text with it is given back.
    """

    _pattern = _LONG_CITATION

    def __init__(
        self,
        allowed: Container[int],
        *,
        known: Mapping[int, int] | None = None,
        on_new: Callable[[int, int], None] = lambda number, shown: None,
    ) -> None:
        super().__init__(0)
        self._allowed = allowed
        self._numbers = dict(known or {})
        self._on_new = on_new

    def _shown(self, number: int) -> int | None:
        if number not in self._allowed:
            return None
        if number not in self._numbers:
            self._numbers[number] = max(self._numbers.values(), default=0) + 1
            self._on_new(number, self._numbers[number])
        return self._numbers[number]


class _Renumbered(CitationFilter):
    _pattern = _LONG_CITATION

    def __init__(self, numbers: Mapping[int, int]) -> None:
        super().__init__(0)
        self._numbers = numbers

    def _shown(self, number: int) -> int | None:
        return self._numbers.get(number)


def renumber(text: str, numbers: Mapping[int, int]) -> str:
    """A whole text with other numbers; citations of what has none are taken out."""
    citations = _Renumbered(numbers)
    return citations.feed(text) + citations.flush()


def cited_in(text: str) -> set[int]:
    """The numbers that a text cites."""
    return {int(number) for match in _LONG_CITATION.finditer(text) for number in match[1].split(",")}
