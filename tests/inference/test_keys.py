"""Where keys come from. Entra's tokens are fetched by the real client, from a managed identity endpoint on loopback."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from inference import keys
from inference.errors import KeyMissing
from inference.keys import resolve_key


class IdentityEndpoint(BaseHTTPRequestHandler):
    """Answers as App Service's and Container Apps' managed identity endpoint does (api-version 2019-08-01)."""

    asked: list[dict[str, list[str]]] = []
    status = 200

    def do_GET(self) -> None:
        self.asked.append(parse_qs(urlsplit(self.path).query))
        body = {
            "access_token": "a-token",
            "expires_on": "4102444800",
            "resource": "x",
            "token_type": "Bearer",
        }
        answer = json.dumps(body if self.status == 200 else {"error": "no such identity"}).encode()
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def identity(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[IdentityEndpoint]]:
    handler = type("Handler", (IdentityEndpoint,), {"asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{server.server_port}/")
    monkeypatch.setenv("IDENTITY_HEADER", "secret-of-the-endpoint")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
    keys._credential.cache_clear()
    yield handler
    keys._credential.cache_clear()
    server.shutdown()
    server.server_close()
    thread.join()


def test_server_without_a_reference_has_no_key() -> None:
    assert resolve_key("", server_name="ollama") == ""


def test_reference_leads_to_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", " k-1 ")

    assert resolve_key("env:SOME_KEY", server_name="x") == "k-1"


def test_entra_gets_a_token_for_azure_openai_and_keeps_it(
    identity: type[IdentityEndpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INFERENCE_API_KEY", "entra")

    tokens = {resolve_key("env:INFERENCE_API_KEY", server_name="azure") for _ in range(3)}

    assert tokens == {"a-token"}
    assert [one["resource"] for one in identity.asked] == [["https://ai.azure.com"]]


def test_entra_without_an_identity_says_what_is_missing(
    identity: type[IdentityEndpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    identity.status = 400
    monkeypatch.setenv("INFERENCE_API_KEY", "entra")

    with pytest.raises(KeyMissing, match="AZURE_CLIENT_ID"):
        resolve_key("env:INFERENCE_API_KEY", server_name="azure")
