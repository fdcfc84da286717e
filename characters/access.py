"""Who may change a character: its owner, and administrators. The one door that every write goes through."""

import uuid

from accounts.models import User
from characters.errors import CharacterNotAllowed, CharacterNotFound
from characters.models import Character


def may_change(user: User, character: Character) -> bool:
    """Whether this user may change the character's words."""
    return character.owner_id == user.pk or user.has_perm("characters.change_character")


def find_own(actor: User, character_id: uuid.UUID, *, is_locked: bool = True) -> Character:
    """The character that the actor may change, locked until the transaction ends.

    Raises `CharacterNotFound`, or `CharacterNotAllowed` for one that the actor only sees.
    """
    rows = Character.objects.filter(pk=character_id)
    if is_locked:
        rows = rows.select_for_update()
    is_editor = actor.has_perm("characters.change_character")
    character = rows.first() if is_editor else rows.visible_to(actor).first()
    if character is None:
        raise CharacterNotFound
    if not is_editor and character.owner_id != actor.pk:
        raise CharacterNotAllowed
    return character
