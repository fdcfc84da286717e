"""Cards between files and rows."""

from typing import Any, cast

from characters.cards.card import Card
from characters.cards.fields import LISTS, TEXTS
from characters.lorebooks.models import Lorebook
from characters.lorebooks.rows import book_of
from characters.models import CardSource, Character
from characters.services import CharacterFields

# Columns of a character that a card has too, beside TEXTS and LISTS.
_OWN = ("tagline", "description", "temperature", "max_tokens", "is_grounded", "sampling")


def fields_of(card: Card) -> CharacterFields:
    """What `create_character` is told, but the name."""
    names = [name for name in (*TEXTS, *_OWN) if name != "name"]
    fields: dict[str, Any] = {name: getattr(card, name) for name in names}
    lists: dict[str, Any] = {name: list(getattr(card, name)) for name in (*LISTS, "suggestions")}
    return cast(CharacterFields, fields | lists)


def card_of(character: Character) -> Card:
    """The character as a card, with its own lorebook and all that its imported card said."""
    source = CardSource.objects.filter(character=character).values_list("json", flat=True).first()
    lorebook = Lorebook.objects.filter(character=character).first()
    texts: dict[str, Any] = {name: getattr(character, name) for name in (*TEXTS, *_OWN)}
    lists: dict[str, Any] = {name: tuple(getattr(character, name)) for name in (*LISTS, "suggestions")}
    return Card(
        spec="v3", book=book_of(lorebook) if lorebook else None, source=source or "", **texts, **lists
    )
