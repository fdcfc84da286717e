"""What happens to lorebooks. Every write makes the book's revision grow, by which processes know that it changed."""

import uuid
from typing import TypedDict, Unpack

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Max
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.audit import record
from accounts.models import User
from characters.access import find_own
from characters.cards.card import Book
from characters.errors import LorebookNotFound, LorebookRefused
from characters.lorebooks.models import MAX_ENTRIES, Lorebook, LorebookEntry
from characters.lorebooks.rows import BOOK_FIELDS, entry_rows
from characters.models import Character
from characters.versions.belongings import note_belongings

MAX_KEYS = 200


class LorebookFields(TypedDict, total=False):
    description: str
    scan_depth: int | None
    token_budget: int | None
    is_recursive: bool


class LorebookChanges(LorebookFields, total=False):
    name: str


class EntryChanges(TypedDict, total=False):
    name: str
    keys: list[str]
    secondary_keys: list[str]
    logic: str
    content: str
    is_selective: bool
    uses_regex: bool
    is_case_sensitive: bool
    is_whole_words: bool
    is_constant: bool
    is_enabled: bool
    insertion_order: int
    priority: int | None
    position: str


@transaction.atomic
def create_lorebook(*, actor: User, name: str, **fields: Unpack[LorebookFields]) -> Lorebook:
    """An empty lorebook of the actor's."""
    lorebook = Lorebook(owner=actor, name=name, **fields)
    _check(lorebook)
    lorebook.save()
    record(actor=actor, verb="create lorebook", target=lorebook)
    return lorebook


@transaction.atomic
def import_lorebook(
    *, actor: User, book: Book, character: Character | None = None, name: str = ""
) -> Lorebook:
    """The lorebook of a file, as the actor's; with a character, as the one of its card, which the character uses."""
    values = {field: getattr(book, field) for field in BOOK_FIELDS}
    values["name"] = book.name or name[:200] or (character.name if character else str(_("Lorebook")))
    lorebook = Lorebook(owner=character.owner if character else actor, character=character, **values)
    lorebook.save()
    LorebookEntry.objects.bulk_create(entry_rows(lorebook, book.entries), batch_size=1000)
    record(actor=actor, verb="import lorebook", target=lorebook)
    if character is not None:
        _use(character, lorebook)
    return lorebook


@transaction.atomic
def update_lorebook(*, actor: User, lorebook_id: uuid.UUID, **changes: Unpack[LorebookChanges]) -> Lorebook:
    lorebook = _find(actor, lorebook_id)
    for field, value in changes.items():
        setattr(lorebook, field, value)
    _check(lorebook)
    _grow(lorebook)
    lorebook.save()
    record(actor=actor, verb="change lorebook", target=lorebook)
    return lorebook


@transaction.atomic
def delete_lorebook(*, actor: User, lorebook_id: uuid.UUID) -> None:
    """The lorebook and its entries are gone; characters that had it go on without it."""
    lorebook = _find(actor, lorebook_id)
    record(actor=actor, verb="delete lorebook", target=lorebook)
    lorebook.delete()


@transaction.atomic
def add_entry(*, actor: User, lorebook_id: uuid.UUID, **fields: Unpack[EntryChanges]) -> LorebookEntry:
    """A new entry at the end of the book."""
    lorebook = _find(actor, lorebook_id)
    if lorebook.entries.count() >= MAX_ENTRIES:
        raise LorebookRefused(_("A lorebook has at most %(most)d entries.") % {"most": MAX_ENTRIES})
    last = lorebook.entries.aggregate(last=Max("place_in_book"))["last"]
    entry = LorebookEntry(lorebook=lorebook, place_in_book=0 if last is None else last + 1, **fields)
    return _save_entry(actor, lorebook, entry)


@transaction.atomic
def update_entry(*, actor: User, entry_id: uuid.UUID, **changes: Unpack[EntryChanges]) -> LorebookEntry:
    entry = _find_entry(actor, entry_id)
    for field, value in changes.items():
        setattr(entry, field, value)
    return _save_entry(actor, entry.lorebook, entry)


