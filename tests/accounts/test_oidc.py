"""Signing in through an organisation's OpenID Connect provider: a real one on loopback, scripted."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User

pytestmark = pytest.mark.django_db
LOGIN = "/accounts/oidc/oidc/login/"


class Provider(ThreadingHTTPServer):
    """Answers discovery, the token and who the person is; `person` says who comes."""

    person: dict[str, object]

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answers(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        issuer = self.server.issuer
        if self.path == "/.well-known/openid-configuration":
            names = {
                "token_endpoint": "token",
                "userinfo_endpoint": "me",
                "authorization_endpoint": "authorize",
            }
            self._answer({"issuer": issuer, **{key: f"{issuer}/{name}" for key, name in names.items()}})
        else:
            self._answer(self.server.person)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer({"access_token": "a token", "token_type": "Bearer"})

    def _answer(self, body: dict[str, object]) -> None:
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Silent: pytest shows what fails."""


@pytest.fixture
def provider(settings) -> Iterator[Provider]:
    with Provider(("127.0.0.1", 0), Answers) as server:
        server.person = {
            "sub": "17",
            "email": "Ada@Contoso.example",
            "name": "Ada Winter",
            "email_verified": True,
        }
        app = {
            "provider_id": "oidc",
            "name": "Contoso",
            "client_id": "parlour",
            "secret": "s",
            "settings": {"server_url": server.issuer},
        }
        of_settings = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]
        settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {**of_settings, "APPS": [app]}}
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def come_back(client: Client, provider: Provider):
    """Follow the link on the sign-in page to the provider, and return from it with a code."""
    there = client.get(LOGIN)["Location"]
    assert there.startswith(f"{provider.issuer}/authorize?")
    asked = parse_qs(urlsplit(there).query)
    assert asked["redirect_uri"] == ["http://testserver/accounts/oidc/oidc/login/callback/"]
    assert "code_challenge" in asked
    return client.get("/accounts/oidc/oidc/login/callback/", {"code": "c", "state": asked["state"][0]})


def test_person_of_the_organisation_signs_in_gets_an_account(client: Client, provider: Provider):
    assert "Continue with Contoso" in client.get(reverse("account_login"), follow=True).content.decode()

    response = come_back(client, provider)

    assert response["Location"] == "/"
    ada = User.objects.get()
    assert (ada.email, ada.name) == ("ada@contoso.example", "Ada Winter")
    assert ada.is_superuser
    assert not ada.has_usable_password()
    assert client.get("/settings/").status_code == 200


def test_person_of_the_organisation_comes_again_is_the_same(client: Client, provider: Provider):
    come_back(client, provider)

    come_back(Client(), provider)

    assert User.objects.count() == 1


def test_person_of_the_organisation_gets_in_where_sign_up_is_closed(
    client: Client, provider: Provider, settings
):
    settings.SIGNUP_OPEN = False

    come_back(client, provider)

    assert User.objects.count() == 1


def test_provider_names_a_known_address_does_not_get_its_account(client: Client, provider: Provider):
    User.objects.create_superuser("ada@contoso.example", "a lamp by the window")

    come_back(client, provider)

    assert User.objects.count() == 1
    assert client.get("/settings/").status_code == 302


def test_provider_answers_with_foreign_state_is_refused(client: Client, provider: Provider):
    client.get(LOGIN)

    response = client.get("/accounts/oidc/oidc/login/callback/", {"code": "c", "state": "stolen"})

    assert response.status_code in {200, 302, 401, 403}
    assert not User.objects.exists()


def test_inactive_person_of_the_organisation_is_kept_out(client: Client, provider: Provider):
    come_back(client, provider)
    User.objects.update(is_active=False)

    newcomer = Client()
    come_back(newcomer, provider)

    assert newcomer.get("/settings/").status_code == 302


def test_house_without_provider_offers_none(client: Client):
    assert "Continue with" not in client.get(reverse("account_login"), follow=True).content.decode()
    assert client.get(LOGIN).status_code == 404
