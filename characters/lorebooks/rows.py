"""Lorebooks between files and rows: the same values, with the original JSON kept beside them."""

from collections.abc import Iterable

from characters.cards.card import Book, BookEntry
from characters.lorebooks.models import Lorebook, LorebookEntry

# Columns of a book and of an entry that have the same name in a file's values.
BOOK_FIELDS = ("name", "description", "scan_depth", "token_budget", "is_recursive", "source")
ENTRY_FIELDS = (
    "name",
    "logic",
    "content",
    "is_selective",
    "uses_regex",
    "is_case_sensitive",
    "is_whole_words",
    "is_constant",
    "is_enabled",
    "insertion_order",
    "priority",
    "position",
    "source",
)


def book_of(lorebook: Lorebook) -> Book:
    """The lorebook as files have it, with all its entries."""
    return Book(
        entries=tuple(_entry_of(row) for row in lorebook.entries.all()),
        **{name: getattr(lorebook, name) for name in BOOK_FIELDS},
    )


def entry_rows(lorebook: Lorebook, entries: Iterable[BookEntry]) -> list[LorebookEntry]:
    """Unsaved rows for the entries of a file, in their order."""
    return [
        LorebookEntry(
            lorebook=lorebook,
            place_in_book=place,
            keys=list(entry.keys),
            secondary_keys=list(entry.secondary_keys),
            **{name: getattr(entry, name) for name in ENTRY_FIELDS},
        )
        for place, entry in enumerate(entries)
    ]


def _entry_of(row: LorebookEntry) -> BookEntry:
    return BookEntry(
        keys=tuple(row.keys),
        secondary_keys=tuple(row.secondary_keys),
        **{name: getattr(row, name) for name in ENTRY_FIELDS},
    )
