"""Servers from the environment and their models: recognised, refreshed, gone, back again."""

import pytest
from django.test.utils import override_settings
from django.utils import timezone

from accounts.errors import InvalidInput, NotAllowed, NotFound
from accounts.ids import uuid7
from accounts.models import AuditEntry, User
from inference.errors import ModelUnavailable, ServerUrlRefused
from inference.estate.discovery import capability_of
from inference.models import Capability, Deployment, Model, Origin, Server, ServerKind
from inference.queries import forget_estate, resolve_model
from inference.services import (
    diagnose_server,
    record_usage,
    refresh_models,
    refresh_servers,
    register_configured_servers,
    save_server,
)
from inference.tasks import refresh_estate
from inference.types import Call
from tests.inference.conftest import add_model
from tests.openai_server import Refusal, ScriptedServer

pytestmark = pytest.mark.django_db


def register(url: str = "", *, models: tuple[str, ...] = (), embedding_url: str = "") -> Server | None:
    with override_settings(
        INFERENCE_URL=url, INFERENCE_MODELS=models, EMBEDDING_URL=embedding_url, EMBEDDING_MODEL="embedder"
    ):
        register_configured_servers()
    forget_estate()
    return Server.objects.filter(setting="INFERENCE_URL").first()


@pytest.mark.parametrize("kind", ["openai", "ollama", "vllm", "llamacpp"])
def test_house_recognises_the_kind_of_server_from_its_root_address(server: ScriptedServer, kind: str) -> None:
    server.kind = kind
    row = register(server.root_url)
    assert (row.kind, row.base_url, row.origin) == (kind, server.url, Origin.ENVIRONMENT)
    assert row.last_seen_at is not None
    target = resolve_model("pace-50")
    assert target.endpoints[0].can_continue == (kind != "openai")
    assert target.context_tokens == (4096 if kind == "llamacpp" else None)


def test_house_registers_each_of_several_servers_and_retires_the_one_left_out(server: ScriptedServer) -> None:
    with ScriptedServer() as second:
        server.models, second.models = ("first",), ("second",)
        register(f"{server.url}, {second.url}")
        assert resolve_model("first").endpoints[0].base_url == server.url
        assert resolve_model("second").endpoints[0].base_url == second.url

        register(server.url)

    assert resolve_model("first")
    with pytest.raises(ModelUnavailable):
        resolve_model("second")


def test_ollama_is_recognised_by_its_version_when_it_has_no_model(server: ScriptedServer) -> None:
    server.kind, server.models = "ollama", ()
    assert register(server.root_url).kind == ServerKind.OLLAMA


def test_house_takes_purpose_and_context_from_the_list(server: ScriptedServer) -> None:
    server.models = [
        {"id": "org/talker", "max_model_len": 8192},
        {"id": "nomic-embed-text", "dimensions": 768},
        "dall-e-3",
    ]
    register(server.url)
    assert resolve_model("org/talker").context_tokens == 8192
    assert Model.objects.get(name="nomic-embed-text").capabilities == [Capability.EMBEDDINGS]
    assert Model.objects.get(name="nomic-embed-text").dimensions == 768
    assert not Model.objects.filter(name="dall-e-3").exists()


