"""Keys are found in long texts as in short ones, though most repetitions of words are left out."""

import random
import re

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from characters.lorebooks.keys import Keys
from characters.lorebooks.words import Piece, Words

# Words of all lengths that are compared, and of some that are not; two of them differ in their last sign alone.
WORDS = [
    "a",
    "an",
    "ann",
    "eightlet",
    "ninelette",
    "sixteen-letters1",
    "sixteen-letters2",
    "seventeen-letters",
]
WORDS += [
    "sixteen-letters1x",
    "x" * 40,
    "Fähre",
    "渡し",
    "渡し舟と老人の長い物語",
    "_",
    "𐌰𐌽𐌽",
    "ann,",
    "(ann)",
    "\u2028",
    "\x85",
]
GAPS = [" ", "  ", "\n", "\n\x00\n", "\t", "\x1f"]
KEYS = [
    "ann",
    "ann,",
    "an",
    "letters1",
    "渡し",
    "舟と",
    "ann ann",
    "letters1 sixteen-",
    "nn eight",
    "ann\x00ann",
    "eightlet  ninelette an",
    "し 渡し",
    "x 渡し",
    " a",
    "a\nan",
    "x" * 39,
    "é",
    "Fähre",
    "\u2028",
]


def long_text(seed: int, words: list[str], gaps: list[str]) -> str:
    dice = random.Random(seed)
    return "".join(dice.choice(words) + dice.choice(gaps) for _ in range(6_000))


choices = {
    "seed": st.integers(0, 10_000),
    "words": st.lists(st.sampled_from(WORDS) | st.text(min_size=1, max_size=20), min_size=1, max_size=8),
    "gaps": st.lists(st.sampled_from(GAPS), min_size=1, max_size=3),
}


# A word of the length that is compared, and a longer one that begins as it does.
LONGER_LAST = {"words": ["sixteen-letters1x", "sixteen-letters1"], "gaps": [" "]}


@settings(max_examples=15, deadline=None)
@given(**choices)
@example(seed=0, **LONGER_LAST)
def test_every_word_stays_and_few_of_its_repetitions(seed, words, gaps):
    text = long_text(seed, words, gaps).encode(errors="surrogatepass")
    end = text.find(b" ", len(text) // 2) + 1
    seen = Words(len(text))
    kept = b"".join(seen.take_new(Piece(part)) for part in (text[:end], text[end:]))

    def words_of(some: bytes) -> list[bytes]:
        return [word for word in re.split(rb"[\x00-\x20]+", some) if word]

    assert set(words_of(kept)) == set(words_of(text))
    if len(text) > 100_000 and all(len(word.encode(errors="surrogatepass")) < 17 for word in words):
        assert len(kept) < len(text) / 10


@settings(max_examples=15, deadline=None)
@given(**choices)
@example(seed=0, **LONGER_LAST)
def test_keys_are_found_in_a_long_text_as_one_by_one(seed, words, gaps):
    text = long_text(seed, words, gaps)
    keys = Keys(is_case_sensitive=False)
    for key in KEYS:
        keys.add(key)
    keys.build()
    present, alone = (set(np.flatnonzero(found).tolist()) for found in keys.search([text], wants_alone=True))
    folded = text.lower()
    assert present == {number for key, number in keys.numbers.items() if key in folded}
    assert alone == {
        number for key, number in keys.numbers.items() if re.search(rf"(?<!\w){re.escape(key)}(?!\w)", folded)
    }
