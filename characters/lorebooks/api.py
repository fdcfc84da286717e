"""Lorebooks over REST: keep them, share them between characters, bring them in and out as files."""

import uuid
from typing import Literal

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import File, Router, Schema, Status, UploadedFile
from pydantic import Field

from accounts.api_auth import caller
from characters.cards import MAX_BYTES, read_book, write_book, write_json
from characters.lorebooks.models import Lorebook, LorebookEntry
from characters.lorebooks.queries import find_lorebook, list_lorebooks
from characters.lorebooks.rows import book_of
from characters.lorebooks.services import (
    add_entry,
    create_lorebook,
    delete_entry,
    delete_lorebook,
    give_lorebook,
    import_lorebook,
    take_lorebook,
    update_entry,
    update_lorebook,
)
from characters.queries import find_character

router = Router(tags=["lorebooks"])
_MOST = 2**31 - 1


class EntryOut(Schema):
    id: uuid.UUID
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


class EntryIn(Schema):
    """What is left out stays, or has its default in a new entry."""

    name: str | None = Field(None, max_length=500)
    keys: list[str] | None = None
    secondary_keys: list[str] | None = None
    logic: Literal["any", "all", "none", "not_all"] | None = None
    content: str | None = Field(None, max_length=100_000)
    is_selective: bool | None = None
    uses_regex: bool | None = None
    is_case_sensitive: bool | None = None
    is_whole_words: bool | None = None
    is_constant: bool | None = None
    is_enabled: bool | None = None
    insertion_order: int | None = Field(None, ge=-_MOST, le=_MOST)
    priority: int | None = Field(None, ge=-_MOST, le=_MOST)
    position: Literal["before_char", "after_char"] | None = None


class LorebookIn(Schema):
    name: str | None = Field(None, min_length=1, max_length=200)
    description: str | None = Field(None, max_length=8_000)
    scan_depth: int | None = Field(None, ge=0, le=_MOST)
    token_budget: int | None = Field(None, ge=1, le=_MOST)
    is_recursive: bool | None = None


class NewLorebook(LorebookIn):
    name: str = Field(min_length=1, max_length=200)


class LorebookOut(Schema):
    """`character` is the one in whose card it came."""

    id: uuid.UUID
    name: str
    description: str
    scan_depth: int | None
    token_budget: int | None
    is_recursive: bool
    entry_count: int
    character_count: int


class LorebookWhole(LorebookOut):
    entries: list[EntryOut]
    characters: list[str]

    @staticmethod
    def resolve_entries(row: Lorebook) -> QuerySet[LorebookEntry]:
        return row.entries.defer("source")

    @staticmethod
    def resolve_characters(row: Lorebook) -> list[str]:
        return list(row.characters.values_list("slug", flat=True))


@router.get("/lorebooks", response=list[LorebookOut], summary="Your lorebooks")
def get_lorebooks(request: HttpRequest) -> QuerySet[Lorebook]:
    return list_lorebooks(user=caller(request))


@router.post("/lorebooks", response={201: LorebookWhole}, summary="An empty lorebook")
def post_lorebook(request: HttpRequest, body: NewLorebook) -> Status[Lorebook]:
    row = create_lorebook(actor=caller(request), **body.dict(exclude_none=True))
    return Status(201, find_lorebook(user=caller(request), lorebook_id=row.pk))


@router.post("/lorebooks/import", response={201: LorebookWhole}, summary="A lorebook from a file")
def post_import(request: HttpRequest, file: File[UploadedFile]) -> Status[Lorebook]:
    """JSON of Character Card V3 or of SillyTavern's world info, or a card that has a lorebook."""
    book = read_book(file.read(MAX_BYTES + 1))
    row = import_lorebook(actor=caller(request), book=book, name=(file.name or "").rpartition(".")[0])
    return Status(201, find_lorebook(user=caller(request), lorebook_id=row.pk))


@router.get("/lorebooks/{lorebook_id}", response=LorebookWhole, summary="A lorebook with its entries")
def get_lorebook(request: HttpRequest, lorebook_id: uuid.UUID) -> Lorebook:
    return find_lorebook(user=caller(request), lorebook_id=lorebook_id)


@router.patch("/lorebooks/{lorebook_id}", response=LorebookWhole, summary="Change a lorebook")
def patch_lorebook(request: HttpRequest, lorebook_id: uuid.UUID, body: LorebookIn) -> Lorebook:
    changes = body.dict(exclude_unset=True)
    update_lorebook(actor=caller(request), lorebook_id=lorebook_id, **changes)
    return find_lorebook(user=caller(request), lorebook_id=lorebook_id)


@router.delete("/lorebooks/{lorebook_id}", response={204: None}, summary="Delete a lorebook")
def remove_lorebook(request: HttpRequest, lorebook_id: uuid.UUID) -> Status[None]:
    delete_lorebook(actor=caller(request), lorebook_id=lorebook_id)
    return Status(204, None)


@router.get("/lorebooks/{lorebook_id}/file.json", summary="A lorebook as a file of V3")
def get_file(request: HttpRequest, lorebook_id: uuid.UUID) -> HttpResponse:
    row = find_lorebook(user=caller(request), lorebook_id=lorebook_id)
    body = write_json({"spec": "lorebook_v3", "data": write_book(book_of(row))})
    response = HttpResponse(body, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="lorebook-{row.pk}.json"'
    response["Cache-Control"] = "private, no-store"
    return response


@router.post("/lorebooks/{lorebook_id}/entries", response={201: EntryOut}, summary="A new entry")
def post_entry(request: HttpRequest, lorebook_id: uuid.UUID, body: EntryIn) -> Status[LorebookEntry]:
    fields = body.dict(exclude_none=True)
    return Status(201, add_entry(actor=caller(request), lorebook_id=lorebook_id, **fields))


@router.patch("/lorebook-entries/{entry_id}", response=EntryOut, summary="Change an entry")
def patch_entry(request: HttpRequest, entry_id: uuid.UUID, body: EntryIn) -> LorebookEntry:
    changes = body.dict(exclude_unset=True)
    cleared = {name: value for name, value in changes.items() if value is not None or name == "priority"}
    return update_entry(actor=caller(request), entry_id=entry_id, **cleared)


@router.delete("/lorebook-entries/{entry_id}", response={204: None}, summary="Delete an entry")
def remove_entry(request: HttpRequest, entry_id: uuid.UUID) -> Status[None]:
    delete_entry(actor=caller(request), entry_id=entry_id)
    return Status(204, None)


@router.put(
    "/characters/{slug}/lorebooks/{lorebook_id}", response={204: None}, summary="Give a character a lorebook"
)
def put_lorebook(request: HttpRequest, slug: str, lorebook_id: uuid.UUID) -> Status[None]:
    row = find_character(user=caller(request), slug=slug)
    give_lorebook(actor=caller(request), lorebook_id=lorebook_id, character_id=row.pk)
    return Status(204, None)


@router.delete(
    "/characters/{slug}/lorebooks/{lorebook_id}", response={204: None}, summary="Take it away again"
)
def remove_from_character(request: HttpRequest, slug: str, lorebook_id: uuid.UUID) -> Status[None]:
    row = find_character(user=caller(request), slug=slug)
    take_lorebook(actor=caller(request), lorebook_id=lorebook_id, character_id=row.pk)
    return Status(204, None)
