"""The editor, and the history of a character."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.errors import ParlourError
from accounts.models import User
from characters.access import find_own
from characters.assets.queries import list_pictures, read_style
from characters.editor.forms import MAX_GREETINGS, EditorForm
from characters.editor.services import Edited, save_edited
from characters.models import MAX_SUGGESTIONS, AssetKind, Character, Draft, Visibility
from characters.queries import find_character
from characters.services import delete_character
from characters.versions.queries import find_draft, read_history
from characters.versions.services import discard_draft, restore_version


@login_required
@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """A new character; it is there with the first save."""
    assert isinstance(request.user, User)
    form = EditorForm(request.POST or None, request.FILES or None, person=request.user)
    if request.method == "POST" and (saved := _save(request, form, None)):
        return redirect("characters:edit", slug=saved.slug)
    return _render(request, form, None, None)


@login_required
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    """A character of the person's own: as it stands, with what they had typed and not saved on top."""
    assert isinstance(request.user, User)
    character = _find(request, slug)
    draft = find_draft(character)
    form = EditorForm(
        request.POST or None,
        request.FILES or None,
        person=request.user,
        instance=character,
        initial=draft.fields if draft else {},
        style=read_style(character),
    )
    if request.method == "POST" and (saved := _save(request, form, character)):
        return redirect("characters:edit", slug=saved.slug)
    return _render(request, form, Character.objects.get(pk=character.pk), draft)


@login_required
@require_POST
def discard(request: HttpRequest, slug: str) -> HttpResponse:
    """Back to what was saved last."""
    assert isinstance(request.user, User)
    discard_draft(actor=request.user, character_id=_find(request, slug).pk)
    return redirect("characters:edit", slug=slug)


@login_required
@require_GET
def history(request: HttpRequest, slug: str) -> HttpResponse:
    assert isinstance(request.user, User)
    character = _find(request, slug)
    context = {"character": character, "entries": read_history(user=request.user, character=character)}
    return render(request, "characters/history.html", context)


@login_required
@require_POST
def restore(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    assert isinstance(request.user, User)
    restore_version(actor=request.user, character_id=_find(request, slug).pk, number=number)
    messages.success(
        request, _("Version %(number)d is back. What it replaced is in the history.") % {"number": number}
    )
    return redirect("characters:history", slug=slug)


@login_required
@require_POST
def delete(request: HttpRequest, slug: str) -> HttpResponse:
    """Gone for good; its chats stay, without it."""
    assert isinstance(request.user, User)
    character = _find(request, slug)
    delete_character(actor=request.user, character_id=character.pk)
    messages.success(request, _("%(name)s is gone.") % {"name": character.name})
    return redirect("characters:gallery")


def _find(request: HttpRequest, slug: str) -> Character:
    assert isinstance(request.user, User)
    if request.user.has_perm("characters.change_character"):
        row = Character.objects.filter(slug=slug).first()
        if row is not None:
            return row
    character = find_character(user=request.user, slug=slug)
    return find_own(request.user, character.pk, is_locked=False)


def _save(request: HttpRequest, form: EditorForm, character: Character | None) -> Character | None:
    """The saved character, or None with the reason on the form."""
    assert isinstance(request.user, User)
    if not form.is_valid():
        return None
    answers = form.cleaned_data
    edited = Edited(
        words=form.words,
        style=answers["style"],
        portrait=answers["portrait"],
        crop=form.crop,
        visibility=Visibility(answers["visibility"] or Visibility.PRIVATE),
        groups=list(answers["groups"]),
        note=answers["note"],
    )
    try:
        saved = save_edited(actor=request.user, character=character, edited=edited)
    except ParlourError as error:
        form.add_error(None, str(error.user_message))
        return None
    number = saved.version.number if saved.version else 1
    messages.success(request, _("Saved as version %(number)d.") % {"number": number})
    return saved


def _render(
    request: HttpRequest, form: EditorForm, character: Character | None, draft: Draft | None
) -> HttpResponse:
    assert isinstance(request.user, User)
    whole = character.assets.filter(kind=AssetKind.PORTRAIT).first() if character else None
    context = {
        "form": form,
        "character": character,
        "draft": draft,
        "whole": whole,
        "pictures": list_pictures(character) if character else [],
        "next_number": character.version.number + 1 if character and character.version else 1,
        "may_publish": request.user.has_perm("characters.publish_character"),
        "most_greetings": MAX_GREETINGS,
        "most_suggestions": MAX_SUGGESTIONS,
    }
    status = 422 if form.is_bound else 200
    return render(request, "characters/editor.html", context, status=status)
