"""The gallery and a page for each character."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from accounts.errors import ParlourError
from accounts.models import User
from characters.access import may_change
from characters.assets.queries import list_pictures, read_style
from characters.cards.downloads import CardKind, download_card
from characters.cards.reading import read_card_file
from characters.cards.services import import_card
from characters.errors import CardRefused
from characters.gallery.queries import Scope, Sort, Wish, list_gallery, list_tags
from characters.gallery.services import copy_character, may_copy, set_favourite
from characters.models import Character, Favourite, Visibility
from characters.queries import find_character, find_original, list_knowledge

# A page that waits for more than this is one whose browser gives up; a ZIP goes through the administration.
MOST_CARDS = 20


@login_required
@require_GET
def gallery(request: HttpRequest) -> HttpResponse:
    """Everybody to meet; the address says what is looked for, with or without script."""
    assert isinstance(request.user, User)
    wish = read_wish(request)
    page = list_gallery(user=request.user, wish=wish)
    context = {
        "characters": page.characters,
        "next_page": page.next_page,
        "tags": list_tags(user=request.user, scope=wish.scope),
        "wish": wish,
        "query": wish.query,
        "tag": wish.tag,
        "scopes": Scope,
        "sorts": Sort,
    }
    return render(request, "characters/gallery.html", context)


def read_wish(request: HttpRequest) -> Wish:
    """What the address asks for; what it does not know is left out."""
    asked = request.GET
    page = asked.get("page", "")
    return Wish(
        query=asked.get("query", "").strip()[:100],
        tag=asked.get("tag", "").strip()[:40],
        scope=Scope(asked["scope"]) if asked.get("scope") in Scope.values else Scope.ALL,
        sort=Sort(asked["sort"]) if asked.get("sort") in Sort.values else Sort.FEATURED,
        page=int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 1,
    )


@login_required
@require_GET
def detail(request: HttpRequest, slug: str) -> HttpResponse:
    assert isinstance(request.user, User)
    character = find_character(user=request.user, slug=slug)
    context = {
        "character": character,
        "knowledge": list_knowledge(user=request.user, character=character),
        "pictures": list_pictures(character),
        "style": read_style(character),
        "is_favourite": Favourite.objects.filter(user=request.user, character=character).exists(),
        "may_change": may_change(request.user, character),
        "may_copy": may_copy(request.user, character),
        "is_own": character.owner_id == request.user.pk,
        "greeting": character.greeting.replace("*", "")
        .replace("{{char}}", character.nickname or character.name)
        .replace("{{user}}", request.user.display_name),
        "original": find_original(request.user, character),
        "groups": character.shown_to.all() if character.visibility == Visibility.GROUP else [],
    }
    return render(request, "characters/detail.html", context)


@login_required
@require_POST
def favourite(request: HttpRequest, slug: str) -> HttpResponse:
    """Keep a character, or let it go; back to where the person was."""
    assert isinstance(request.user, User)
    set_favourite(actor=request.user, slug=slug, is_favourite=request.POST.get("is_favourite") == "yes")
    return redirect("characters:detail", slug=slug)


@login_required
@require_POST
def import_cards(request: HttpRequest) -> HttpResponse:
    """Characters of the person's own from the cards they chose; a single one opens in the editor."""
    assert isinstance(request.user, User)
    come: list[Character] = []
    for upload in request.FILES.getlist("file")[:MOST_CARDS]:
        assert upload.file is not None
        try:
            come.append(import_card(actor=request.user, card=read_card_file(upload.file)))
        except ParlourError as error:
            messages.error(request, f"{upload.name}: {error.user_message}")
    if len(come) == 1:
        messages.success(request, _("%(name)s is here; only you see them.") % {"name": come[0].name})
        return redirect("characters:edit", slug=come[0].slug)
    if come:
        words = ngettext("%(count)d character came in.", "%(count)d characters came in.", len(come))
        messages.success(request, words % {"count": len(come)})
    return redirect(f"{reverse('characters:gallery')}?scope={Scope.MINE}")


@login_required
@require_GET
def card(request: HttpRequest, slug: str, kind: CardKind) -> HttpResponseBase:
    """The character as a file, for who may change it."""
    assert isinstance(request.user, User)
    try:
        return download_card(actor=request.user, slug=slug, kind=kind)
    except CardRefused as error:
        messages.error(request, str(error.user_message))
        return redirect("characters:detail", slug=slug)


@login_required
@require_POST
def remix(request: HttpRequest, slug: str) -> HttpResponse:
    """A copy of the person's own, open in the editor."""
    assert isinstance(request.user, User)
    source = find_character(user=request.user, slug=slug)
    try:
        copy = copy_character(actor=request.user, character_id=source.pk)
    except ParlourError as error:
        messages.error(request, str(error.user_message))
        return redirect("characters:detail", slug=slug)
    messages.success(request, _("This copy is yours; only you see it."))
    return redirect("characters:edit", slug=copy.slug)
