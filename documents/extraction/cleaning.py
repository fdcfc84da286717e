"""Makes the text of a PDF readable: ligatures, hyphenation, running headers, lines into paragraphs.

Pure functions on a page's lines; a line keeps its index, so that what is known of it (its letters' height) stays
with it. What leaves here is the page's text from then on: citations count their offsets in
it and the viewer shows it, so nothing is cleaned a second time. No Django here.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

# PDFium puts U+FFFE where it found a word broken at a line's end.
BROKEN_WORD = "\ufffe"

_WORD = re.compile(r"\w+(?:-\w+)*")
_LAST_WORD = re.compile(r"\w+$")
_FIRST_WORD = re.compile(r"\w+")
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff\ufffd-\uffff]"
)
_BLANKS = re.compile(r"[ \t\u00a0\u2000-\u200a\u202f\u205f\u3000]+")
# Presentation forms of Latin letters (ﬁ, ﬂ …) and mathematical letters (𝐱, 𝒪 …): people type neither.
_FANCY = re.compile(r"[\ufb00-\ufb06\U0001d400-\U0001d7ff]")
_DIGITS = re.compile(r"\d+")
_SENTENCE_END = re.compile(r"[.!?:;]['\")\]’”]*$")
_LIST_ITEM = re.compile(r"(?:[•◦▪–—*·‣-]|\(?\d{1,2}[.)]|\(?[a-z][.)])\s")
_NUMBERED_HEADING = re.compile(r"((?:\d{1,2}|[A-Z])(?:\.\d{1,2}){0,3})\.?\s+[A-Z][^.!?]{2,78}$")
_NAMED_HEADING = re.compile(
    r"(abstract|introduction|background|related work|methods?|experiments|results|discussion|limitations|"
    r"conclusions?|acknowledge?ments?|references|bibliography|appendi(?:x|ces)|supplementary material)$",
    re.IGNORECASE,
)
# Lines at a page's top and bottom that may be a running header or footer.
_EDGE_LINES = 2


def normalise(line: str) -> str:
    """Plain letters, plain blanks, nothing invisible; `BROKEN_WORD` stays, as the line's last character."""
    line = line.encode("utf-8", "ignore").decode()
    line = _FANCY.sub(lambda match: unicodedata.normalize("NFKC", match[0]), line)
    is_broken = line.endswith((BROKEN_WORD, "\u00ad"))
    return _BLANKS.sub(" ", _INVISIBLE.sub("", line)).strip() + (BROKEN_WORD if is_broken else "")


def count_words(pages: Iterable[Sequence[str]]) -> Counter[str]:
    """How often each word stands unbroken in the document; `mend_broken_words` decides by it."""
    words: Counter[str] = Counter()
    for lines in pages:
        for line in lines:
            words.update(_WORD.findall(line.lower()))
    return words


def mend_broken_words(lines: list[str], words: Counter[str]) -> None:
    """Give a word broken at a line's end to that line: hyphenated if the document writes it so, else joined."""
    for index in range(len(lines) - 1):
        line, following = lines[index], lines[index + 1]
        is_marked = line.endswith(BROKEN_WORD)
        if not is_marked and not (line.endswith(("-", "\u2010")) and following[:1].islower()):
            continue
        left = _LAST_WORD.search(line[:-1])
        right = _FIRST_WORD.match(following)
        if left and right:
            moved, _, rest = following.partition(" ")
            hyphen = "-" if _keeps_hyphen(left[0], right[0], words) else ""
            lines[index], lines[index + 1] = line[:-1] + hyphen + moved, rest
    for index, line in enumerate(lines):
        if BROKEN_WORD in line:
            lines[index] = line.replace(BROKEN_WORD, "")


def _keeps_hyphen(left: str, right: str, words: Counter[str]) -> bool:
    if not right[0].islower():
        return True
    left, right = left.lower(), right.lower()
    joined, hyphenated = words[left + right], words[f"{left}-{right}"]
    if joined or hyphenated:
        return hyphenated > joined
    # Two words of the document's own that it never joins: task-specific, not repre-sentation.
    return words[left] > 1 and words[right] > 1


def find_running_lines(pages: Sequence[Sequence[str]]) -> frozenset[str]:
    """What headers and footers look like: edge lines, digits aside, that a third of the pages share.

    Under four pages nothing can be told. Headers that alternate left and right make it a third, not a half.
    """
    if len(pages) < 4:
        return frozenset()
    seen: Counter[str] = Counter()
    for lines in pages:
        filled = [line for line in lines if line]
        seen.update({_shape(line) for line in filled[:_EDGE_LINES] + filled[-_EDGE_LINES:]})
    return frozenset(shape for shape, count in seen.items() if count >= max(3, len(pages) / 3))


def blank_running_lines(lines: list[str], running: frozenset[str]) -> None:
    """Empty the running lines at the page's edges, page numbers included; positions stay."""
    filled = [index for index, line in enumerate(lines) if line]
    for edge in (filled[:_EDGE_LINES], filled[: -_EDGE_LINES - 1 : -1]):
        for index in edge:
            if _shape(lines[index]) not in running and not lines[index].isdigit():
                break
            lines[index] = ""


def _shape(line: str) -> str:
    return _DIGITS.sub("#", line.lower())


def heading_level(line: str, *, is_large: bool) -> int:
    """The level of a line that is a heading, 0 if it is none. `is_large` says it is set larger than the text."""
    if not 3 <= len(line) <= 120 or sum(letter.isalpha() for letter in line) < 3:
        return 0
    numbered = _NUMBERED_HEADING.match(line)
    if numbered and (is_large or _is_title_case(line)):
        return 1 + numbered[1].count(".")
    if _NAMED_HEADING.match(line.strip(" .:")):
        return 1
    is_phrase = line[0].isupper() and not _SENTENCE_END.search(line) and line[-1] != ","
    return 1 if is_large and is_phrase else 0


def _is_title_case(line: str) -> bool:
    words = [word for word in line.split()[1:] if len(word) > 3]
    return bool(words) and sum(word[0].isupper() for word in words) * 2 >= len(words)


def join_lines(lines: Sequence[str], headings: Collection[int]) -> tuple[str, dict[int, int]]:
    """The lines of a page as paragraphs, and where each heading line (by index) starts in that text.

    A line runs on into the next unless it is short for the page, ends a sentence early, or a list item or a
    heading follows; rows of tables and formulas are short and so keep their line ends.
    """
    filled = [index for index, line in enumerate(lines) if line]
    lengths = sorted(len(lines[index]) for index in filled)
    usual = lengths[int(0.8 * (len(lengths) - 1))] if lengths else 0
    parts: list[str] = []
    length = 0
    starts: dict[int, int] = {}
    for index, following in zip(filled, [*filled[1:], None], strict=True):
        line = lines[index]
        if index in headings:
            starts[index] = length
        is_break = (
            following is None
            or index in headings
            or following in headings
            or len(line) < 0.55 * usual
            or (len(line) < 0.9 * usual and _SENTENCE_END.search(line) is not None)
            or _LIST_ITEM.match(lines[following]) is not None
        )
        parts += (line, "\n" if is_break else " ")
        length += len(line) + 1
    return "".join(parts[:-1]), starts
