"""How many tokens a text is for a model whose tokenizer is not here, rather too many than too few.

A text's bytes say more than its letters: a byte-level tokenizer has never more tokens than bytes, whatever the script.
"""

# UTF-8 bytes a token, on the careful side: English has about 4.2. By letters, Russian would count for half of what it
# is and Chinese for a third; how far a tokenizer is from this in a language, its server's counts say.
BYTES_A_TOKEN = 3.2


def estimate_tokens(text: str) -> int:
    """About how many tokens `text` is."""
    size = len(text) if text.isascii() else len(text.encode(errors="replace"))
    return int(size / BYTES_A_TOKEN) + 1
