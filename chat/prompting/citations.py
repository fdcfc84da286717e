"""Takes citations out of an answer that lead nowhere, as it streams: `[7]` where there are six sources.

Pure. What might yet become a citation is held back until it is one or is not: three characters, never a word. Code
is left alone.
"""

import re

# `[12]`, also with several numbers in it, as some models write: `[1, 7]`.
_CITATION = re.compile(r" ?\[(\d{1,3}(?:\s?,\s?\d{1,3})*)\]")
_BEGUN = re.compile(r" ?\[[\d,\s]{0,24}$| $")
_CODE = re.compile(r"`+")


class CitationFilter:
    """Feeds on pieces of an answer that may cite sources 1 to `sources`."""

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
        return text if self._fence else _CITATION.sub(self._keep, text)

    def _keep(self, match: re.Match[str]) -> str:
        numbers = [int(number) for number in match[1].split(",")]
        right = [number for number in numbers if 1 <= number <= self._sources]
        if len(right) == len(numbers):
            return match[0]
        blank = " " if match[0].startswith(" ") and right else ""
        return blank + "".join(f"[{number}]" for number in right)
