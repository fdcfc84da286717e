"""Versions and drafts: a save keeps a version, an older one can be brought back, typing is kept until it is saved."""

import uuid

from django.db import transaction

from accounts.audit import record
from accounts.models import User
from characters.access import find_own
from characters.errors import VersionNotFound
from characters.models import Character, Draft, Version
from characters.versions.belongings import note_belongings, put_back, take_belongings
from characters.versions.snapshot import FIELDS, Snapshot, digest_snapshot, take_snapshot

# Characters of JSON. A draft holds what the editor's fields hold; twenty of the longest would be somebody's archive.
MAX_DRAFT_LENGTH = 1_000_000


def keep_version(character: Character, *, actor: User | None, note: str = "") -> Version | None:
    """Keep the character as it stands now as its newest version; None if it says what the newest says already.

    Call it in the transaction that saved the row, with the row locked.
    """
    snapshot, avatar = take_snapshot(character), str(character.avatar.name or "")
    digest = digest_snapshot(snapshot, avatar)
    newest = Version.objects.filter(character=character).order_by("-number").first()
    if newest is not None and newest.digest == digest:
        if character.version_id != newest.pk:
            _set_current(character, newest)
        note_belongings(character)
        return None
    version = Version.objects.create(
        character=character,
        number=newest.number + 1 if newest else 1,
        snapshot=snapshot,
        avatar=avatar,
        belongings=take_belongings(character),
        digest=digest,
        made_by=actor,
        note=note[:200],
    )
    _set_current(character, version)
    return version


def amend_version(character: Character) -> None:
    """Let the version that was just made have what the character is now: the rest of one save is no version more.

    Call it as `keep_version`, only where nobody can have begun a chat with that version yet.
    """
    assert character.version_id is not None
    snapshot, avatar = take_snapshot(character), str(character.avatar.name or "")
    Version.objects.filter(pk=character.version_id).update(
        snapshot=snapshot,
        avatar=avatar,
        digest=digest_snapshot(snapshot, avatar),
        belongings=take_belongings(character),
    )


@transaction.atomic
def restore_version(*, actor: User, character_id: uuid.UUID, number: int) -> Character:
    """The character as it was, as a new version: nothing of the history is lost. Raises `VersionNotFound`.

    With the words come the pictures, lorebooks and knowledge it had then, as far as they are still there to give.
    """
    character = find_own(actor, character_id)
    version = Version.objects.filter(character=character, number=number).first()
    if version is None:
        raise VersionNotFound
    keep_version(character, actor=actor)
    for name in FIELDS:
        if name in version.snapshot:
            setattr(character, name, version.snapshot[name])
    character.avatar = version.avatar
    if version.belongings is not None:
        put_back(character, version.belongings, actor=actor)
    character.save()
    keep_version(character, actor=actor, note=f"← {number}")
    Draft.objects.filter(character=character).delete()
    record(actor=actor, verb="restore character", target=character)
    return character


@transaction.atomic
def save_draft(*, actor: User, character_id: uuid.UUID, fields: Snapshot) -> Draft | None:
    """Keep what differs from the character as it stands; None, and no draft, where nothing does."""
    character = find_own(actor, character_id)
    stands = take_snapshot(character)
    changed = {name: value for name, value in fields.items() if name in stands and stands[name] != value}
    if not changed:
        Draft.objects.filter(character=character).delete()
        return None
    draft, _made = Draft.objects.update_or_create(
        character=character, defaults={"fields": changed, "made_by": actor}
    )
    return draft


@transaction.atomic
def discard_draft(*, actor: User, character_id: uuid.UUID) -> None:
    """The character is as it was saved last."""
    Draft.objects.filter(character=find_own(actor, character_id)).delete()


def _set_current(character: Character, version: Version) -> None:
    character.version = version
    # Not `save`: the row's own "changed" is about its words.
    Character.objects.filter(pk=character.pk).update(version=version)
