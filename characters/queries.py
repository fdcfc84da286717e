"""Reads over the cast. Every one takes the user who asks; what they may not see does not exist."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from characters.errors import CharacterNotFound
from characters.models import Character
from documents.models import Collection


def list_characters(*, user: User, query: str = "", tag: str = "") -> QuerySet[Character]:
    """The characters this user may meet, in the gallery's order, with their models; the gallery itself pages
    (`characters.gallery.queries`)."""
    found = Character.objects.visible_to(user).matching(query).select_related("model")
    return found.filter(tags__contains=[tag]) if tag else found


def find_character(*, user: User, slug: str) -> Character:
    """The character of this slug. Raises `CharacterNotFound`."""
    character = Character.objects.visible_to(user).select_related("model", "owner").filter(slug=slug).first()
    if character is None:
        raise CharacterNotFound
    return character


def find_original(user: User, character: Character) -> Character | None:
    """The character that this one was remixed from, if it is still there and the user may meet it."""
    if character.remixed_from_id is None:
        return None
    return (
        Character.objects.visible_to(user).filter(pk=character.remixed_from_id).only("slug", "name").first()
    )


def lent_collections(user: User) -> QuerySet[Any, Any]:
    """The ids of the collections that the characters this user may meet answer from."""
    return (
        Character.objects.visible_to(user).filter(collections__isnull=False).values("collections").order_by()
    )


def list_knowledge(*, user: User, character: Character) -> list[str]:
    """What the character answers from, as this user may know it: names of collections."""
    names = Collection.objects.readable_by(user).filter(characters=character).values_list("name", flat=True)
    return [*([str(_("Your documents"))] if character.is_grounded else []), *names]
