"""The administration of people: what administrators can do, what they are kept from, what others never see."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.errors import NotAllowed
from accounts.models import ApiKey, AuditEntry, User
from accounts.services import administer_user, create_api_key, find_user_by_api_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    return User.objects.create_superuser("ada@example.org", "a lamp by the window")


@pytest.fixture
def bo() -> User:
    return User.objects.create_user("bo@example.org", "a lamp by the window")


@pytest.fixture
def office(ada: User) -> Client:
    client = Client()
    client.force_login(ada)
    return client


def change(client: Client, user: User, **fields: object):
    form = {"email": user.email, "name": user.name, "is_active": "on", **fields}
    shown = {name: value for name, value in form.items() if value != ""}
    return client.post(reverse("admin:accounts_user_change", args=[user.pk]), shown, follow=True)


def test_administrator_opens_every_list(office: Client, ada: User, bo: User):
    create_api_key(actor=bo, name="Theirs")
    for name in ("user", "apikey", "auditentry"):
        assert office.get(reverse(f"admin:accounts_{name}_changelist")).status_code == 200
    assert office.get(reverse("admin:accounts_user_change", args=[bo.pk])).status_code == 200
    assert office.get(reverse("admin:accounts_user_changelist"), {"two_steps": "off"}).status_code == 200


def test_administrator_never_sees_a_hash(office: Client, bo: User):
    row, _ = create_api_key(actor=bo, name="Theirs")

    page = office.get(reverse("admin:accounts_apikey_change", args=[row.pk])).content.decode()

    assert "Theirs" in page
    assert row.key_hash not in page


def test_administrator_makes_user(office: Client, ada: User):
    response = office.post(
        reverse("admin:accounts_user_add"),
        {
            "email": "New@Example.org",
            "name": "New",
            "usable_password": "true",
            "password1": "a lamp by the window",
            "password2": "a lamp by the window",
        },
    )

    assert response.status_code == 302
    new = User.objects.get(email="new@example.org")
    assert new.check_password("a lamp by the window")
    assert not new.is_staff
    assert AuditEntry.objects.filter(actor=ada, verb="create user", target_id=str(new.pk)).exists()


def test_administrator_shuts_somebody_out_leaves_audit(office: Client, ada: User, bo: User):
    change(office, bo, is_active="")

    bo.refresh_from_db()
    assert not bo.is_active
    assert AuditEntry.objects.filter(actor=ada, verb="change user: is_active").exists()


def test_last_administrator_demotes_herself_is_refused(office: Client, ada: User):
    response = change(office, ada, is_superuser="", is_staff="on")

    assert "Somebody must stay administrator" in response.content.decode()
    ada.refresh_from_db()
    assert ada.is_superuser


def test_last_administrator_deletes_herself_is_refused(office: Client, ada: User):
    response = office.post(reverse("admin:accounts_user_delete", args=[ada.pk]), {"post": "yes"}, follow=True)

    assert "Somebody must stay administrator" in response.content.decode()
    assert User.objects.filter(pk=ada.pk).exists()


def test_administrator_deletes_user_leaves_audit(office: Client, bo: User):
    office.post(reverse("admin:accounts_user_delete", args=[bo.pk]), {"post": "yes"})

    assert not User.objects.filter(pk=bo.pk).exists()
    assert AuditEntry.objects.get(verb="delete user").target_name == "bo@example.org"


def test_clerk_makes_herself_administrator_is_refused(bo: User, ada: User):
    User.objects.filter(pk=bo.pk).update(is_staff=True)
    bo.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))
    clerk = Client()
    clerk.force_login(bo)

    change(clerk, bo, is_superuser="on", is_staff="on", name="Bo the clerk")

    bo.refresh_from_db()
    assert bo.name == "Bo the clerk"
    assert not bo.is_superuser
    with pytest.raises(NotAllowed):
        administer_user(actor=bo, user=bo, changed=["is_superuser"])


def test_clerk_sets_administrators_password_is_refused(bo: User, ada: User):
    User.objects.filter(pk=bo.pk).update(is_staff=True)
    bo.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))
    clerk = Client()
    clerk.force_login(bo)
    new = {"password1": "quite another lamp", "password2": "quite another lamp", "usable_password": "true"}

    assert clerk.post(reverse("admin:auth_user_password_change", args=[ada.pk]), new).status_code == 403
    ada.refresh_from_db()
    assert ada.check_password("a lamp by the window")


def test_administrator_sets_password_leaves_audit(office: Client, bo: User):
    new = {"password1": "quite another lamp", "password2": "quite another lamp", "usable_password": "true"}

    assert office.post(reverse("admin:auth_user_password_change", args=[bo.pk]), new).status_code == 302
    bo.refresh_from_db()
    assert bo.check_password("quite another lamp")
    assert AuditEntry.objects.get(verb="set password").target_name == "bo@example.org"


def test_administrator_changes_address_only_the_new_one_signs_in(office: Client, bo: User):
    Client().post(reverse("account_login"), {"login": bo.email, "password": "a lamp by the window"})

    change(office, bo, email="robert@example.org")

    for address, answer in (("bo@example.org", 200), ("robert@example.org", 302)):
        form = {"login": address, "password": "a lamp by the window"}
        assert Client().post(reverse("account_login"), form).status_code == answer


def test_administrator_revokes_key(office: Client, bo: User):
    row, key = create_api_key(actor=bo, name="Theirs")

    office.post(
        reverse("admin:accounts_apikey_changelist"), {"action": "revoke", "_selected_action": [str(row.pk)]}
    )

    assert find_user_by_api_key(key) is None
    assert not ApiKey.objects.active().exists()


def test_administrator_changes_audit_is_refused(office: Client, ada: User):
    create_api_key(actor=ada, name="Mine")
    entry = AuditEntry.objects.get()

    url = reverse("admin:accounts_auditentry_change", args=[entry.pk])
    assert office.post(url, {"verb": "nothing"}).status_code == 403
    assert office.post(reverse("admin:accounts_auditentry_delete", args=[entry.pk])).status_code == 403


def test_ordinary_person_opens_administration_is_kept_out(bo: User):
    client = Client()
    assert client.get("/admin/", follow=True).redirect_chain[-1][0].startswith(reverse("account_login"))
    client.force_login(bo)
    assert client.get("/admin/").status_code in {302, 403}
    assert client.get(reverse("admin:accounts_user_changelist"), follow=True).status_code == 403
