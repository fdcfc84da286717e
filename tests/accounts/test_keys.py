"""API keys, by page, REST and command: made, shown once, used, revoked, refused."""

import io
import re
import uuid

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiKey, AuditEntry, User
from accounts.services import create_api_key, find_user_by_api_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada@example.org", "a lamp by the window")


@pytest.fixture
def bo() -> User:
    return User.objects.create_user("bo@example.org", "a lamp by the window")


@pytest.fixture
def page(ada: User) -> Client:
    client = Client()
    client.force_login(ada)
    return client


def bearer(key: str) -> Client:
    return Client(headers={"authorization": f"Bearer {key}"})


def test_person_makes_key_sees_it_once(page: Client, ada: User):
    made = page.post(reverse("accounts:make_key"), {"name": "Notebook"}).content.decode()
    key = re.search(r'id="new-key"[^>]*>(pk-[\w-]{43})<', made)
    assert key is not None

    assert key[1] not in page.get(reverse("accounts:settings")).content.decode()
    assert ApiKey.objects.get().key_hash != key[1]
    assert bearer(key[1]).get("/api/v1/me").json()["email"] == "ada@example.org"
    assert AuditEntry.objects.filter(actor=ada, verb="create API key").count() == 1


def test_person_makes_key_without_name_is_told(page: Client):
    response = page.post(reverse("accounts:make_key"), {"name": " "})

    assert response.status_code == 422
    assert not ApiKey.objects.exists()


def test_person_revokes_key_stops_it(page: Client, ada: User):
    row, key = create_api_key(actor=ada, name="Notebook")

    response = page.post(reverse("accounts:revoke_key", args=[row.pk]))

    assert response.status_code == 302
    assert bearer(key).get("/api/v1/me").status_code == 401
    assert (
        "Notebook"
        not in page.get(reverse("accounts:settings")).content.decode().split("no longer works", 1)[-1]
    )
    assert AuditEntry.objects.filter(verb="revoke API key").count() == 1


@pytest.mark.parametrize("is_administrator", [False, True])
def test_person_revokes_someone_elses_key_finds_nothing(
    page: Client, ada: User, bo: User, is_administrator: bool
):
    User.objects.filter(pk=ada.pk).update(is_superuser=is_administrator, is_staff=is_administrator)
    row, key = create_api_key(actor=bo, name="Theirs")

    assert page.post(reverse("accounts:revoke_key", args=[row.pk])).status_code == 404
    assert find_user_by_api_key(key) == bo


def test_stranger_opens_settings_is_sent_to_sign_in(client: Client):
    assert client.get("/settings/")["Location"].startswith(reverse("account_login"))
    assert client.post(reverse("accounts:make_key"), {"name": "x"}).status_code == 302


def test_program_lists_and_revokes_its_keys(ada: User, bo: User):
    row, key = create_api_key(actor=ada, name="Notebook")
    create_api_key(actor=bo, name="Theirs")
    program = bearer(key)

    listed = program.get("/api/v1/keys").json()
    assert [item["name"] for item in listed] == ["Notebook"]
    assert "key" not in listed[0]
    assert program.delete(f"/api/v1/keys/{row.pk}").status_code == 204
    assert program.get("/api/v1/keys").status_code == 401


def test_program_revokes_someone_elses_key_gets_404(ada: User, bo: User):
    _, key = create_api_key(actor=ada, name="Notebook")
    theirs, their_key = create_api_key(actor=bo, name="Theirs")

    for key_id in (theirs.pk, uuid.uuid4()):
        answer = bearer(key).delete(f"/api/v1/keys/{key_id}")
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "not_found"
    assert find_user_by_api_key(their_key) == bo


def test_program_makes_key_with_key_is_refused(ada: User):
    _, key = create_api_key(actor=ada, name="Notebook")

    answer = bearer(key).post("/api/v1/keys", {"name": "Another"}, content_type="application/json")

    assert answer.status_code == 401
    assert ApiKey.objects.count() == 1


def test_signed_in_person_makes_key_by_api(page: Client):
    answer = page.post("/api/v1/keys", {"name": "Another"}, content_type="application/json")

    assert answer.status_code == 201
    assert bearer(answer.json()["key"]).get("/api/v1/me").status_code == 200


@pytest.mark.parametrize("key", ["", "pk-", "pk-" + "A" * 43, "sk-something", "pk-\x00"])
def test_program_with_unknown_key_is_refused(ada: User, key: str):
    create_api_key(actor=ada, name="Notebook")

    assert find_user_by_api_key(key) is None


def test_program_of_inactive_person_is_refused(ada: User):
    _, key = create_api_key(actor=ada, name="Notebook")
    User.objects.update(is_active=False)

    assert bearer(key).get("/api/v1/me").status_code == 401


def test_program_uses_key_costs_one_query_and_notes_use(ada: User, django_assert_num_queries):
    row, key = create_api_key(actor=ada, name="Notebook")
    find_user_by_api_key(key)
    row.refresh_from_db()
    assert row.last_used_at is not None
    assert (timezone.now() - row.last_used_at).total_seconds() < 60

    with django_assert_num_queries(1):
        assert find_user_by_api_key(key) == ada


def run(*arguments: str) -> str:
    output = io.StringIO()
    call_command("create_api_key", *arguments, stdout=output)
    return output.getvalue()


def test_operator_creates_key_prints_only_key():
    printed = run("New@Example.org", "--create-user")

    assert re.fullmatch(r"pk-[\w-]{43}\n", printed)
    owner = find_user_by_api_key(printed.strip())
    assert owner is not None
    assert owner.email == "new@example.org"
    assert not owner.has_usable_password()
    assert not owner.is_superuser


def test_operator_creates_key_twice_keeps_one_user():
    first, second = run("new@example.org", "--create-user"), run("NEW@example.org", "--create-user")

    assert first != second
    assert User.objects.count() == 1


def test_operator_creates_key_for_nobody_is_told(ada: User):
    with pytest.raises(CommandError, match="--create-user"):
        run("nobody@example.org")
    with pytest.raises(CommandError, match="not an email address"):
        run("nonsense", "--create-user")
    User.objects.update(is_active=False)
    with pytest.raises(CommandError, match="may not sign in"):
        run("ada@example.org")


def test_first_person_signs_up_after_operators_key_becomes_administrator(client: Client):
    run("script@example.org", "--create-user")

    client.post(reverse("account_signup"), {"email": "ada@example.org", "password1": "a lamp by the window"})

    assert User.objects.get(is_superuser=True).email == "ada@example.org"
