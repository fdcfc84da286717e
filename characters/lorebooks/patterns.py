"""Regular expressions that people bring along, in time that grows with the text and never explodes.

RE2 matches without going back, so no pattern can make it hang; in return it knows no look-around and no
back-references. JavaScript's way of writing (`/ferry\\w*/i`) is understood. Long patterns and those that unfold
to large programs are refused: what is left takes at most some milliseconds for a piece of text.
"""

import functools
import re

import re2

MAX_PATTERN_LENGTH = 400
# Bytes for a compiled pattern. `[ab]{1,900}c`, the costliest known that fits into four times as much, takes 0.3 s
# for 10,000 characters; what fits into this takes under 10 ms for 2,000 (tests/characters/test_lorebook_scan.py).
_MAX_MEMORY = 1 << 16
_SLASHED = re.compile(r"/(.*)/([a-z]*)", re.DOTALL)
# JavaScript's \uXXXX and \/ in RE2's words.
_UNICODE = re.compile(r"\\u([0-9a-fA-F]{4})")


@functools.lru_cache(maxsize=4096)
def compile_pattern(pattern: str, is_case_sensitive: bool) -> re2._Regexp | None:
    """The expression ready to search, or None for one that is not valid here."""
    if len(pattern) > MAX_PATTERN_LENGTH:
        return None
    flags = "" if is_case_sensitive else "i"
    if slashed := _SLASHED.fullmatch(pattern):
        pattern, own = slashed.groups()
        flags = "".join(flag for flag in "ims" if flag in own)
    pattern = _UNICODE.sub(r"\\x{\1}", pattern).replace("\\/", "/")
    options = re2.Options()
    options.max_mem = _MAX_MEMORY
    options.log_errors = False
    try:
        return re2.compile(f"(?{flags}){pattern}" if flags else pattern, options)
    except re2.error:
        return None
