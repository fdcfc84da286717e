"""Collections for programs: what there is, what one may do with it, and who else may."""

import datetime
import uuid

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from accounts.api_auth import caller
from accounts.models import User
from documents import services, sharing
from documents.models import CHAT_KINDS, AccessLevel, Collection, CollectionGrant, CollectionKind

router = Router(tags=["collections"])


class CollectionIn(Schema):
    name: str = Field(min_length=1, max_length=200)


class CollectionOut(Schema):
    """`access` is owner, manage, write or read; `owner` is a name for people."""

    id: uuid.UUID
    name: str
    kind: CollectionKind
    created_at: datetime.datetime
    access: str
    owner: str


class GrantIn(Schema):
    """Either `email`, of a person, or `group`."""

    email: str = ""
    group: int | None = None
    level: AccessLevel


class GrantOut(Schema):
    """One of `email` and `group` is null; `name` is that person's or that group's."""

    id: int
    name: str
    email: str | None
    group: int | None
    level: AccessLevel

    @staticmethod
    def resolve_name(grant: CollectionGrant) -> str:
        return grant.user.display_name if grant.user else str(grant.group)

    @staticmethod
    def resolve_email(grant: CollectionGrant) -> str | None:
        return grant.user.email if grant.user else None

    @staticmethod
    def resolve_group(grant: CollectionGrant) -> int | None:
        return grant.group_id


class GroupOut(Schema):
    id: int
    name: str


class Sharing(Schema):
    grants: list[GrantOut]
    groups: list[GroupOut]


@router.get("/collections", response=list[CollectionOut], summary="The collections you may use")
def list_collections(request: HttpRequest) -> list[dict[str, object]]:
    user = caller(request)
    visible = Collection.objects.visible_to(user).exclude(kind__in=CHAT_KINDS).select_related("owner")
    return _described(user, list(visible.order_by("name", "id")))


@router.post("/collections", response={201: CollectionOut}, summary="Make a collection")
def post_collection(request: HttpRequest, body: CollectionIn) -> Status[dict[str, object]]:
    user = caller(request)
    return Status(201, _described(user, [services.create_collection(actor=user, name=body.name)])[0])


@router.patch("/collections/{collection_id}", response=CollectionOut, summary="Rename a collection")
def rename_collection(
    request: HttpRequest, collection_id: uuid.UUID, body: CollectionIn
) -> dict[str, object]:
    user = caller(request)
    renamed = services.rename_collection(actor=user, collection_id=collection_id, name=body.name)
    return _described(user, [renamed])[0]


@router.delete(
    "/collections/{collection_id}", response={204: None}, summary="Delete a collection and all in it"
)
def delete_collection(request: HttpRequest, collection_id: uuid.UUID) -> Status[None]:
    services.delete_collection(actor=caller(request), collection_id=collection_id)
    return Status(204, None)


@router.get("/collections/{collection_id}/grants", response=Sharing, summary="Who else may use a collection")
def list_grants(request: HttpRequest, collection_id: uuid.UUID) -> dict[str, object]:
    """Also the groups that it may be shared with."""
    actor = caller(request)
    grants = sharing.list_grants(actor=actor, collection_id=collection_id)
    return {"grants": grants, "groups": list(sharing.groups_to_share_with(actor))}


@router.put("/collections/{collection_id}/grants", response=GrantOut, summary="Share a collection")
def put_grant(request: HttpRequest, collection_id: uuid.UUID, body: GrantIn) -> CollectionGrant:
    """Once more for the same person or group changes the level."""
    return sharing.grant_access(
        actor=caller(request),
        collection_id=collection_id,
        level=body.level,
        email=body.email,
        group_id=body.group,
    )


@router.delete(
    "/collections/{collection_id}/grants/{grant_id}", response={204: None}, summary="Stop sharing with one"
)
def delete_grant(request: HttpRequest, collection_id: uuid.UUID, grant_id: int) -> Status[None]:
    sharing.revoke_access(actor=caller(request), collection_id=collection_id, grant_id=grant_id)
    return Status(204, None)


def _described(user: User, collections: list[Collection]) -> list[dict[str, object]]:
    levels = sharing.access_levels(user=user, collections=collections)
    return [
        {
            "id": row.pk,
            "name": row.name,
            "kind": row.kind,
            "created_at": row.created_at,
            "access": levels.get(row.pk, AccessLevel.READ),
            "owner": row.owner.display_name,
        }
        for row in collections
    ]
