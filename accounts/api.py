"""Who the caller is and their API keys, for programs."""

import datetime
import uuid

from django.http import HttpRequest
from ninja import Router, Schema, Status
from ninja.security import SessionAuth
from pydantic import Field

from accounts.api_auth import caller
from accounts.models import ApiKey, User
from accounts.services import create_api_key, revoke_api_key

router = Router(tags=["account"])


class Me(Schema):
    id: uuid.UUID
    email: str
    name: str
    is_staff: bool


class KeyIn(Schema):
    name: str = Field(min_length=1, max_length=120)


class KeyOut(Schema):
    id: uuid.UUID
    name: str
    prefix: str
    created_at: datetime.datetime
    last_used_at: datetime.datetime | None


class NewKeyOut(KeyOut):
    key: str = Field(description="Shown now and never again.")


@router.get("/me", response=Me, summary="Who you are")
def read_me(request: HttpRequest) -> User:
    return caller(request)


@router.get("/keys", response=list[KeyOut], summary="Your working API keys, newest first")
def list_keys(request: HttpRequest) -> list[ApiKey]:
    return list(ApiKey.objects.visible_to(caller(request)).active())


# Only a signed-in person makes keys: a key that leaked must not make another that outlives it.
@router.post(
    "/keys", response={201: NewKeyOut}, auth=SessionAuth(), summary="Make an API key (signed in only)"
)
def post_key(request: HttpRequest, body: KeyIn) -> Status[dict[str, object]]:
    row, key = create_api_key(actor=caller(request), name=body.name)
    return Status(201, {**KeyOut.from_orm(row).dict(), "key": key})


@router.delete("/keys/{key_id}", response={204: None}, summary="Revoke an API key")
def delete_key(request: HttpRequest, key_id: uuid.UUID) -> Status[None]:
    revoke_api_key(actor=caller(request), key_id=key_id)
    return Status(204, None)
