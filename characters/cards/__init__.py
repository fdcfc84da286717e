"""Character cards: V1, V2 and V3, in PNG, JSON and CHARX files.

`read_card` is the way in, `write_json`, `write_png` and `write_charx` are the ways out. A card keeps its JSON beside
the fields that Parlour knows, and what is written is that JSON with the known fields brought up to date, so that
nothing is lost.

Formats: github.com/malfoyslastname/character-card-spec-v2 (V1, V2), github.com/kwaroran/character-card-spec-v3.
"""

from characters.cards.card import Book, BookEntry, Card, CardAsset
from characters.cards.charx import write_charx
from characters.cards.reading import MAX_BYTES, read_book, read_card, read_card_file
from characters.cards.writing import CardVersion, write_book, write_card, write_json, write_png

__all__ = [
    "MAX_BYTES",
    "Book",
    "BookEntry",
    "Card",
    "CardAsset",
    "CardVersion",
    "read_book",
    "read_card",
    "read_card_file",
    "write_book",
    "write_card",
    "write_charx",
    "write_json",
    "write_png",
]
