"""What a character has beside its words: pictures, style, lorebooks, knowledge; as a version remembers it.

A running chat of an older version has these as they are now. They are remembered for the one who brings a version
back: each version knows them as they stood when it was the current one for the last time.
"""

from typing import TypedDict

from django.db.models import Q

from accounts.models import User
from characters.models import Asset, Character, Lorebook, Version
from documents.models import Collection


class File(TypedDict):
    """One of the character's files; its name in storage is made of its content."""

    kind: str
    name: str
    file: str
    size_bytes: int
    width_px: int
    height_px: int


class Belongings(TypedDict):
    """As it stands in a version's row."""

    files: list[File]
    lorebooks: list[str]
    collections: list[str]


def take_belongings(character: Character) -> Belongings:
    """What the character has now."""
    return Belongings(
        files=[
            File(
                kind=row.kind,
                name=row.name,
                file=str(row.file.name),
                size_bytes=row.size_bytes,
                width_px=row.width_px,
                height_px=row.height_px,
            )
            for row in character.assets.all()
        ],
        lorebooks=sorted(str(pk) for pk in character.lorebooks.values_list("pk", flat=True)),
        collections=sorted(str(pk) for pk in character.collections.values_list("pk", flat=True)),
    )


def note_belongings(character: Character) -> None:
    """Let the current version remember what the character has now. Call it after each change to that."""
    if character.version_id is not None:
        Version.objects.filter(pk=character.version_id).update(belongings=take_belongings(character))


def put_back(character: Character, belongings: Belongings, *, actor: User) -> None:
    """Give the character these again: all files, and of books and collections what is still there and the actor's to
    give. Collections of others stay as they are. The character's own row is not saved here."""
    wanted = {(file["kind"], file["name"]): file for file in belongings["files"]}
    for row in character.assets.all():
        if (row.kind, row.name) not in wanted:
            row.delete()
    for (kind, name), file in wanted.items():
        rest = {key: file[key] for key in ("file", "size_bytes", "width_px", "height_px")}
        Asset.objects.update_or_create(character=character, kind=kind, name=name, defaults=rest)
    mine = Q(owner=actor) | Q(characters=character)
    character.lorebooks.set(Lorebook.objects.filter(mine, pk__in=belongings["lorebooks"]).distinct())
    character.has_lore = bool(belongings["lorebooks"]) and character.lorebooks.exists()
    managed = Collection.objects.manageable_by(actor)
    others = character.collections.exclude(pk__in=managed)
    character.collections.set([*managed.filter(pk__in=belongings["collections"]), *others])
