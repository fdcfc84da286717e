"""Whole documents in parts that fit a model: which passages it reads together, and how far it gets. Pure."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from chat.prompting.tokens import estimate_tokens
from documents.retrieval.whole import Span, WholeDocument

# A passage's number and the line it stands on.
PASSAGE_OVERHEAD_TOKENS = 5
# A page's element around its passages.
PAGE_OVERHEAD_TOKENS = 10
# Parts end between passages, and may be half of one longer than their share.
FULL = 0.9
# However much a model could read: notes of more than about twenty-five pages at once leave too much out.
PART_TOKENS_MOST = 12_000
# With a small model some 250 pages, with a large one a thousand. A part takes seconds to a minute.
PARTS_MOST = 40


@dataclass(frozen=True, slots=True)
class Numbered:
    """A passage with the number it is cited by in the task, from 1 through all its documents; `at` says which."""

    n: int
    at: int
    span: Span


@dataclass(frozen=True, slots=True)
class Part:
    """Passages of one document that are read together."""

    at: int
    passages: tuple[Numbered, ...]

    @property
    def first_page(self) -> int:
        return self.passages[0].span.page

    @property
    def last_page(self) -> int:
        return self.passages[-1].span.page


def number_passages(documents: Sequence[WholeDocument]) -> tuple[Numbered, ...]:
    """All passages of the documents in reading order."""
    spans = [(at, span) for at, document in enumerate(documents) for span in document.spans]
    return tuple(Numbered(n, at, span) for n, (at, span) in enumerate(spans, start=1))


def cost_of(passages: Iterable[Numbered]) -> int:
    """About how many tokens the passages are in a prompt."""
    tokens, page = 0, (0, 0)
    for passage in passages:
        tokens += estimate_tokens(passage.span.text) + PASSAGE_OVERHEAD_TOKENS
        if page != (passage.at, passage.span.page):
            page = (passage.at, passage.span.page)
            tokens += PAGE_OVERHEAD_TOKENS
    return tokens


def split(passages: Sequence[Numbered], room_tokens: int) -> list[Part]:
    """The passages in parts of at most `room_tokens`, those of one document of about the same size."""
    parts: list[Part] = []
    for at, group in groupby(passages, key=lambda passage: passage.at):
        own = list(group)
        costs = [cost_of([passage]) for passage in own]
        count = math.ceil(sum(costs) / (room_tokens * FULL))
        held: list[list[Numbered]] = [[] for _part in range(count)]
        before = 0
        for passage, cost in zip(own, costs, strict=True):
            # Where its middle lies on the way through the document.
            place = int((before + cost / 2) / sum(costs) * count)
            held[min(place, count - 1)].append(passage)
            before += cost
        parts += [Part(at, tuple(one)) for one in held if one]
    return parts


def within_reach(parts: Sequence[Part], most: int = PARTS_MOST) -> list[Part]:
    """At most `most` parts: the first ones of each document, to each its share."""
    if len(parts) <= most:
        return list(parts)
    kept: list[Part] = []
    for _at, group in groupby(parts, key=lambda part: part.at):
        own = list(group)
        kept += own[: max(1, most * len(own) // len(parts))]
    return kept


def last_pages(parts: Sequence[Part], kept: Sequence[Part]) -> dict[int, int]:
    """Up to which page each document is read that is not read to its end, by its place."""
    ends = {part.at: part.passages[-1].n for part in parts}
    reached = {part.at: part for part in kept}
    return {at: part.last_page for at, part in reached.items() if part.passages[-1].n < ends[at]}


def in_groups(notes: Sequence[str], room_tokens: int) -> list[list[str]]:
    """Notes side by side, as many at a time as fit; never one alone where it has a neighbour."""
    groups: list[list[str]] = [[]]
    tokens = 0
    for note in notes:
        cost = estimate_tokens(note)
        if tokens + cost > room_tokens and len(groups[-1]) > 1:
            groups.append([])
            tokens = 0
        groups[-1].append(note)
        tokens += cost
    return groups