def test_key_of_the_environment_is_sent_and_not_stored(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.api_key = "sk-secret"
    monkeypatch.setenv("INFERENCE_API_KEY", "sk-secret")
    row = register(server.url)
    assert row.api_key_ref == "env:INFERENCE_API_KEY"
    assert row.last_error == ""
    assert resolve_model("pace-0").endpoints[0].api_key == "sk-secret"


def test_registering_again_changes_nothing(server: ScriptedServer) -> None:
    register(server.url, embedding_url=server.url)
    before = [list(table.objects.order_by("pk").values_list("pk")) for table in (Server, Model, Deployment)]
    register(server.url, embedding_url=server.url)
    assert before == [
        list(table.objects.order_by("pk").values_list("pk")) for table in (Server, Model, Deployment)
    ]


def test_model_that_vanishes_goes_missing_and_comes_back(server: ScriptedServer) -> None:
    register(server.url)
    server.models = ["pace-0"]
    register(server.url)
    gone = Deployment.objects.get(remote_name="pace-50")
    assert gone.missing_since <= timezone.now()
    with pytest.raises(ModelUnavailable):
        resolve_model("pace-50")
    server.models = ["pace-0", "pace-50"]
    register(server.url)
    assert resolve_model("pace-50").endpoints[0].remote_name == "pace-50"
    assert Deployment.objects.filter(remote_name="pace-50").count() == 1


def test_server_that_is_down_keeps_its_models_and_says_what_is_wrong(server: ScriptedServer) -> None:
    register(server.url)
    server.stop()
    row = register(server.url)
    assert "cannot be reached" in row.last_error
    assert resolve_model("pace-0")
    server.start()
    assert register(server.url).last_error == ""


def test_server_that_moves_stays_one_row(server: ScriptedServer) -> None:
    first = register(server.url)
    with ScriptedServer(kind="vllm") as other:
        moved = register(other.url)
    assert moved.pk == first.pk
    assert (moved.base_url, moved.kind) == (other.url, ServerKind.VLLM)


def test_server_that_is_configured_no_longer_offers_nothing(server: ScriptedServer) -> None:
    register(server.url)
    register("")
    with pytest.raises(ModelUnavailable):
        resolve_model("pace-0")
    assert resolve_model(None).name == "quotes"
    register(server.url)
    assert resolve_model("pace-0")


def test_named_models_are_all_there_are(server: ScriptedServer) -> None:
    register(server.url, models=("pace-0", "my-deployment"))
    assert resolve_model("my-deployment")
    with pytest.raises(ModelUnavailable):
        resolve_model("pace-50")


def test_embedding_model_is_there_before_its_server_answers(server: ScriptedServer) -> None:
    server.stop()
    register(embedding_url=server.root_url)
    target = resolve_model("embedder", capability="embeddings")
    assert target.endpoints[0].base_url == server.url


def test_forbidden_address_is_not_registered(caplog: pytest.LogCaptureFixture) -> None:
    assert register("http://169.254.169.254/v1") is None
    assert "INFERENCE_URL cannot be used" in caplog.text


def test_edits_of_an_administrator_survive_a_refresh(server: ScriptedServer) -> None:
    register(server.url)
    Model.objects.filter(name="pace-0").update(
        label="Mine", capabilities=["chat", "tools"], context_tokens=99
    )
    register(server.url)
    model = Model.objects.get(name="pace-0")
    assert (model.label, model.capabilities, model.context_tokens) == ("Mine", ["chat", "tools"], 99)


def test_clock_refreshes_servers_of_administrators_too(server: ScriptedServer) -> None:
    added = Server.objects.create(name="added", base_url=server.url)
    disabled = Server.objects.create(name="disabled", base_url=server.url, is_enabled=False)
    refresh_estate()
    assert added.deployments.count() == 2
    assert disabled.deployments.count() == 0
    server.answer_everything = Refusal(200, body=b"<html>")
    refresh_servers()
    added.refresh_from_db()
    assert "not the OpenAI protocol" in added.last_error


def test_azure_keeps_the_deployments_that_an_administrator_named(server: ScriptedServer) -> None:
    row = Server.objects.create(name="azure", kind=ServerKind.AZURE_OPENAI, base_url=server.url)
    add_model("my-gpt", server=row)
    refresh_servers()
    assert set(row.deployments.filter(missing_since=None).values_list("remote_name", flat=True)) == {"my-gpt"}


def test_administrator_adds_a_server_and_gets_its_models(server: ScriptedServer, administrator: User) -> None:
    saved = save_server(actor=administrator, server=Server(name="new", base_url=f"{server.root_url}/"))
    assert saved.base_url == server.url
    diagnosis = refresh_models(actor=administrator, server_id=saved.pk)
    assert diagnosis.is_ok
    assert str(diagnosis.sentence) == "“new” answers: OpenAI-compatible, 2 models."
    assert AuditEntry.objects.filter(verb="save_server", actor=administrator).exists()


def test_administrator_testing_a_connection_writes_no_models(
    server: ScriptedServer, administrator: User
) -> None:
    row = Server.objects.create(name="new", base_url=server.url)
    assert diagnose_server(actor=administrator, server_id=row.pk).is_ok
    assert not Deployment.objects.exists()
    server.api_key = "sk-other"
    refused = diagnose_server(actor=administrator, server_id=row.pk)
    assert not refused.is_ok
    assert "check the API key" in str(refused.sentence)


def test_visitor_may_not_touch_servers(visitor: User) -> None:
    row = Server.objects.create(name="theirs", base_url="http://127.0.0.1:1/v1")
    for act in (
        lambda: save_server(actor=visitor, server=row),
        lambda: refresh_models(actor=visitor, server_id=row.pk),
        lambda: diagnose_server(actor=visitor, server_id=row.pk),
    ):
        with pytest.raises(NotAllowed):
            act()


def test_administrator_gets_not_found_for_an_unknown_server(administrator: User) -> None:
    with pytest.raises(NotFound):
        refresh_models(actor=administrator, server_id=uuid7())


@pytest.mark.parametrize(
    "reference", ["sk-1234", "env:SECRET_KEY", "env:DATABASE_URL", "env:X_API_KEY;", "env:"]
)
def test_only_a_variable_made_for_keys_is_taken_for_a_reference(administrator: User, reference: str) -> None:
    row = Server(name="new", base_url="http://127.0.0.1:1", api_key_ref=reference)
    with pytest.raises(InvalidInput, match="not the key itself"):
        save_server(actor=administrator, server=row)


def test_usage_is_kept_under_the_name_of_the_model(visitor: User) -> None:
    model = add_model("talker")
    [used] = record_usage(
        [
            Call(
                user_id=visitor.pk,
                model_name="talker",
                prompt_tokens=10,
                completion_tokens=20,
                first_token_seconds=0.1,
                duration_seconds=2.0,
            )
        ]
    )
    model.delete()
    used.refresh_from_db()
    assert (used.model, used.model_name, used.completion_tokens) == (None, "talker", 20)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "ftp://host/v1",
        "file:///etc/passwd",
        "http://",
        "http://host:port/v1",
        "http://169.254.169.254/latest/meta-data",
        "http://[fd00:ec2::254]/v1",
        "http://[fe80::1]/v1",
        "http://[::ffff:169.254.169.254]/v1",
        "http://168.63.129.16/v1",
        "http://0.0.0.0:11434",
        "http://2852039166/v1",
        "https://key@host/v1",
        "https://host/v1?api-version=1",
    ],
)
def test_address_that_no_server_may_have_is_refused(administrator: User, url: str) -> None:
    with pytest.raises(ServerUrlRefused):
        save_server(actor=administrator, server=Server(name="bad", base_url=url))


