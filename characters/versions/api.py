"""History and drafts, for the editor and for programs."""

import json
from datetime import datetime

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field, field_validator

from accounts.api_auth import caller
from characters.queries import find_character
from characters.versions.queries import HistoryEntry, find_version, read_history
from characters.versions.services import MAX_DRAFT_LENGTH, discard_draft, restore_version, save_draft
from characters.versions.snapshot import FIELDS

router = Router()


class VersionOut(Schema):
    number: int
    created_at: datetime
    made_by: str | None
    note: str
    changed: list[str]
    has_new_portrait: bool
    is_current: bool

    @classmethod
    def of(cls, entry: HistoryEntry) -> "VersionOut":
        version = entry.version
        return cls(
            number=version.number,
            created_at=version.created_at,
            made_by=version.made_by.display_name if version.made_by else None,
            note=version.note,
            changed=entry.changed,
            has_new_portrait=entry.has_new_portrait,
            is_current=entry.is_current,
        )


class SnapshotOut(Schema):
    number: int
    fields: dict[str, object]


class DraftIn(Schema):
    fields: dict[str, object] = Field(default_factory=dict)

    @field_validator("fields")
    @classmethod
    def check_fields(cls, fields: dict[str, object]) -> dict[str, object]:
        unknown = set(fields) - set(FIELDS)
        if unknown:
            raise ValueError(f"A draft has no {', '.join(sorted(unknown))}.")
        if len(json.dumps(fields)) > MAX_DRAFT_LENGTH:
            raise ValueError("A draft has at most a million characters.")
        return fields


class DraftOut(Schema):
    """The names of the fields that differ from the character as it stands; empty when none does."""

    changed: list[str]


@router.get(
    "/characters/{slug}/versions", response=list[VersionOut], summary="What they were, the newest first"
)
def get_versions(request: HttpRequest, slug: str) -> list[VersionOut]:
    row = find_character(user=caller(request), slug=slug)
    return [VersionOut.of(entry) for entry in read_history(user=caller(request), character=row)]


@router.get("/characters/{slug}/versions/{number}", response=SnapshotOut, summary="One of them, whole")
def get_version(request: HttpRequest, slug: str, number: int) -> SnapshotOut:
    row = find_character(user=caller(request), slug=slug)
    version = find_version(user=caller(request), character=row, number=number)
    return SnapshotOut(number=version.number, fields=version.snapshot)


@router.post(
    "/characters/{slug}/versions/{number}/restore", response={204: None}, summary="As they were then"
)
def post_restore(request: HttpRequest, slug: str, number: int) -> Status[None]:
    row = find_character(user=caller(request), slug=slug)
    restore_version(actor=caller(request), character_id=row.pk, number=number)
    return Status(204, None)


@router.put("/characters/{slug}/draft", response=DraftOut, summary="Keep what is typed and not saved")
def put_draft(request: HttpRequest, slug: str, body: DraftIn) -> DraftOut:
    row = find_character(user=caller(request), slug=slug)
    draft = save_draft(actor=caller(request), character_id=row.pk, fields=body.fields)
    return DraftOut(changed=sorted(draft.fields) if draft else [])


@router.delete("/characters/{slug}/draft", response={204: None}, summary="As it was saved last")
def delete_draft(request: HttpRequest, slug: str) -> Status[None]:
    row = find_character(user=caller(request), slug=slug)
    discard_draft(actor=caller(request), character_id=row.pk)
    return Status(204, None)
