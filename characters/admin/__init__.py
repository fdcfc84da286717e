"""Characters for administrators without a shell: the list and its filters, review, cards in and out."""

from characters.admin.characters import CharacterAdmin

__all__ = ["CharacterAdmin"]
