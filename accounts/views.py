"""The settings page: what people change about themselves, in one column, saved with feedback.

Signing in, password, two-step sign-in and sign-out are allauth's pages; the theme is the browser's (a cookie).
"""

import uuid

from allauth.account.views import login
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings as house
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.errors import NotFound
from accounts.forms import ApiKeyForm, ProfileForm
from accounts.models import ApiKey, User
from accounts.services import create_api_key, revoke_api_key, update_profile

# The profile on the same page has a name too.
KEY_IDS = "id_key_%s"


@never_cache
def sign_in(request: HttpRequest) -> HttpResponse:
    """allauth's page; a house that nobody lives in yet asks its first person to make an account instead."""
    if request.method == "GET" and house.SIGNUP_OPEN and not User.objects.exists():
        query = request.META["QUERY_STRING"]
        return redirect(reverse("account_signup") + (f"?{query}" if query else ""))
    page: HttpResponse = login(request)
    return page


def _show(
    request: HttpRequest,
    *,
    profile: ProfileForm | None = None,
    key_form: ApiKeyForm | None = None,
    new_key: str = "",
) -> HttpResponse:
    user = request.user
    assert isinstance(user, User)
    has_problem = any(form is not None and form.errors for form in (profile, key_form))
    context = {
        "profile": profile or ProfileForm(instance=user),
        "key_form": key_form or ApiKeyForm(auto_id=KEY_IDS),
        "new_key": new_key,
        "keys": ApiKey.objects.visible_to(user).active(),
        "has_two_steps": is_mfa_enabled(user),
    }
    return render(request, "accounts/settings.html", context, status=422 if has_problem else 200)


@login_required
@require_GET
@never_cache
def settings(request: HttpRequest) -> HttpResponse:
    """The page as it stands."""
    return _show(request)


@login_required
@require_POST
def save_profile(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    # On a copy: a refused name must not show in the sidebar.
    form = ProfileForm(request.POST, instance=User(pk=request.user.pk, email=request.user.email))
    if not form.is_valid():
        return _show(request, profile=form)
    update_profile(actor=request.user, name=form.cleaned_data["name"])
    messages.success(request, _("Your name is saved."))
    return redirect("accounts:settings")


@login_required
@require_POST
@never_cache
def make_key(request: HttpRequest) -> HttpResponse:
    """Shows the key in this very answer: kept in a session or a message it would lie in clear somewhere."""
    assert isinstance(request.user, User)
    form = ApiKeyForm(request.POST, auto_id=KEY_IDS)
    if not form.is_valid():
        return _show(request, key_form=form)
    _row, key = create_api_key(actor=request.user, name=form.cleaned_data["name"])
    return _show(request, new_key=key)


@login_required
@require_POST
def revoke_key(request: HttpRequest, key_id: uuid.UUID) -> HttpResponse:
    assert isinstance(request.user, User)
    # The settings page is about oneself, also for administrators, who have the administration for others.
    if not ApiKey.objects.visible_to(request.user).filter(pk=key_id).exists():
        raise NotFound
    row = revoke_api_key(actor=request.user, key_id=key_id)
    messages.success(request, _("The key “%(name)s” no longer works.") % {"name": row.name})
    return redirect("accounts:settings")
