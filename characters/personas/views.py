"""The page of one's personas, and their portraits."""

import uuid

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.errors import ParlourError
from accounts.models import User
from characters.assets.views import serve_picture
from characters.errors import PersonaNotFound
from characters.personas.models import Persona
from characters.personas.services import (
    create_persona,
    delete_persona,
    set_persona_portrait,
    update_persona,
)
from characters.pictures import MAX_BYTES


class PersonaForm(forms.ModelForm[Persona]):
    portrait = forms.FileField(
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
    )

    class Meta:
        model = Persona
        fields = ("name", "description", "is_default")
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}


@login_required
@require_safe
def personas(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    rows = list(Persona.objects.visible_to(request.user))
    forms_of = [(row, PersonaForm(instance=row, auto_id=f"{row.pk}_%s")) for row in rows]
    context = {"personas": forms_of, "new": PersonaForm(auto_id="new_%s")}
    return render(request, "characters/personas.html", context)


@login_required
@require_POST
def save(request: HttpRequest, persona_id: uuid.UUID | None = None) -> HttpResponse:
    """A new persona, or a changed one."""
    assert isinstance(request.user, User)
    form = PersonaForm(request.POST, request.FILES)
    if not form.is_valid():
        messages.error(request, _("Give the persona a name, and at most 8,000 characters about it."))
        return redirect("characters:personas")
    values = {name: form.cleaned_data[name] for name in ("name", "description", "is_default")}
    try:
        if persona_id is None:
            row = create_persona(actor=request.user, **values)
        else:
            row = update_persona(actor=request.user, persona_id=persona_id, **values)
        if portrait := form.cleaned_data["portrait"]:
            set_persona_portrait(actor=request.user, persona_id=row.pk, data=portrait.read(MAX_BYTES + 1))
    except ParlourError as error:
        messages.error(request, str(error.user_message))
    else:
        messages.success(request, _("Saved."))
    return redirect("characters:personas")


@login_required
@require_POST
def delete(request: HttpRequest, persona_id: uuid.UUID) -> HttpResponse:
    assert isinstance(request.user, User)
    delete_persona(actor=request.user, persona_id=persona_id)
    messages.success(request, _("The persona is gone. Chats that had it go on without one."))
    return redirect("characters:personas")


@login_required
@require_safe
def avatar(request: HttpRequest, persona_id: uuid.UUID) -> HttpResponse:
    """A persona's portrait, for its owner only."""
    assert isinstance(request.user, User)
    row = Persona.objects.visible_to(request.user).exclude(avatar="").filter(pk=persona_id).first()
    if row is None:
        raise PersonaNotFound
    try:
        return serve_picture(request, str(row.avatar.name), is_exact="v" in request.GET)
    except FileNotFoundError as error:
        raise PersonaNotFound from error
