"""What a question means to the letter: invoice numbers, part numbers, names with figures in them. Pure.

To a vector one number is like the next, so search and `quotes` look for them as they are written.
"""

import re

CODES_MAX = 4
# Shorter ones are counts and ordinals; so is a plain number below 10,000, or it is a year.
_CHARACTERS_MIN = 4
_DIGITS_MIN = 5
# With as many figures behind a letter it names one thing, and is no model (GPT-3, V100), version (v1.1), year (FY2024)
# or size (500MB), which may be written otherwise.
_DIGITS_OF_ONE = 4
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
# Between two figures with a multiple of three behind them.
_THOUSANDS = re.compile(r"(?<=\d)(?=(?:\d{3})+$)")
_WORD = re.compile(r"[^\W_](?:[\w./:-]*[^\W_])?")


def codes_in(question: str) -> list[str]:
    """The question's words that hold a figure and something else, or are a long number; in their order."""
    return list(dict.fromkeys(word for word in _WORD.findall(question) if _is_code(word)))[:CODES_MAX]


def names_one_thing(code: str) -> bool:
    """Whether the code is one thing's own: who asks for it wants nothing else."""
    return code.isdigit() or (code[0].isalpha() and _digits(_YEAR.sub("", code)) >= _DIGITS_OF_ONE)


def holds_code(text: str, code: str) -> bool:
    """Whether the code stands in the text, be it in other capitals, and not within a longer one. A number may have its
    thousands apart: 175,000 and 175 000 are 175000.
    """
    written = _THOUSANDS.sub(r"[,.'’\\s]?", code) if code.isdecimal() else re.escape(code)
    return re.search(rf"(?<!\w){written}(?!\w)", text, re.IGNORECASE) is not None


def _is_code(word: str) -> bool:
    digits = _digits(word)
    return len(word) >= _CHARACTERS_MIN and (0 < digits < len(word) or digits >= _DIGITS_MIN)


def _digits(word: str) -> int:
    return sum(letter.isdigit() for letter in word)
