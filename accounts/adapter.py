"""Where allauth meets the house: it asks the questions, `accounts.services` writes the answers.

Leaves out forms and templates, which are allauth's with the house's look (`accounts/templates`).
"""

from typing import ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.errors import EmailTaken
from accounts.models import User
from accounts.services import change_password, register_user


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Sign-up by email and password, where the settings keep it open."""

    error_messages: ClassVar = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": gettext_lazy("This address and this password do not belong together."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.SIGNUP_OPEN)

    def save_user(self, request: HttpRequest, user: User, form: Form, commit: bool = True) -> User:
        super().save_user(request, user, form, commit=False)
        if not commit:
            return user
        try:
            return register_user(user=user)
        except EmailTaken as error:
            # The form found the address free a moment ago: a second click, or two tabs.
            messages.info(request, str(error.user_message))
            raise ImmediateHttpResponse(redirect(settings.LOGIN_URL)) from error

    def set_password(self, user: User, password: str) -> None:
        change_password(user=user, password=password)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("accounts:settings")


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Sign-up through the organisation's OpenID Connect provider, which decides by itself who may come."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return True

    def populate_user(
        self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, str | None]
    ) -> User:
        user: User = super().populate_user(request, sociallogin, data)
        parts = (data.get("first_name"), data.get("last_name"))
        user.name = (data.get("name") or " ".join(part for part in parts if part))[:120]
        return user

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Form | None = None) -> User:
        user: User = sociallogin.user
        user.set_unusable_password()
        if form is not None:
            user.email = form.cleaned_data["email"]
        try:
            with transaction.atomic():
                register_user(user=user)
                sociallogin.save(request)
        except EmailTaken as error:
            messages.info(request, _("That address already has an account here. Sign in with its password."))
            raise ImmediateHttpResponse(redirect(settings.LOGIN_URL)) from error
        return user
