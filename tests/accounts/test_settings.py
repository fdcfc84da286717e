"""The settings page and two-step sign-in, by HTTP."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.test import Client
from django.urls import reverse

from accounts.models import User

pytestmark = pytest.mark.django_db
PASSWORD = "a lamp by the window"


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada@example.org", PASSWORD)


@pytest.fixture
def page(ada: User) -> Client:
    client = Client()
    client.post(reverse("account_login"), {"login": ada.email, "password": PASSWORD})
    return client


def prove_again(client: Client) -> None:
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})


def test_person_saves_name_sees_it(page: Client, ada: User):
    response = page.post(reverse("accounts:save_profile"), {"name": "  Ada   Lovelace "}, follow=True)

    assert "Your name is saved." in response.content.decode()
    ada.refresh_from_db()
    assert ada.name == "Ada Lovelace"
    assert ada.email == "ada@example.org"


def test_person_saves_too_long_name_is_told(page: Client, ada: User):
    response = page.post(reverse("accounts:save_profile"), {"name": "x" * 121})

    assert response.status_code == 422
    assert "errorlist" in response.content.decode()
    ada.refresh_from_db()
    assert ada.name == ""


def test_person_saves_markup_as_name_sees_text(page: Client):
    page.post(reverse("accounts:save_profile"), {"name": "<script>alert(1)</script>"})

    assert "<script>alert" not in page.get("/settings/").content.decode()


def test_pages_of_accounts_carry_no_inline_code(page: Client):
    prove_again(page)
    names = [
        "accounts:settings",
        "account_change_password",
        "mfa_index",
        "mfa_activate_totp",
        "account_logout",
    ]
    strangers = ["account_login", "account_signup", "account_reset_password"]
    for client, name in [*((page, name) for name in names), *((Client(), name) for name in strangers)]:
        response = client.get(reverse(name))
        text = response.content.decode()
        assert response.status_code == 200, name
        assert " style=" not in text
        assert "<script>" not in text
        assert "onclick" not in text


def test_person_sets_up_two_steps_is_asked_for_digits(page: Client, ada: User):
    assert page.get(reverse("mfa_activate_totp"))["Location"].startswith(reverse("account_reauthenticate"))
    prove_again(page)
    form = page.get(reverse("mfa_activate_totp")).context["form"]
    code = format_hotp_value(hotp_value(form.secret, next(yield_hotp_counters_from_time())))
    page.post(reverse("mfa_activate_totp"), {"code": code})
    assert Authenticator.objects.filter(user=ada, type=Authenticator.Type.TOTP).exists()
    assert "On</span>" in page.get("/settings/").content.decode()

    newcomer = Client()
    first = newcomer.post(reverse("account_login"), {"login": ada.email, "password": PASSWORD})
    assert first["Location"].startswith(reverse("mfa_authenticate"))
    assert newcomer.get("/settings/").status_code == 302
    assert newcomer.post(reverse("mfa_authenticate"), {"code": "000000"}).status_code == 200
    assert newcomer.get("/settings/").status_code == 302

    recovery = Authenticator.objects.get(user=ada, type=Authenticator.Type.RECOVERY_CODES).wrap()
    second = newcomer.post(reverse("mfa_authenticate"), {"code": recovery.get_unused_codes()[0]})
    assert second.status_code == 302
    assert newcomer.get("/settings/").status_code == 200
