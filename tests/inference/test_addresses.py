"""Where no connection for a model server goes, whatever name, redirect or form of address leads there."""

import asyncio
import socket

import pytest
from django.test.utils import override_settings

from inference.errors import AnswerGarbled, ServerUnreachable, ServerUrlRefused
from inference.net import addresses
from inference.net.addresses import check_server_url, is_blocked, is_forbidden
from inference.net.http import call, place
from tests.inference.conftest import collect, target_at
from tests.openai_server import Response, ScriptedServer

AZURITE = "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;BlobEndpoint=http://127.0.0.1:10990/devstoreaccount1;"
LONG_KEY = "AccountKey=abc==;AccountName=team;EndpointSuffix=core.windows.net"


@pytest.fixture(autouse=True)
def forget_services(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "_services", (-1000.0, frozenset()))


@pytest.fixture
def rebinding(monkeypatch: pytest.MonkeyPatch):
    """A name server that a stranger runs: `lead` says where the name leads from now on."""
    where = {"address": "127.0.0.1"}
    ask = socket.getaddrinfo

    def answer(host: str, port: object = None, *rest: object, **more: object):
        return ask(where["address"] if host == "models.example.test" else host, port, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return lambda address: where.update(address=address)


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "::a9fe:a9fe",
        "2002:a9fe:a9fe::",
        "fe80::1%eth0",
        "168.63.129.16",
        "0.0.0.0",
        "::",
    ],
)
def test_no_form_of_a_metadata_address_may_be_called(address: str) -> None:
    assert is_forbidden(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.0.0.4", "20.1.2.3", "2603:1030::5"])
def test_hosts_of_a_cluster_and_of_the_internet_may_be_called(address: str) -> None:
    assert not is_forbidden(address)


@pytest.mark.parametrize(
    ("configured", "url"),
    [
        ({"AZURE_STORAGE_CONNECTION_STRING": AZURITE}, "http://localhost:10990/v1"),
        ({"AZURE_STORAGE_CONNECTION_STRING": LONG_KEY}, "https://team.blob.core.windows.net/v1"),
        ({"AZURE_STORAGE_ACCOUNT": "team"}, "https://team.blob.core.windows.net/models"),
        ({"REDIS_URL": "rediss://:pw@cache.example.test:10000/0"}, "https://cache.example.test:10000/v1"),
        ({"DATABASE_URL": "postgres://u:p@db.example.test/x"}, "http://db.example.test:5432/v1"),
    ],
)
def test_backing_services_are_no_model_servers(configured: dict[str, str], url: str) -> None:
    with override_settings(**configured), pytest.raises(ServerUrlRefused, match="or of its files"):
        check_server_url(url)
    assert check_server_url("https://other.example.test/v1")


def test_connection_to_redis_is_blocked_by_its_address(settings) -> None:
    port = int(settings.REDIS_URL.rsplit(":", 1)[1].split("/")[0])
    assert is_blocked("127.0.0.1", port)
    assert not is_blocked("127.0.0.1", 11434)


def test_name_that_changes_its_mind_is_not_followed(server: ScriptedServer, rebinding) -> None:
    url = f"http://models.example.test:{server.port}/v1"
    assert check_server_url(url) == url
    there = place(server_name="x", base_url=url, api_key="")
    assert b"pace-0" in call(there, "/models", answer_seconds=5)
    rebinding("169.254.169.254")
    with pytest.raises(ServerUrlRefused, match="clouds keep secrets"):
        check_server_url(url)
    with pytest.raises(ServerUnreachable):
        asyncio.run(collect(target_at(url)))


@pytest.mark.parametrize("host", ["127.0.0.1", "[::ffff:127.0.0.1]"])
def test_address_without_a_name_is_judged_at_the_connection_too(settings, host: str) -> None:
    port = int(settings.REDIS_URL.rsplit(":", 1)[1].split("/")[0])
    with pytest.raises(ServerUnreachable):
        asyncio.run(collect(target_at(f"http://{host}:{port}/v1")))
    with pytest.raises(ServerUnreachable):
        call(place(server_name="x", base_url=f"http://{host}:{port}", api_key=""), "/v1", answer_seconds=5)


def test_name_that_leads_to_redis_later_reaches_nothing(settings, rebinding) -> None:
    port = int(settings.REDIS_URL.rsplit(":", 1)[1].split("/")[0])
    url = f"http://models.example.test:{port}/v1"
    with pytest.raises(ServerUnreachable):
        asyncio.run(collect(target_at(url)))
    with pytest.raises(ServerUnreachable):
        call(place(server_name="x", base_url=url, api_key=""), "/models", answer_seconds=5)


def test_redirect_is_not_followed_and_no_key_goes_along(server: ScriptedServer) -> None:
    with ScriptedServer() as elsewhere:
        away = Response(status=302, headers={"Location": f"{elsewhere.url}/models"})
        server.routes["GET", "/v1/models"] = lambda request: away
        server.routes["POST", "/v1/chat/completions"] = lambda request: away
        there = place(server_name="x", base_url=server.url, api_key="sk-secret")
        with pytest.raises(AnswerGarbled):
            call(there, "/models", answer_seconds=5)
        with pytest.raises(AnswerGarbled):
            asyncio.run(collect(target_at(server.url, api_key="sk-secret")))
        assert elsewhere.requests == []
