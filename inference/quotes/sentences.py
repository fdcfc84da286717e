"""Text cut into sentences, well enough to quote from. No model, no IO."""

import re
from collections.abc import Iterator

# Shorter ones are headings and page numbers, longer ones tables and lists that lost their lines.
SHORTEST_CHARACTERS = 20
LONGEST_CHARACTERS = 500

_PARAGRAPH = re.compile(r"\n\s*\n")
# A line of its own before a sentence: numbered ("5.1 Effect of Tasks"), or a single word ("Abstract").
_HEADING = re.compile(
    r"^(?:(?:\d+|[A-Z])(?:\.\d+)*\.?[ \t]+[A-Z][^\n.!?]{2,80}|[A-Z][a-z]+)[ \t]*\n(?=[A-Z])", re.MULTILINE
)
# An end mark, closing quotes or brackets, then a blank and something that begins a sentence.
_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+(?=[\"'“‘(\[]?[A-ZÀ-ÖØ-Þ0-9])")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|et al|cf|vs|approx|Fig|Figs|Eq|Sec|Tab|No|Nr|Dr|Prof|Mr|Mrs|St|z\.B|d\.h|bzw|ca)"
    r"|\b[A-Z])\.$"
)


def split_sentences(text: str) -> Iterator[str]:
    """The sentences of a text in order, blanks made single, those unfit to quote left out."""
    for paragraph in _PARAGRAPH.split(_HEADING.sub("\n\n", text)):
        held = ""
        for piece in _END.split(" ".join(paragraph.split())):
            sentence = f"{held} {piece}" if held else piece
            if _ABBREVIATION.search(sentence):
                held = sentence
                continue
            held = ""
            if SHORTEST_CHARACTERS <= len(sentence) <= LONGEST_CHARACTERS:
                yield sentence
        if SHORTEST_CHARACTERS <= len(held) <= LONGEST_CHARACTERS:
            yield held
