"""What a version keeps of a character, and a character as a version has it. Pure.

Left out on purpose: the model, because which models an estate serves is not the character's to remember; collections
and lorebooks, which have rows and a life of their own (`characters.versions.belongings`); and everything about
audience.
"""

import copy
import hashlib
import json

from characters.models import Character, Version

FIELDS = (
    "name",
    "nickname",
    "tagline",
    "description",
    "tags",
    "definition",
    "personality",
    "scenario",
    "system_prompt",
    "post_history_instructions",
    "example_dialogue",
    "greeting",
    "alternate_greetings",
    "group_greetings",
    "suggestions",
    "creator",
    "creator_notes",
    "character_version",
    "temperature",
    "max_tokens",
    "sampling",
    "is_grounded",
)
Snapshot = dict[str, object]


def take_snapshot(character: Character) -> Snapshot:
    """The character's words and settings as they stand on the row."""
    return {name: getattr(character, name) for name in FIELDS}


def digest_snapshot(snapshot: Snapshot, avatar: str) -> str:
    """SHA-256 of a snapshot and its portrait's name."""
    text = json.dumps([snapshot, avatar], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def at_version(character: Character, version: Version | None) -> Character:
    """The character as the version has it; the character itself where that is the one it has now, or none is kept.

    The answer is for reading: it shares the row's id, and must not be saved.
    """
    if version is None or version.pk == character.version_id:
        return character
    older = copy.copy(character)
    for name in FIELDS:
        if name in version.snapshot:
            setattr(older, name, version.snapshot[name])
    older.avatar = version.avatar
    return older


def with_fields(character: Character, fields: Snapshot) -> Character:
    """The character with what somebody has typed but not saved, for a preview; must not be saved."""
    draft = copy.copy(character)
    for name, value in fields.items():
        if name in FIELDS:
            setattr(draft, name, value)
    return draft


def list_differences(older: Snapshot, newer: Snapshot) -> list[str]:
    """The names of the fields in which two snapshots differ, in the order of FIELDS."""
    return [name for name in FIELDS if older.get(name) != newer.get(name)]
