"""Pages of one's lorebooks: the shelf, a book with its entries, one entry."""

import re
import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Prefetch, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.errors import ParlourError
from accounts.models import User
from characters.cards.reading import MAX_BYTES, read_book
from characters.errors import LorebookNotFound
from characters.lorebooks.forms import EntryForm, LorebookForm
from characters.lorebooks.models import Lorebook, LorebookEntry
from characters.lorebooks.queries import find_lorebook, list_lorebooks, try_lorebook
from characters.lorebooks.services import (
    add_entry,
    create_lorebook,
    delete_entry,
    delete_lorebook,
    give_lorebook,
    import_lorebook,
    take_lorebook,
    update_entry,
    update_lorebook,
)
from characters.models import Character
from characters.queries import find_character

ENTRIES_ON_A_PAGE = 50
# What one tries by hand; a scan of so much takes some milliseconds.
MOST_SAID = 50_000
_BETWEEN_MESSAGES = re.compile(r"\r?\n[ \t]*\r?\n")


@login_required
@require_safe
def lorebooks(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    rows = list_lorebooks(user=request.user).prefetch_related(
        Prefetch("characters", Character.objects.only("name").order_by("name"))
    )
    context = {"lorebooks": rows, "form": LorebookForm()}
    return render(request, "characters/lorebooks.html", context)


@login_required
@require_POST
def create(request: HttpRequest) -> HttpResponse:
    """An empty lorebook, or one from a file."""
    assert isinstance(request.user, User)
    try:
        if upload := request.FILES.get("file"):
            name = (upload.name or "").rpartition(".")[0]
            row = import_lorebook(actor=request.user, book=read_book(upload.read(MAX_BYTES + 1)), name=name)
        else:
            row = create_lorebook(actor=request.user, name=request.POST.get("name", "").strip()[:200])
    except ParlourError as error:
        messages.error(request, str(error.user_message))
        return redirect("characters:lorebooks")
    return redirect("characters:lorebook", row.pk)


@login_required
@require_safe
def lorebook(request: HttpRequest, lorebook_id: uuid.UUID) -> HttpResponse:
    """A book: its settings, who has it, its entries page by page."""
    assert isinstance(request.user, User)
    row = find_lorebook(user=request.user, lorebook_id=lorebook_id)
    return render(request, "characters/lorebook.html", _show(request, request.user, row))


@login_required
@require_POST
def attempt(request: HttpRequest, lorebook_id: uuid.UUID) -> HttpResponse:
    """The book with what it would tell a chat in which this is said; nothing is kept."""
    assert isinstance(request.user, User)
    row = find_lorebook(user=request.user, lorebook_id=lorebook_id)
    said = request.POST.get("said", "")[:MOST_SAID]
    scan = try_lorebook(row, [words for words in _BETWEEN_MESSAGES.split(said) if words.strip()])
    told = sum(fired.tokens for fired in scan.fired if not fired.is_left_out)
    more = {"said": said, "scan": scan, "told_tokens": told}
    return render(request, "characters/lorebook.html", {**_show(request, request.user, row), **more})


def _show(request: HttpRequest, user: User, row: Lorebook) -> dict[str, object]:
    query = request.GET.get("query", "").strip()[:100]
    entries = row.entries.defer("source")
    if query:
        entries = entries.filter(
            Q(name__icontains=query) | Q(content__icontains=query) | Q(keys__icontains=query)
        )
    return {
        "lorebook": row,
        "form": LorebookForm(instance=row),
        "page": Paginator(entries, ENTRIES_ON_A_PAGE).get_page(request.GET.get("page")),
        "query": query,
        "users": row.characters.all(),
        "others": Character.objects.filter(owner=user).exclude(lorebooks=row).order_by("name"),
    }


@login_required
@require_POST
def save(request: HttpRequest, lorebook_id: uuid.UUID) -> HttpResponse:
    assert isinstance(request.user, User)
    form = LorebookForm(request.POST)
    if form.is_valid():
        update_lorebook(actor=request.user, lorebook_id=lorebook_id, **form.cleaned_data)
        messages.success(request, _("Saved."))
    else:
        messages.error(request, _("Some values do not fit. Give a name, and whole numbers from 0."))
    return redirect("characters:lorebook", lorebook_id)


@login_required
@require_POST
def delete(request: HttpRequest, lorebook_id: uuid.UUID) -> HttpResponse:
    assert isinstance(request.user, User)
    delete_lorebook(actor=request.user, lorebook_id=lorebook_id)
    messages.success(request, _("The lorebook is gone. Characters that had it go on without it."))
    return redirect("characters:lorebooks")


@login_required
@require_POST
def give(request: HttpRequest, lorebook_id: uuid.UUID) -> HttpResponse:
    """Give the book to a character, or take it away with `take`."""
    assert isinstance(request.user, User)
    character = find_character(user=request.user, slug=request.POST.get("character", ""))
    change = take_lorebook if "take" in request.POST else give_lorebook
    change(actor=request.user, lorebook_id=lorebook_id, character_id=character.pk)
    return redirect("characters:lorebook", lorebook_id)


@login_required
def entry(request: HttpRequest, lorebook_id: uuid.UUID, entry_id: uuid.UUID | None = None) -> HttpResponse:
    """One entry, to be written, changed or deleted."""
    assert isinstance(request.user, User)
    book = find_lorebook(user=request.user, lorebook_id=lorebook_id)
    row = LorebookEntry.objects.filter(lorebook=book, pk=entry_id).first() if entry_id else None
    if entry_id and row is None:
        raise LorebookNotFound
    if request.method != "POST":
        context = {"lorebook": book, "entry": row, "form": EntryForm(instance=row)}
        return render(request, "characters/lorebook_entry.html", context)
    if "delete" in request.POST and row is not None:
        delete_entry(actor=request.user, entry_id=row.pk)
        return redirect("characters:lorebook", lorebook_id)
    form = EntryForm(request.POST, instance=row)
    if form.is_valid():
        try:
            _save_entry(request.user, book.pk, row, form)
            return redirect("characters:lorebook", lorebook_id)
        except ParlourError as error:
            form.add_error(None, str(error.user_message))
    context = {"lorebook": book, "entry": row, "form": form}
    return render(request, "characters/lorebook_entry.html", context, status=422)


def _save_entry(actor: User, lorebook_id: uuid.UUID, row: LorebookEntry | None, form: EntryForm) -> None:
    if row is None:
        add_entry(actor=actor, lorebook_id=lorebook_id, **form.values())
    else:
        update_entry(actor=actor, entry_id=row.pk, **form.values())
