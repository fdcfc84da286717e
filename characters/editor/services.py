"""One save of the editor: words, portrait, style and audience, each through its own verb."""

import dataclasses
from typing import Any

from django.contrib.auth.models import Group

from accounts.models import User
from characters.assets.queries import read_style
from characters.assets.services import crop_portrait, set_portrait, set_style
from characters.models import Character, Visibility
from characters.pictures import Crop
from characters.publishing import share_character
from characters.services import create_character, update_character


@dataclasses.dataclass(frozen=True, slots=True)
class Edited:
    """What a person has in the editor when they save."""

    words: dict[str, Any]
    style: str
    portrait: bytes | None
    crop: Crop | None
    visibility: Visibility
    groups: list[Group]
    note: str = ""


def save_edited(*, actor: User, character: Character | None, edited: Edited) -> Character:
    """The character with what was edited, made if there was none. Words come first: a picture that is refused, or
    an audience that is, leaves them saved."""
    if character is None:
        row = create_character(actor=actor, **edited.words)
        joins_version = True
    else:
        before = character.version_id
        row = update_character(actor=actor, character_id=character.pk, note=edited.note, **edited.words)
        # Words that are as they were make no version that a picture could join.
        joins_version = before is not None and row.version_id != before
    key = row.pk
    if edited.portrait is not None:
        row = set_portrait(
            actor=actor, character_id=key, data=edited.portrait, crop=edited.crop, joins_version=joins_version
        )
    elif edited.crop is not None:
        row = crop_portrait(actor=actor, character_id=key, crop=edited.crop, joins_version=joins_version)
    if edited.style.strip() != read_style(row).strip():
        set_style(actor=actor, character_id=row.pk, text=edited.style)
    if _is_other_audience(row, edited):
        row = share_character(
            actor=actor, character_id=row.pk, visibility=edited.visibility, groups=edited.groups
        )
    return row


def _is_other_audience(row: Character, edited: Edited) -> bool:
    current = Visibility(row.visibility) if row.is_published else Visibility.PRIVATE
    if row.review_requested_at and edited.visibility == Visibility.EVERYONE:
        return False
    if edited.visibility != current or row.review_requested_at:
        return True
    if current != Visibility.GROUP:
        return False
    return {group.pk for group in edited.groups} != set(row.shown_to.values_list("pk", flat=True))
