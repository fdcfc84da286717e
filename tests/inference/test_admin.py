"""Administrators run servers and models without a shell."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from inference.models import Capability, Deployment, Model, Server
from inference.services import record_usage
from inference.types import Call
from tests.inference.conftest import add_model
from tests.openai_server import ScriptedServer

NO_INLINES = {
    "deployments-TOTAL_FORMS": "0",
    "deployments-INITIAL_FORMS": "0",
}


@pytest.fixture
def admin_client(client: Client, administrator: User) -> Client:
    client.force_login(administrator)
    return client


def add_server(client: Client, **fields: str):
    data = {"name": "new", "kind": "openai", "base_url": "", "api_key_ref": "", "is_enabled": "on", **fields}
    return client.post(reverse("admin:inference_server_add"), {**data, **NO_INLINES}, follow=True)


@pytest.mark.django_db(transaction=True)
def test_administrator_adds_a_server_and_is_told_what_it_has(
    admin_client: Client, server: ScriptedServer
) -> None:
    page = add_server(admin_client, base_url=server.root_url)
    assert "“new” answers: OpenAI-compatible, 2 models." in page.content.decode()
    assert Server.objects.get().base_url == server.url
    assert Deployment.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_administrator_adds_a_dead_server_and_is_told_so(
    admin_client: Client, server: ScriptedServer
) -> None:
    server.stop()
    page = add_server(admin_client, base_url=server.url)
    assert "cannot be reached" in page.content.decode()
    assert Server.objects.get().last_error


@pytest.mark.django_db
def test_administrator_sees_beside_the_field_why_an_address_is_refused(admin_client: Client) -> None:
    page = add_server(admin_client, base_url="http://169.254.169.254", api_key_ref="sk-secret")
    assert "where clouds keep secrets" in page.content.decode()
    assert "not the key itself" in page.content.decode()
    assert not Server.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("action", ["ask_connection", "ask_models"])
def test_administrator_asks_servers_from_the_list(
    admin_client: Client, server: ScriptedServer, action: str
) -> None:
    good = Server.objects.create(name="good", base_url=server.url)
    bad = Server.objects.create(name="bad", base_url="http://127.0.0.1:1/v1")
    data = {"action": action, "_selected_action": [str(good.pk), str(bad.pk)]}
    page = admin_client.post(reverse("admin:inference_server_changelist"), data, follow=True).content.decode()
    assert "“good” answers" in page
    assert "“bad” cannot be reached" in page
    assert Deployment.objects.exists() == (action == "ask_models")


@pytest.mark.django_db
def test_administrator_makes_a_model_the_default(admin_client: Client) -> None:
    old, new = add_model("old", is_default=True), add_model("new")
    data = {"action": "make_default", "_selected_action": [str(new.pk)]}
    admin_client.post(reverse("admin:inference_model_changelist"), data)
    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.is_default, new.is_default) == (False, True)


@pytest.mark.django_db
def test_administrator_edits_what_a_model_can_do(admin_client: Client) -> None:
    model = add_model("talker")
    Deployment.objects.all().delete()
    choices = {"capabilities": ["chat", "vision"], "is_enabled": "on", "cache_seconds": "0"}
    data = {"name": "talker", "label": "Talker", **choices}
    page = admin_client.post(
        reverse("admin:inference_model_change", args=[model.pk]), {**data, **NO_INLINES}, follow=True
    )
    assert page.status_code == 200
    model.refresh_from_db()
    assert (model.label, model.capabilities) == ("Talker", [Capability.CHAT, Capability.VISION])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("server", "health=answering"),
        ("server", "health=failing"),
        ("server", "health=silent&kind__exact=vllm"),
        ("model", "capability=chat&offered=yes"),
        ("model", "offered=no"),
        ("usage", "outcome=failed"),
        ("usage", "outcome=whole"),
    ],
)
def test_administrator_filters_the_lists(
    admin_client: Client, administrator: User, page: str, query: str
) -> None:
    add_model("talker")
    record_usage(
        [
            Call(
                user_id=administrator.pk,
                model_name="talker",
                prompt_tokens=1,
                completion_tokens=1,
                first_token_seconds=None,
                duration_seconds=1,
                error_code="stream_cut",
            )
        ]
    )
    answer = admin_client.get(reverse(f"admin:inference_{page}_changelist") + f"?{query}")
    assert answer.status_code == 200
    shown = answer.context["cl"].result_count
    assert shown == (1 if query in {"health=silent", "capability=chat&offered=yes", "outcome=failed"} else 0)


@pytest.mark.django_db
def test_visitor_does_not_get_in(client: Client, visitor: User) -> None:
    client.force_login(visitor)
    assert client.get(reverse("admin:inference_server_changelist")).status_code in {302, 403}
    assert not Model.objects.exists()