@transaction.atomic
def delete_entry(*, actor: User, entry_id: uuid.UUID) -> None:
    entry = _find_entry(actor, entry_id)
    entry.delete()
    _grow(entry.lorebook)
    entry.lorebook.save(update_fields=["revision", "updated_at"])
    record(actor=actor, verb="change lorebook", target=entry.lorebook)


@transaction.atomic
def give_lorebook(*, actor: User, lorebook_id: uuid.UUID, character_id: uuid.UUID) -> Character:
    """The character uses this lorebook of the actor's from now on, beside those it has."""
    character = find_own(actor, character_id)
    lorebook = _find(actor, lorebook_id)
    _use(character, lorebook)
    record(actor=actor, verb="give lorebook", target=character)
    return character


@transaction.atomic
def take_lorebook(*, actor: User, lorebook_id: uuid.UUID, character_id: uuid.UUID) -> Character:
    """The character no longer uses the lorebook, which stays."""
    character = find_own(actor, character_id)
    character.lorebooks.remove(*character.lorebooks.filter(pk=lorebook_id))
    character.has_lore = character.lorebooks.exists()
    character.save(update_fields=["has_lore", "updated_at"])
    note_belongings(character)
    record(actor=actor, verb="take lorebook", target=character)
    return character


def copy_lorebooks(source: Character, copy: Character, *, actor: User) -> None:
    """Give a copied character what the original knows: a copy of its own book, and the shared ones it uses."""
    for lorebook in source.lorebooks.all():
        if lorebook.character_id == source.pk:
            entries = list(lorebook.entries.all())
            twin = Lorebook(
                owner=copy.owner, character=copy, **{field: getattr(lorebook, field) for field in BOOK_FIELDS}
            )
            twin.save()
            for entry in entries:
                entry.pk, entry.lorebook = None, twin
                entry.id = LorebookEntry._meta.pk.get_default()
            LorebookEntry.objects.bulk_create(entries, batch_size=1000)
            _use(copy, twin)
        elif lorebook.owner_id == actor.pk:
            _use(copy, lorebook)


def _use(character: Character, lorebook: Lorebook) -> None:
    if not character.has_lore:
        character.has_lore = True
        character.save(update_fields=["has_lore", "updated_at"])
    character.lorebooks.add(lorebook)
    note_belongings(character)


def _find(actor: User, lorebook_id: uuid.UUID) -> Lorebook:
    found = Lorebook.objects.visible_to(actor).select_for_update(of=("self",)).filter(pk=lorebook_id).first()
    if found is None:
        raise LorebookNotFound
    return found


def _find_entry(actor: User, entry_id: uuid.UUID) -> LorebookEntry:
    entry = LorebookEntry.objects.filter(pk=entry_id).first()
    if entry is None:
        raise LorebookNotFound(_("There is no such entry, or it is not yours."))
    entry.lorebook = _find(actor, entry.lorebook_id)
    return entry


def _save_entry(actor: User, lorebook: Lorebook, entry: LorebookEntry) -> LorebookEntry:
    entry.keys = _tidy_keys(entry.keys)
    entry.secondary_keys = _tidy_keys(entry.secondary_keys)
    if not entry.name and not entry.keys and not entry.content and not entry.is_constant:
        raise LorebookRefused(_("Give the entry a key and something to tell."))
    _check(entry)
    entry.save()
    _grow(lorebook)
    lorebook.save(update_fields=["revision", "updated_at"])
    record(actor=actor, verb="change lorebook", target=lorebook)
    return entry


def _tidy_keys(keys: list[str]) -> list[str]:
    tidy = list(dict.fromkeys(key.strip() for key in keys if key.strip()))
    if len(tidy) > MAX_KEYS:
        raise LorebookRefused(_("An entry has at most %(most)d keys.") % {"most": MAX_KEYS})
    return tidy


def _grow(lorebook: Lorebook) -> None:
    lorebook.revision = F("revision") + 1
    lorebook.updated_at = timezone.now()


def _check(row: Lorebook | LorebookEntry) -> None:
    try:
        row.full_clean(exclude=["revision", "lorebook"])
    except ValidationError as error:
        field, problems = next(iter(error.message_dict.items()))
        raise LorebookRefused(f"{field}: {problems[0]}") from error
