"""The gallery, a page for each character, and their portraits."""

from django.contrib.auth.decorators import login_required
from django.core.files.storage import default_storage
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.http import require_GET, require_safe

from accounts.api_auth import ApiKeyAuth
from accounts.models import User
from characters.errors import CharacterNotFound
from characters.queries import find_character, find_portrait, list_characters, list_knowledge, list_tags

# A versioned address never changes what it shows; the plain one is asked again after five minutes.
_CACHE_VERSIONED = "private, max-age=31536000, immutable"
_CACHE_PLAIN = "private, max-age=300"


@login_required
@require_GET
def gallery(request: HttpRequest) -> HttpResponse:
    """Everybody to meet; `?query=` and `?tag=` narrow it down, with or without script."""
    assert isinstance(request.user, User)
    query, tag = request.GET.get("query", "").strip()[:100], request.GET.get("tag", "").strip()
    context = {
        "characters": list_characters(user=request.user, query=query, tag=tag),
        "tags": list_tags(user=request.user),
        "query": query,
        "tag": tag,
    }
    return render(request, "characters/gallery.html", context)


@login_required
@require_GET
def detail(request: HttpRequest, slug: str) -> HttpResponse:
    assert isinstance(request.user, User)
    character = find_character(user=request.user, slug=slug)
    context = {
        "character": character,
        "knowledge": list_knowledge(user=request.user, character=character),
    }
    return render(request, "characters/detail.html", context)


@require_safe
def avatar(request: HttpRequest, slug: str) -> HttpResponse:
    """The portrait, for a signed-in person or an API key that may see the character; else 404."""
    user = request.user if isinstance(request.user, User) else ApiKeyAuth()(request)
    if not isinstance(user, User):
        raise CharacterNotFound
    name = find_portrait(user=user, slug=slug)
    # Named after its content (`characters.pictures`).
    etag = quote_etag(name.rpartition("/")[2])
    response = get_conditional_response(request, etag=etag)
    if response is None:
        try:
            with default_storage.open(name) as file:
                response = HttpResponse(file.read(), content_type="image/webp")
        except FileNotFoundError as error:
            raise CharacterNotFound from error
    response["ETag"] = etag
    response["Cache-Control"] = _CACHE_VERSIONED if "v" in request.GET else _CACHE_PLAIN
    response["X-Content-Type-Options"] = "nosniff"
    return response
