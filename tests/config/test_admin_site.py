"""The administration's first page and its door."""

import pytest
from django.test import Client

from accounts.models import User
from documents.models import Collection, Document
from inference.models import Server

pytestmark = pytest.mark.django_db


def sign_in(*, is_staff: bool) -> tuple[Client, User]:
    make = User.objects.create_superuser if is_staff else User.objects.create_user
    user = make("ada@example.org", "a long enough password")
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client, user


def test_administrator_opens_the_overview_and_sees_what_needs_somebody() -> None:
    client, user = sign_in(is_staff=True)
    shelf = Collection.objects.create(owner=user, name="Papers")
    Document.objects.create(collection=shelf, name="scan.pdf", status="failed", error_code="text_missing")
    Server.objects.create(name="rack 4", base_url="http://rack4.example/v1", last_error="connection refused")
    page = client.get("/admin/").text
    assert "rack 4 does not answer: connection refused" in page
    assert "1 document failed." in page
    assert "No language model is connected" in page


def test_person_without_the_right_is_told_that_the_room_is_closed() -> None:
    client, _ = sign_in(is_staff=False)
    response = client.get("/admin/", follow=True)
    assert response.status_code == 403


def test_stranger_enters_by_the_houses_own_door() -> None:
    User.objects.create_user("ada@example.com", "a long enough password")
    response = Client().get("/admin/", follow=True)
    assert response.redirect_chain[-1][0].startswith("/accounts/login/?next=/admin/")
