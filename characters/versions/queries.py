"""The history of a character, for those who may change it."""

from dataclasses import dataclass

from django.db.models import QuerySet

from accounts.models import User
from characters.access import find_own
from characters.errors import VersionNotFound
from characters.models import Character, Draft, Version
from characters.versions.snapshot import list_differences


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A version, and what it changed in the one before; the first changed nothing."""

    version: Version
    changed: list[str]
    has_new_portrait: bool
    is_current: bool


def list_versions(character: Character) -> QuerySet[Version]:
    """The newest first."""
    return character.versions.select_related("made_by")


def read_history(*, user: User, character: Character, most: int = 200) -> list[HistoryEntry]:
    """The versions of a character that the user may change, the newest first; at most `most`."""
    find_own(user, character.pk, is_locked=False)
    rows = list(list_versions(character)[: most + 1])
    entries = []
    for place, version in enumerate(rows[:most]):
        before = rows[place + 1] if place + 1 < len(rows) else None
        entries.append(
            HistoryEntry(
                version=version,
                changed=list_differences(before.snapshot, version.snapshot) if before else [],
                has_new_portrait=before is not None and before.avatar != version.avatar,
                is_current=version.pk == character.version_id,
            )
        )
    return entries


def find_version(*, user: User, character: Character, number: int) -> Version:
    """One version of a character that the user may change. Raises `VersionNotFound`."""
    find_own(user, character.pk, is_locked=False)
    version = character.versions.filter(number=number).first()
    if version is None:
        raise VersionNotFound
    return version


def find_draft(character: Character) -> Draft | None:
    """What was typed and not saved; for those who may change the character."""
    return Draft.objects.filter(character=character).first()
