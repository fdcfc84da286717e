"""A character's pictures and style description, for the editor and for programs."""

import uuid
from typing import Annotated

from django.http import HttpRequest
from ninja import File, Form, Router, Schema, Status, UploadedFile
from pydantic import Field

from accounts.api_auth import caller
from characters.assets.models import Asset, AssetKind
from characters.assets.queries import list_pictures
from characters.assets.services import (
    MAX_STYLE_LENGTH,
    add_picture,
    crop_portrait,
    remove_asset,
    set_portrait,
    set_style,
)
from characters.pictures import MAX_BYTES, Crop
from characters.queries import find_character

router = Router()


class CropIn(Schema):
    """A square: where it begins in shares of width and height, and its side as a share of the shorter one."""

    x: float = Field(ge=0, le=1)
    y: float = Field(ge=0, le=1)
    side: float = Field(gt=0, le=1)

    def as_crop(self) -> Crop:
        return Crop(self.x, self.y, self.side)


class PortraitOut(Schema):
    avatar_url: str


class PictureOut(Schema):
    id: uuid.UUID
    kind: AssetKind
    name: str
    url: str
    thumbnail_url: str
    width_px: int
    height_px: int
    size_bytes: int


class StyleIn(Schema):
    text: str = Field(max_length=MAX_STYLE_LENGTH)


@router.post("/characters/{slug}/portrait", response=PortraitOut, summary="Give them a portrait")
def post_portrait(
    request: HttpRequest,
    slug: str,
    file: File[UploadedFile],
    x: Annotated[float | None, Form(ge=0, le=1)] = None,
    y: Annotated[float | None, Form(ge=0, le=1)] = None,
    side: Annotated[float | None, Form(gt=0, le=1)] = None,
) -> PortraitOut:
    row = find_character(user=caller(request), slug=slug)
    crop = Crop(x, y, side) if x is not None and y is not None and side is not None else None
    # One byte more than allowed is enough to refuse.
    data = file.read(MAX_BYTES + 1)
    changed = set_portrait(actor=caller(request), character_id=row.pk, data=data, crop=crop)
    return PortraitOut(avatar_url=changed.avatar_url)


@router.put(
    "/characters/{slug}/portrait/crop", response=PortraitOut, summary="Another square of their picture"
)
def put_crop(request: HttpRequest, slug: str, body: CropIn) -> PortraitOut:
    row = find_character(user=caller(request), slug=slug)
    changed = crop_portrait(actor=caller(request), character_id=row.pk, crop=body.as_crop())
    return PortraitOut(avatar_url=changed.avatar_url)


@router.get("/characters/{slug}/pictures", response=list[PictureOut], summary="Expressions and backgrounds")
def get_pictures(request: HttpRequest, slug: str) -> list[Asset]:
    return list_pictures(find_character(user=caller(request), slug=slug))


@router.post(
    "/characters/{slug}/pictures", response={201: PictureOut}, summary="Add one, or put it in place of one"
)
def post_picture(
    request: HttpRequest,
    slug: str,
    file: File[UploadedFile],
    kind: Annotated[AssetKind, Form()],
    name: Annotated[str, Form(min_length=1, max_length=120)],
) -> Status[Asset]:
    row = find_character(user=caller(request), slug=slug)
    data = file.read(MAX_BYTES + 1)
    return Status(
        201, add_picture(actor=caller(request), character_id=row.pk, kind=kind, name=name, data=data)
    )


@router.delete("/pictures/{picture_id}", response={204: None}, summary="Take a picture off its character")
def delete_picture(request: HttpRequest, picture_id: uuid.UUID) -> Status[None]:
    remove_asset(actor=caller(request), asset_id=picture_id)
    return Status(204, None)


@router.put("/characters/{slug}/style", response={204: None}, summary="How they should be drawn, in Markdown")
def put_style(request: HttpRequest, slug: str, body: StyleIn) -> Status[None]:
    row = find_character(user=caller(request), slug=slug)
    set_style(actor=caller(request), character_id=row.pk, text=body.text)
    return Status(204, None)
