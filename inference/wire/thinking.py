"""Tells thinking from answer where a model writes both into one text: `<think>…</think>` at its beginning.

Servers that separate them themselves (`reasoning_content`, `reasoning`) do not need this; the tag then never
comes. Only a tag that opens the text counts: one quoted in an answer is part of the answer.
"""

from typing import Literal

OPENING = "<think>"
CLOSING = "</think>"

Part = tuple[Literal["answer", "thinking"], str]


class ThinkingSplitter:
    """Feed it the text as it comes; it gives the parts, and holds back what may yet become a tag."""

    __slots__ = ("_held", "_state")

    def __init__(self, *, is_continuing: bool = False) -> None:
        self._held = ""
        self._state: Literal["opening", "thinking", "closed", "answer"] = (
            "answer" if is_continuing else "opening"
        )

    @property
    def is_passing(self) -> bool:
        """True once everything that comes is answer; the hot path then goes around `split`."""
        return self._state == "answer"

    def split(self, text: str) -> list[Part]:
        """The parts that are certain now, none of them empty."""
        parts: list[Part] = []
        text = self._held + text
        self._held = ""
        if self._state == "opening":
            text = self._open(text)
        if self._state == "thinking":
            thought, text = self._close(text)
            if thought:
                parts.append(("thinking", thought))
        if self._state == "closed":
            # The blank lines between the tag and the answer belong to neither.
            text = text.lstrip()
            if text:
                self._state = "answer"
        if self._state == "answer" and text:
            parts.append(("answer", text))
        return parts

    def flush(self) -> list[Part]:
        """What was held back, when the text has ended."""
        held, self._held = self._held, ""
        if not held:
            return []
        return [("thinking" if self._state == "thinking" else "answer", held)]

    def _open(self, text: str) -> str:
        start = text.lstrip()
        if start.startswith(OPENING):
            self._state = "thinking"
            return start[len(OPENING) :]
        if OPENING.startswith(start):
            self._held = text
            return ""
        self._state = "answer"
        return text

    def _close(self, text: str) -> tuple[str, str]:
        thought, tag, rest = text.partition(CLOSING)
        if tag:
            self._state = "closed"
            return thought, rest
        keep = _beginning_of_tag(text)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep], ""


def _beginning_of_tag(text: str) -> int:
    """How many characters at the end of `text` may be the beginning of the closing tag."""
    for length in range(min(len(CLOSING) - 1, len(text)), 0, -1):
        if CLOSING.startswith(text[-length:]):
            return length
    return 0
