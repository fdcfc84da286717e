"""Characters for programs: meet those one may see, keep one's own."""

import uuid
from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from accounts.api_auth import caller
from characters.assets.api import router as assets_router
from characters.gallery.api import router as gallery_router
from characters.models import MAX_CARD_TEXT_LENGTH, MAX_SUGGESTIONS, MAX_TAGS, MAX_WORDS_LENGTH, Character
from characters.publishing import publish_character, unpublish_character
from characters.queries import find_character, list_characters
from characters.services import (
    create_character,
    delete_character,
    update_character,
)
from characters.versions.api import router as versions_router

MAX_GREETINGS = 200
router = Router(tags=["characters"])
for part in (assets_router, gallery_router, versions_router):
    router.add_router("", part)
# Some 300 kB of JSON.
MOST_AT_ONCE = 200


class CharacterOut(Schema):
    id: uuid.UUID
    slug: str
    name: str
    tagline: str
    description: str
    greeting: str
    suggestions: list[str]
    tags: list[str]
    avatar_url: str | None
    model: str | None
    is_grounded: bool
    is_published: bool

    @staticmethod
    def resolve_avatar_url(row: Character) -> str | None:
        return row.avatar_url or None

    @staticmethod
    def resolve_model(row: Character) -> str | None:
        return row.model.name if row.model else None


class CharacterPatch(Schema):
    """What is left out stays as it is."""

    name: str | None = Field(None, min_length=1, max_length=120)
    tagline: str | None = Field(None, max_length=200)
    description: str | None = Field(None, max_length=MAX_WORDS_LENGTH)
    system_prompt: str | None = Field(None, max_length=MAX_CARD_TEXT_LENGTH)
    definition: str | None = Field(None, max_length=MAX_CARD_TEXT_LENGTH)
    personality: str | None = Field(None, max_length=MAX_CARD_TEXT_LENGTH)
    scenario: str | None = Field(None, max_length=MAX_CARD_TEXT_LENGTH)
    example_dialogue: str | None = Field(None, max_length=MAX_CARD_TEXT_LENGTH)
    post_history_instructions: str | None = Field(None, max_length=MAX_CARD_TEXT_LENGTH)
    greeting: str | None = Field(None, max_length=MAX_CARD_TEXT_LENGTH)
    alternate_greetings: list[str] | None = Field(None, max_length=MAX_GREETINGS)
    group_greetings: list[str] | None = Field(None, max_length=MAX_GREETINGS)
    nickname: str | None = Field(None, max_length=120)
    creator: str | None = Field(None, max_length=200)
    creator_notes: str | None = Field(None, max_length=MAX_CARD_TEXT_LENGTH)
    character_version: str | None = Field(None, max_length=100)
    suggestions: list[str] | None = Field(None, max_length=MAX_SUGGESTIONS)
    tags: list[str] | None = Field(None, max_length=MAX_TAGS)
    is_grounded: bool | None = None
    temperature: float | None = Field(None, ge=0, le=2)
    max_tokens: int | None = Field(None, ge=1)
    sampling: dict[str, object] | None = Field(
        None, description="top_p, top_k, min_p, seed, stop and the like"
    )


class CharacterIn(CharacterPatch):
    name: str = Field(min_length=1, max_length=120)


@router.get("/characters", response=list[CharacterOut], summary="The characters you may meet")
def get_characters(
    request: HttpRequest,
    query: str = "",
    tag: str = "",
    limit: Annotated[int, Query(ge=1, le=MOST_AT_ONCE)] = MOST_AT_ONCE,
    offset: Annotated[int, Query(ge=0, le=100_000)] = 0,
) -> list[Character]:
    return list(list_characters(user=caller(request), query=query, tag=tag)[offset : offset + limit])


@router.get("/characters/{slug}", response=CharacterOut, summary="One of them")
def get_character(request: HttpRequest, slug: str) -> Character:
    return find_character(user=caller(request), slug=slug)


@router.post("/characters", response={201: CharacterOut}, summary="A new character, seen by you only")
def post_character(request: HttpRequest, body: CharacterIn) -> Status[Character]:
    fields = body.dict(exclude_unset=True)
    return Status(201, create_character(actor=caller(request), **fields))


@router.patch("/characters/{slug}", response=CharacterOut, summary="Change a character of yours")
def patch_character(request: HttpRequest, slug: str, body: CharacterPatch) -> Character:
    row = find_character(user=caller(request), slug=slug)
    return update_character(actor=caller(request), character_id=row.pk, **body.dict(exclude_unset=True))


@router.post("/characters/{slug}/publish", response=CharacterOut, summary="Show a character to everyone")
def post_publish(request: HttpRequest, slug: str) -> Character:
    row = find_character(user=caller(request), slug=slug)
    return publish_character(actor=caller(request), character_id=row.pk)


@router.post(
    "/characters/{slug}/unpublish", response=CharacterOut, summary="Show a character to its owner only"
)
def post_unpublish(request: HttpRequest, slug: str) -> Character:
    row = find_character(user=caller(request), slug=slug)
    return unpublish_character(actor=caller(request), character_id=row.pk)


@router.delete("/characters/{slug}", response={204: None}, summary="Remove a character of yours")
def remove_character(request: HttpRequest, slug: str) -> Status[None]:
    row = find_character(user=caller(request), slug=slug)
    delete_character(actor=caller(request), character_id=row.pk)
    return Status(204, None)