def test_address_of_the_database_or_redis_is_refused(administrator: User, settings) -> None:
    for url in (settings.DATABASE_URL, settings.REDIS_URL):
        port = url.rsplit(":", 1)[1].split("/")[0]
        with pytest.raises(ServerUrlRefused, match="own database or Redis"):
            save_server(
                actor=administrator, server=Server(name="bad", base_url=f"http://localhost:{port}/v1")
            )


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("http://localhost:11434", "http://localhost:11434/v1"),
        (" https://example.invalid/api/v1/ ", "https://example.invalid/api/v1"),
        ("https://res.openai.azure.com", "https://res.openai.azure.com/openai/v1"),
        ("http://ollama:11434", "http://ollama:11434/v1"),
    ],
)
def test_address_gets_the_path_where_the_api_begins(administrator: User, given: str, kept: str) -> None:
    assert save_server(actor=administrator, server=Server(name="new", base_url=given)).base_url == kept


@pytest.mark.parametrize(
    ("name", "capability"),
    [
        ("llama3.2:latest", "chat"),
        ("text-embedding-3-small", "embeddings"),
        ("BAAI/bge-m3", "embeddings"),
        ("bge-reranker-v2", "rerank"),
        ("whisper-1", "transcription"),
        ("gpt-image-1", None),
        ("gpt-5", "chat"),
    ],
)
def test_name_of_a_model_tells_what_it_is_for(name: str, capability: str | None) -> None:
    assert capability_of(name) == capability
