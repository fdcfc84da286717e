"""Signing up and in, by HTTP: the first administrator, refusals, closed doors, passwords, throttling."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core import mail
from django.db import connections
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry, User

pytestmark = pytest.mark.django_db

PASSWORD = "a lamp by the window"


def sign_up(client: Client, email: str, password: str = PASSWORD):
    return client.post(reverse("account_signup"), {"email": email, "password1": password})


def sign_in(client: Client, email: str, password: str = PASSWORD):
    return client.post(reverse("account_login"), {"login": email, "password": password})


def test_first_person_signs_up_becomes_administrator(client: Client):
    response = sign_up(client, "Ada@Example.org")

    assert response.status_code == 302
    assert response["Location"] == "/"
    ada = User.objects.get()
    assert ada.email == "ada@example.org"
    assert ada.is_superuser
    assert ada.is_staff
    assert AuditEntry.objects.filter(actor=ada, verb="sign up", target_id=str(ada.pk)).exists()
    assert client.get(reverse("accounts:settings")).status_code == 200


def test_first_person_is_asked_to_make_an_account_not_to_sign_in(client: Client):
    response = client.get("/", follow=True)

    assert response.redirect_chain[-1][0].startswith("/accounts/signup/?next=")
    assert "You are the first here" in response.text
    sign_up(client, "ada@example.org")
    assert Client().get("/", follow=True).redirect_chain[-1][0].startswith("/accounts/login/")


def test_second_person_signs_up_becomes_ordinary_user(client: Client):
    sign_up(client, "ada@example.org")

    sign_up(Client(), "bo@example.org")

    bo = User.objects.get(email="bo@example.org")
    assert not bo.is_superuser
    assert not bo.is_staff


@pytest.mark.django_db(transaction=True)
def test_two_people_sign_up_at_once_one_becomes_administrator():
    def join(email: str) -> int:
        try:
            return sign_up(Client(), email).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(join, [f"person{n}@example.org" for n in range(4)]))

    assert answers == [302] * 4
    assert User.objects.filter(is_superuser=True).count() == 1
    assert User.objects.count() == 4


@pytest.mark.django_db(transaction=True)
def test_person_signs_up_twice_at_once_gets_one_account():
    def join(_: int) -> int:
        try:
            return sign_up(Client(), "ada@example.org").status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(join, range(4)))

    assert set(answers) <= {200, 302}
    assert User.objects.count() == 1


def test_person_signs_up_with_known_address_in_capitals_is_refused(client: Client):
    sign_up(client, "ada@example.org")

    response = sign_up(Client(), "ADA@example.org")

    assert response.status_code == 200
    assert "already" in response.content.decode()
    assert User.objects.count() == 1


def test_person_signs_up_with_weak_password_is_refused(client: Client):
    response = sign_up(client, "ada@example.org", "12345678")

    assert response.status_code == 200
    assert not User.objects.exists()


def test_person_signs_up_where_closed_finds_no_form(client: Client, settings):
    settings.SIGNUP_OPEN = False

    page = client.get(reverse("account_signup")).content.decode()
    sign_up(client, "ada@example.org")

    assert "Sign-up is closed" in page
    assert not User.objects.exists()


def test_person_signs_in_with_capitals_gets_in(client: Client):
    User.objects.create_user("ada@example.org", PASSWORD)

    response = sign_in(client, "ADA@Example.org")

    assert response.status_code == 302


def test_inactive_person_signs_in_is_refused(client: Client):
    User.objects.create_user("ada@example.org", PASSWORD, is_active=False)

    response = sign_in(client, "ada@example.org")

    assert response["Location"] == reverse("account_inactive")
    assert client.get(reverse("accounts:settings")).status_code == 302


def test_deactivated_person_loads_page_is_signed_out(client: Client):
    sign_up(client, "ada@example.org")
    User.objects.update(is_active=False)

    assert client.get(reverse("accounts:settings")).status_code == 302


def test_stranger_guesses_passwords_is_slowed_down(client: Client):
    User.objects.create_user("ada@example.org", PASSWORD)

    for _ in range(5):
        sign_in(client, "ada@example.org", "wrong")
    response = sign_in(client, "ada@example.org")

    assert "Too many failed" in response.content.decode()


def test_person_signs_in_with_foreign_next_stays_here(client: Client):
    User.objects.create_user("ada@example.org", PASSWORD)

    response = client.post(
        reverse("account_login"),
        {"login": "ada@example.org", "password": PASSWORD, "next": "https://evil.example/"},
    )

    assert response["Location"] == "/"


def test_person_changes_password_keeps_session_and_leaves_audit(client: Client):
    sign_up(client, "ada@example.org")
    elsewhere = Client()
    sign_in(elsewhere, "ada@example.org")

    response = client.post(
        reverse("account_change_password"),
        {"oldpassword": PASSWORD, "password1": "quite another lamp", "password2": "quite another lamp"},
    )

    assert response["Location"] == reverse("accounts:settings")
    assert client.get(reverse("accounts:settings")).status_code == 200
    assert elsewhere.get(reverse("accounts:settings")).status_code == 302
    assert AuditEntry.objects.filter(verb="change password").count() == 1


def test_person_changes_password_with_wrong_old_one_is_refused(client: Client):
    sign_up(client, "ada@example.org")

    response = client.post(
        reverse("account_change_password"),
        {"oldpassword": "nonsense", "password1": "quite another lamp", "password2": "quite another lamp"},
    )

    assert response.status_code == 200
    assert User.objects.get().check_password(PASSWORD)


def test_person_resets_password_by_mail_gets_in(client: Client, settings):
    settings.EMAIL_HOST = "mail.example.org"
    User.objects.create_user("ada@example.org", PASSWORD)

    client.post(reverse("account_reset_password"), {"email": "Ada@example.org"})
    link = re.search(r"http://testserver(/accounts/password/reset/key/\S+)", mail.outbox[0].body)
    assert link is not None
    form = client.get(link[1], follow=True)
    client.post(
        form.redirect_chain[-1][0], {"password1": "quite another lamp", "password2": "quite another lamp"}
    )

    assert User.objects.get().check_password("quite another lamp")
    assert sign_in(Client(), "ada@example.org", "quite another lamp").status_code == 302


def test_person_resets_password_without_mail_server_is_told_whom_to_ask(client: Client):
    page = client.get(reverse("account_reset_password")).content.decode()

    assert "no mail server" in page
    assert "<form" not in page
