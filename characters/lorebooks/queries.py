"""Reads over lorebooks. Compiled books are kept by the process for as long as their revision stands."""

import threading
import uuid
from collections import OrderedDict
from collections.abc import Sequence

from django.db.models import Count, Q, QuerySet

from accounts.models import User
from characters.errors import LorebookNotFound
from characters.lorebooks.compiled import CompiledBook, compile_book
from characters.lorebooks.models import Lorebook
from characters.lorebooks.rows import book_of
from characters.lorebooks.scan import Scan, Scene, scan_books
from characters.models import Character
from inference.tokens import estimate_tokens

# A book of 5,000 entries takes some 10 MB.
_KEEP_BOOKS = 64
_kept: OrderedDict[tuple[uuid.UUID, int], CompiledBook] = OrderedDict()
_lock = threading.Lock()


def list_lorebooks(*, user: User) -> QuerySet[Lorebook]:
    """The user's lorebooks with how many entries and characters each has (`entry_count`, `character_count`)."""
    return Lorebook.objects.visible_to(user).annotate(
        entry_count=Count("entries", distinct=True),
        character_count=Count("characters", filter=Q(characters__isnull=False), distinct=True),
    )


def find_lorebook(*, user: User, lorebook_id: uuid.UUID) -> Lorebook:
    """Raises LorebookNotFound for one that is absent or another's."""
    found = list_lorebooks(user=user).filter(pk=lorebook_id).first()
    if found is None:
        raise LorebookNotFound
    return found


def try_lorebook(lorebook: Lorebook, messages: Sequence[str]) -> Scan:
    """What a chat with these messages would bring up of this book, and what that would cost."""
    scene = Scene(messages=messages, answers=len(messages) // 2, seed=str(lorebook.pk))
    return scan_books([_compiled(lorebook.pk, lorebook.revision)], scene, estimate_tokens)


def compiled_books(character: Character) -> list[CompiledBook]:
    """The character's lorebooks ready to scan, its own first. One query, and one more for each that has changed."""
    rows = character.lorebooks.order_by("character_id", "pk").values_list("pk", "revision")
    return [_compiled(pk, revision) for pk, revision in rows]


def _compiled(pk: uuid.UUID, revision: int) -> CompiledBook:
    with _lock:
        kept = _kept.get((pk, revision))
        if kept is not None:
            _kept.move_to_end((pk, revision))
            return kept
    book = compile_book(book_of(Lorebook.objects.get(pk=pk)), book_id=str(pk))
    with _lock:
        for key in [key for key in _kept if key[0] == pk]:
            del _kept[key]
        _kept[pk, revision] = book
        while len(_kept) > _KEEP_BOOKS:
            _kept.popitem(last=False)
    return book
