"""Personas over REST: who one is in a chat."""

import uuid

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import File, Router, Schema, Status, UploadedFile
from pydantic import Field

from accounts.api_auth import caller
from characters.personas.models import Persona
from characters.personas.services import (
    create_persona,
    delete_persona,
    set_persona_portrait,
    update_persona,
)
from characters.pictures import MAX_BYTES

router = Router(tags=["personas"])


class PersonaOut(Schema):
    id: uuid.UUID
    name: str
    description: str
    avatar_url: str
    is_default: bool


class PersonaPatch(Schema):
    """What is left out stays as it is."""

    name: str | None = Field(None, min_length=1, max_length=120)
    description: str | None = Field(None, max_length=8_000)
    is_default: bool | None = None


class PersonaIn(PersonaPatch):
    name: str = Field(min_length=1, max_length=120)


@router.get("/personas", response=list[PersonaOut], summary="Your personas")
def get_personas(request: HttpRequest) -> QuerySet[Persona]:
    return Persona.objects.visible_to(caller(request))


@router.post("/personas", response={201: PersonaOut}, summary="A new persona; your first is the default")
def post_persona(request: HttpRequest, body: PersonaIn) -> Status[Persona]:
    return Status(201, create_persona(actor=caller(request), **body.dict(exclude_none=True)))


@router.patch("/personas/{persona_id}", response=PersonaOut, summary="Change a persona")
def patch_persona(request: HttpRequest, persona_id: uuid.UUID, body: PersonaPatch) -> Persona:
    return update_persona(actor=caller(request), persona_id=persona_id, **body.dict(exclude_none=True))


@router.post("/personas/{persona_id}/portrait", response=PersonaOut, summary="Give a persona a portrait")
def post_persona_portrait(request: HttpRequest, persona_id: uuid.UUID, file: File[UploadedFile]) -> Persona:
    data = file.read(MAX_BYTES + 1)
    return set_persona_portrait(actor=caller(request), persona_id=persona_id, data=data)


@router.delete("/personas/{persona_id}", response={204: None}, summary="Delete a persona")
def remove_persona(request: HttpRequest, persona_id: uuid.UUID) -> Status[None]:
    delete_persona(actor=caller(request), persona_id=persona_id)
    return Status(204, None)
