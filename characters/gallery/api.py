"""Favourites, copies and audiences, for the pages and for programs."""

from django.contrib.auth.models import Group
from django.http import HttpRequest
from ninja import Router, Schema, Status

from accounts.api_auth import caller
from characters.gallery.services import copy_character, set_favourite
from characters.models import Character, Visibility
from characters.publishing import share_character
from characters.queries import find_character

router = Router()


class AudienceIn(Schema):
    visibility: Visibility
    # Names; only of use with visibility `group`.
    groups: list[str] = []


class AudienceOut(Schema):
    visibility: Visibility
    groups: list[str]
    is_shown: bool
    waits_for_review: bool
    hidden_reason: str


class CopyOut(Schema):
    slug: str
    name: str
    remix_credit: str


@router.put("/characters/{slug}/favourite", response={204: None}, summary="Keep them among your favourites")
def put_favourite(request: HttpRequest, slug: str) -> Status[None]:
    set_favourite(actor=caller(request), slug=slug, is_favourite=True)
    return Status(204, None)


@router.delete("/characters/{slug}/favourite", response={204: None}, summary="No favourite any more")
def delete_favourite(request: HttpRequest, slug: str) -> Status[None]:
    set_favourite(actor=caller(request), slug=slug, is_favourite=False)
    return Status(204, None)


@router.post("/characters/{slug}/copy", response={201: CopyOut}, summary="A copy of your own, with credit")
def post_copy(request: HttpRequest, slug: str) -> Status[Character]:
    row = find_character(user=caller(request), slug=slug)
    return Status(201, copy_character(actor=caller(request), character_id=row.pk))


@router.put("/characters/{slug}/audience", response=AudienceOut, summary="Who meets a character of yours")
def put_audience(request: HttpRequest, slug: str, body: AudienceIn) -> AudienceOut:
    row = find_character(user=caller(request), slug=slug)
    changed = share_character(
        actor=caller(request),
        character_id=row.pk,
        visibility=body.visibility,
        groups=list(Group.objects.filter(name__in=body.groups)),
    )
    return describe_audience(changed)


def describe_audience(character: Character) -> AudienceOut:
    """Who meets the character, as its owner may know it."""
    is_group = character.visibility == Visibility.GROUP
    return AudienceOut(
        visibility=Visibility(character.visibility) if character.is_published else Visibility.PRIVATE,
        groups=[group.name for group in character.shown_to.all()] if is_group else [],
        is_shown=character.is_shown,
        waits_for_review=character.review_requested_at is not None,
        hidden_reason=character.hidden_reason,
    )
