"""Character cards: V1, V2 and V3, in PNG, JSON and CHARX files.

`read_card` is the way in, `write_json` and `write_png` the way out. A card keeps its JSON beside the fields that
Parlour knows, and what is written is that JSON with the known fields brought up to date: nothing is lost.

Formats: github.com/malfoyslastname/character-card-spec-v2 (V1, V2), github.com/kwaroran/character-card-spec-v3.
"""

from characters.cards.card import Book, BookEntry, Card, CardAsset
from characters.cards.reading import MAX_BYTES, read_book, read_card
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
    "write_book",
    "write_card",
    "write_json",
    "write_png",
]
