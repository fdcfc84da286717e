"""A character's pictures and its style description, for those who may see the character.

Nothing in Blob is public, and nobody gets an address into it: this view asks who wants what each time, and lets the
person's own browser keep the answer, which for an address with a digest never changes.
"""

import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import quote_etag
from django.views.decorators.http import require_safe

from accounts.api_auth import ApiKeyAuth
from accounts.models import User
from characters.assets.queries import find_asset, find_portrait
from characters.errors import AssetNotFound, CharacterNotFound
from characters.pictures import read_file, read_small

# A versioned address never changes what it shows; the plain one is asked again after five minutes.
_CACHE_VERSIONED = "private, max-age=31536000, immutable"
_CACHE_PLAIN = "private, max-age=300"
_TYPES = {"webp": "image/webp", "md": "text/markdown; charset=utf-8"}


@require_safe
def avatar(request: HttpRequest, slug: str) -> HttpResponse:
    """The square portrait, for a signed-in person or an API key that may see the character; else 404."""
    user = _who_asks(request)
    if user is None:
        raise CharacterNotFound
    found = find_portrait(user=user, slug=slug, digest=request.GET.get("v", ""))
    try:
        return serve_picture(request, found.name, is_exact=found.is_exact)
    except FileNotFoundError as error:
        raise CharacterNotFound from error


@require_safe
def asset(request: HttpRequest, asset_id: uuid.UUID) -> HttpResponse:
    """A picture or a style description, for a signed-in person or an API key that may see the character; else 404."""
    user = _who_asks(request)
    if user is None:
        raise AssetNotFound
    found = find_asset(user=user, asset_id=asset_id)
    try:
        return serve_picture(
            request,
            str(found.file.name),
            is_exact=bool(found.digest) and request.GET.get("v") == found.digest,
        )
    except FileNotFoundError as error:
        raise AssetNotFound from error


def _who_asks(request: HttpRequest) -> User | None:
    user = request.user if isinstance(request.user, User) else ApiKeyAuth()(request)
    return user if isinstance(user, User) else None


def serve_picture(request: HttpRequest, name: str, *, is_exact: bool) -> HttpResponse:
    """The stored file, or 304 for who has it. Raises `FileNotFoundError`."""
    extension = name.rpartition(".")[2]
    is_small = request.GET.get("size") == "small" and extension == "webp"
    read: Callable[[str], bytes] = read_small if is_small else read_file
    # Named after its content (`characters.pictures`).
    etag = quote_etag(f"{name.rpartition('/')[2]}{'-small' if is_small else ''}")
    response = get_conditional_response(request, etag=etag)
    if response is None:
        response = HttpResponse(read(name), content_type=_TYPES.get(extension, "application/octet-stream"))
    response["ETag"] = etag
    response["Cache-Control"] = _CACHE_VERSIONED if is_exact else _CACHE_PLAIN
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    patch_vary_headers(response, ["Cookie", "Authorization"])
    return response
