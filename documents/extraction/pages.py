"""What a reader yields, and how text without pages of its own is cut into some. No Django here."""

from collections.abc import Iterable, Iterator

import msgspec

# About a printed page. A viewer shows it at once, and a citation's "page 7" means something.
PAGE_CHARACTERS = 3000
# A document with pages of its own keeps them up to this; a longer one is cut, so that no single row or
# message grows without bound.
PAGE_CHARACTERS_MAX = 20_000

# The level of a heading that is the document's own title, above all others.
TITLE_LEVEL = 0


class Heading(msgspec.Struct, frozen=True, array_like=True):
    """A heading that the format itself marks: where it starts on its page, and its level, 1 the highest
    below `TITLE_LEVEL`."""

    start: int
    level: int
    title: str


class ExtractedPage(msgspec.Struct, frozen=True, array_like=True):
    """One page as read. `label` is what the document prints on it, empty if that is just its number."""

    text: str
    label: str = ""
    headings: tuple[Heading, ...] = ()


class Block(msgspec.Struct, frozen=True):
    """A paragraph, heading, list item or table row of a format that flows; `level` is 0 unless a heading."""

    text: str
    level: int = 0
    starts_page: bool = False
    gap: str = "\n\n"
    """What stands between this block and the next on the same page."""
    is_title: bool = False
    """Whether the document calls itself this."""


def flow_into_pages(blocks: Iterable[Block], *, has_page_breaks: bool) -> Iterator[ExtractedPage]:
    """Lay blocks out into pages: at the breaks the document has, else after about PAGE_CHARACTERS.

    A heading is never the last thing on a page. A block longer than a page is cut at a line or a space.
    """
    limit = PAGE_CHARACTERS_MAX if has_page_breaks else PAGE_CHARACTERS
    parts: list[Block] = []
    length = 0
    for block in _cut_long(blocks, limit):
        is_full = length + len(block.text) > limit or (
            not has_page_breaks and block.level > 0 and length > 0.7 * limit
        )
        if parts and (block.starts_page or is_full):
            carried = [] if block.starts_page else _trailing_headings(parts)
            yield compose_page(parts[: len(parts) - len(carried)])
            parts, length = carried, sum(len(part.text) for part in carried)
        parts.append(block)
        length += len(block.text) + len(block.gap)
    if parts:
        yield compose_page(parts)


def _cut_long(blocks: Iterable[Block], limit: int) -> Iterator[Block]:
    for block in blocks:
        rest = block.text
        starts_page = block.starts_page
        while len(rest) > limit:
            cut = max(rest.rfind("\n", 0, limit), rest.rfind(" ", 0, limit))
            cut = cut + 1 if cut > limit // 2 else limit
            yield Block(rest[:cut].rstrip(), 0, starts_page, block.gap)
            rest, starts_page = rest[cut:], False
        if rest.strip():
            yield Block(rest, block.level, starts_page, block.gap, block.is_title)


def _trailing_headings(parts: list[Block]) -> list[Block]:
    """The headings at the end of a page that belong to what follows; never the whole page."""
    keep = len(parts)
    while keep > 1 and parts[keep - 1].level:
        keep -= 1
    return parts[keep:] if keep > 1 else []


def compose_page(parts: list[Block]) -> ExtractedPage:
    """The blocks as one page."""
    text = ""
    headings = []
    for index, part in enumerate(parts):
        if part.level or part.is_title:
            level = TITLE_LEVEL if part.is_title else part.level
            headings.append(Heading(len(text), level, part.text.strip("# \n")))
        text += part.text + (part.gap if index + 1 < len(parts) else "")
    return ExtractedPage(text=text, headings=tuple(headings))
