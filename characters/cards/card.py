"""A card as Parlour reads it: plain values, and the JSON they came from."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Spec = Literal["v1", "v2", "v3"]
Position = Literal["before_char", "after_char"]
# How second keys count: one of them, all, not one of them, not all.
Logic = Literal["any", "all", "none", "not_all"]


@dataclass(frozen=True, slots=True)
class BookEntry:
    """One entry of a lorebook; `source` is its ASCII JSON."""

    keys: tuple[str, ...] = ()
    secondary_keys: tuple[str, ...] = ()
    logic: Logic = "any"
    content: str = ""
    name: str = ""
    is_selective: bool = False
    uses_regex: bool = False
    is_case_sensitive: bool = False
    is_whole_words: bool = False
    is_constant: bool = False
    is_enabled: bool = True
    insertion_order: int = 100
    priority: int | None = None
    position: Position = "before_char"
    source: str = ""


@dataclass(frozen=True, slots=True)
class Book:
    """A lorebook; `source` is its ASCII JSON without the entries."""

    name: str = ""
    description: str = ""
    scan_depth: int | None = None
    token_budget: int | None = None
    is_recursive: bool = False
    entries: tuple[BookEntry, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True)
class CardAsset:
    """A picture or another file of a card. It has no bytes where it lies elsewhere, which is never fetched.

    `position` is its place in the card's list, from 0.
    """

    type: str
    uri: str
    name: str
    ext: str
    size_bytes: int = 0
    read: Callable[[], bytes] = field(default=bytes, repr=False, compare=False)
    position: int = 0

    @property
    def data(self) -> bytes | None:
        """From a large file it is read again each time."""
        return self.read() if self.size_bytes else None


@dataclass(frozen=True, slots=True)
class Card:
    """A character card. `source` is its ASCII JSON without the lorebook, `picture` the image it came in."""

    spec: Spec
    name: str
    definition: str = ""
    personality: str = ""
    scenario: str = ""
    greeting: str = ""
    example_dialogue: str = ""
    system_prompt: str = ""
    post_history_instructions: str = ""
    creator_notes: str = ""
    creator: str = ""
    character_version: str = ""
    nickname: str = ""
    alternate_greetings: tuple[str, ...] = ()
    group_greetings: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    # What Parlour itself wrote under `extensions.parlour`.
    tagline: str = ""
    description: str = ""
    suggestions: tuple[str, ...] = ()
    temperature: float | None = None
    max_tokens: int | None = None
    sampling: dict[str, object] = field(default_factory=dict)
    is_grounded: bool = False
    book: Book | None = None
    assets: tuple[CardAsset, ...] = ()
    source: str = ""
    picture: bytes | None = field(default=None, repr=False)


def main_icon(assets: tuple[CardAsset, ...]) -> CardAsset | None:
    """The entry that the specification calls the main icon: the one of that name, else the first there is."""
    icons = [asset for asset in assets if asset.type == "icon"]
    return next((asset for asset in icons if asset.name == "main"), icons[0] if icons else None)
