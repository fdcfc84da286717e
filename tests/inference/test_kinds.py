"""Every kind of server as it really speaks: found, described, asked for a chat, refused a wrong key."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer

import pytest
from django.test.utils import override_settings

from accounts.errors import InvalidInput
from accounts.models import User
from inference import keys
from inference.embeddings import embed_queries
from inference.endpoints import endpoint_at
from inference.errors import KeyRefused, ModelGone, ModelNotInLibrary, OperationUnsupported, StreamCut
from inference.estate.discovery import describe_model
from inference.estate.operations import (
    delete_model,
    list_loaded_models,
    load_model,
    pull_model,
    unload_model,
)
from inference.models import Capability, Deployment, Model, Server, ServerKind
from inference.queries import forget_estate, resolve_model
from inference.services import diagnose_server, refresh_models, save_server
from inference.types import ChatRequest, Progress, Turn
from tests.inference.conftest import add_model, answer_of, collect
from tests.inference.ollama import EMBEDDER, LLAMA, SIZE_BYTES, OllamaApi
from tests.inference.test_keys import IdentityEndpoint
from tests.openai_server import Answer, Response, ScriptedServer
from tests.tiny_gguf import CONTEXT_TOKENS, SENTENCE

pytestmark = pytest.mark.django_db(transaction=True)
HELLO = ChatRequest(turns=(Turn("user", "Hello"),), max_tokens=30)


def register(
    administrator: User, server: ScriptedServer, kind: str, *, path: str = "/v1", **fields: str
) -> Server:
    row = Server(name=f"the {kind}", kind=kind, base_url=f"{server.root_url}{path}", **fields)
    save_server(actor=administrator, server=row)
    return row


def chat(model_name: str) -> str:
    forget_estate()
    return answer_of(asyncio.run(collect(resolve_model(model_name), HELLO)))


def pulled(administrator: User, row: Server, name: str) -> list[Progress]:
    async def run() -> list[Progress]:
        return [step async for step in pull_model(actor=administrator, server_id=row.pk, name=name)]

    return asyncio.run(run())


# Ollama


def test_ollama_tells_what_its_models_can(server: ScriptedServer, administrator: User) -> None:
    OllamaApi(server, models={"llama3.2:latest": LLAMA, "nomic-embed-text:latest": EMBEDDER})
    row = register(administrator, server, ServerKind.OLLAMA)
    assert refresh_models(actor=administrator, server_id=row.pk).is_ok
    talker, embedder = (
        Model.objects.get(name__startswith="llama"),
        Model.objects.get(name__startswith="nomic"),
    )
    assert talker.capabilities == [Capability.CHAT, Capability.TOOLS]
    assert (embedder.capabilities, embedder.dimensions) == ([Capability.EMBEDDINGS], 768)
    assert talker.deployments.get().context_tokens == 131072
    shown = describe_model(endpoint_at(row, "llama3.2:latest"))
    assert (shown.parameters, shown.quantisation, shown.family) == (3212749888, "Q4_K_M", "llama")
    assert (shown.size_bytes, shown.is_loaded) == (SIZE_BYTES, False)
    server.script(Answer(text="Here."))
    assert chat("llama3.2:latest") == "Here."
    with override_settings(EMBEDDING_MODEL="nomic-embed-text:latest"):
        forget_estate()
        assert embed_queries(["one", "two"]).shape == (2, server.dimensions)


def test_administrator_pulls_loads_frees_and_deletes_a_model(
    server: ScriptedServer, administrator: User
) -> None:
    ollama = OllamaApi(server)
    row = register(administrator, server, ServerKind.OLLAMA)
    steps = pulled(administrator, row, "llama3.2")
    assert [step.is_done for step in steps][-1]
    assert {step.total_bytes for step in steps if step.total_bytes} == {SIZE_BYTES}
    assert SIZE_BYTES in {step.done_bytes for step in steps}
    assert steps[-1].step == "success"
    name = Deployment.objects.get(server=row).remote_name
    where = {"actor": administrator, "server_id": row.pk}
    load_model(**where, remote_name=name)
    assert list_loaded_models(**where) == {name} == ollama.loaded
    unload_model(**where, remote_name=name)
    assert list_loaded_models(**where) == set()
    delete_model(**where, remote_name=name)
    delete_model(**where, remote_name=name)
    assert ollama.models == {}
    assert Deployment.objects.get(server=row).missing_since is not None


def test_embedding_model_is_loaded_its_own_way(server: ScriptedServer, administrator: User) -> None:
    ollama = OllamaApi(server, models={"nomic-embed-text:latest": EMBEDDER})
    row = register(administrator, server, ServerKind.OLLAMA)
    refresh_models(actor=administrator, server_id=row.pk)
    load_model(actor=administrator, server_id=row.pk, remote_name="nomic-embed-text:latest")
    assert ollama.loaded == {"nomic-embed-text:latest"}


def test_pull_that_cannot_be_says_why(server: ScriptedServer, administrator: User) -> None:
    ollama = OllamaApi(server)
    row = register(administrator, server, ServerKind.OLLAMA)
    with pytest.raises(ModelNotInLibrary, match="Check the spelling"):
        pulled(administrator, row, "no-such-model")
    ollama.is_cut = True
    with pytest.raises(StreamCut):
        pulled(administrator, row, "llama3.2")
    with pytest.raises(ModelGone):
        describe_model(endpoint_at(row, "never:here"))


# vLLM and KAITO, whose Workspaces and InferenceSets serve vLLM below one address


@pytest.mark.parametrize("kind", [ServerKind.VLLM, ServerKind.KAITO])
def test_vllm_and_kaito_tell_their_context_and_continue(
    server: ScriptedServer, administrator: User, kind: str
) -> None:
    server.kind = "vllm"
    server.models = [{"id": "phi-4", "root": "microsoft/phi-4", "parent": None, "max_model_len": 16384}]
    row = register(administrator, server, kind)
    assert refresh_models(actor=administrator, server_id=row.pk).is_ok
    row.refresh_from_db()
    target = resolve_model("phi-4")
    assert (row.kind, target.context_tokens, target.can_continue) == (kind, 16384, True)
    server.script(Answer(text="Here I am."))
    begun = ChatRequest(turns=HELLO.turns, continue_from="Here")
    assert answer_of(asyncio.run(collect(target, begun))) == " I am."
    assert server.chats[-1].body["continue_final_message"] is True
    with pytest.raises(OperationUnsupported, match="chosen where it is started"):
        pulled(administrator, row, "phi-4")


# TGI


def test_tgi_is_recognised_and_tells_its_context(server: ScriptedServer, administrator: User) -> None:
    server.models = [{"id": "HuggingFaceH4/zephyr-7b-beta", "owned_by": "HuggingFaceH4/zephyr-7b-beta"}]
    info = {
        "model_id": "HuggingFaceH4/zephyr-7b-beta",
        "model_dtype": "torch.float16",
        "max_input_tokens": 4095,
        "max_total_tokens": 4096,
        "version": "3.3.4",
    }
    server.routes["GET", "/info"] = lambda request: Response(info)
    row = register(administrator, server, ServerKind.OPENAI)
    assert refresh_models(actor=administrator, server_id=row.pk).is_ok
    row.refresh_from_db()
    assert row.kind == ServerKind.TGI
    assert resolve_model("HuggingFaceH4/zephyr-7b-beta").context_tokens == 4096
    server.script(Answer(text="Here."))
    assert chat("HuggingFaceH4/zephyr-7b-beta") == "Here."


def test_text_embeddings_inference_without_a_list_tells_its_one_model(
    server: ScriptedServer, administrator: User
) -> None:
    info = {
        "model_id": "BAAI/bge-reranker-large",
        "model_type": {"reranker": {"id2label": {"0": "LABEL_0"}}},
        "max_input_length": 512,
    }
    server.routes["GET", "/info"] = lambda request: Response(info)
    server.routes["GET", "/v1/models"] = lambda request: Response(b"", 404)
    row = register(administrator, server, ServerKind.TGI)
    assert refresh_models(actor=administrator, server_id=row.pk).is_ok
    assert Model.objects.get(name="BAAI/bge-reranker-large").capabilities == [Capability.RERANK]


# Azure OpenAI and Foundry


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


def test_foundry_takes_key_or_token_and_the_deployments_that_are_named(
    server: ScriptedServer,
    administrator: User,
    monkeypatch: pytest.MonkeyPatch,
    identity: type[IdentityEndpoint],
) -> None:
    server.chat_path = "/openai/v1/chat/completions"
    server.routes["GET", "/openai/v1/models"] = lambda request: Response(
        {"data": [{"id": "gpt-4o-2024-11-20"}]}
    )
    monkeypatch.setenv("AZURE_API_KEY", "a-key")
    server.api_key = "a-key"
    row = register(
        administrator, server, ServerKind.AZURE_OPENAI, path="/openai/v1", api_key_ref="env:AZURE_API_KEY"
    )
    assert refresh_models(actor=administrator, server_id=row.pk).is_ok
    assert not Deployment.objects.filter(server=row).exists()
    add_model("my-gpt", server=row)
    server.script(Answer(text="By key."), Answer(text="By token."))
    assert chat("my-gpt") == "By key."
    assert server.chats[-1].body["max_completion_tokens"] == 30
    assert "max_tokens" not in server.chats[-1].body
    monkeypatch.setenv("AZURE_API_KEY", "entra")
    server.api_key = "a-token"
    assert chat("my-gpt") == "By token."
    assert identity.asked[-1]["resource"] == ["https://ai.azure.com"]


def test_dated_azure_has_the_deployment_in_its_path_and_the_key_in_a_header_of_its_own(
    server: ScriptedServer,
    administrator: User,
    monkeypatch: pytest.MonkeyPatch,
    identity: type[IdentityEndpoint],
) -> None:
    server.chat_path = "/openai/deployments/my%20gpt/chat/completions"
    server.routes["GET", "/openai/models"] = lambda request: (
        Response({"data": []})
        if request.path.endswith("?api-version=2024-10-21")
        else Response({"error": {"code": "404", "message": "Resource not found"}}, 404)
    )
    monkeypatch.setenv("OLD_API_KEY", "old-key")
    server.api_key, server.key_header = "old-key", "api-key"
    row = register(
        administrator,
        server,
        ServerKind.AZURE_DATED,
        path="/openai/deployments/my%20gpt/chat/completions",
        api_key_ref="env:OLD_API_KEY",
        api_version="2024-10-21",
    )
    assert row.base_url == f"{server.root_url}/openai"
    assert diagnose_server(actor=administrator, server_id=row.pk).is_ok
    add_model("my gpt", server=row)
    server.script(Answer(text="Dated."), Answer(text="Signed in."))
    assert chat("my gpt") == "Dated."
    asked = server.chats_at("/openai/deployments/my%20gpt/chat/completions")[-1]
    assert asked.path.endswith("/chat/completions?api-version=2024-10-21")
    assert "authorization" not in asked.headers
    monkeypatch.setenv("OLD_API_KEY", "entra")
    server.api_key, server.key_header = "a-token", "authorization"
    assert chat("my gpt") == "Signed in."
    assert identity.asked[-1]["resource"] == ["https://cognitiveservices.azure.com"]
    Server.objects.filter(pk=row.pk).update(api_version="1999-01-01")
    assert "ends where its API begins" in str(diagnose_server(actor=administrator, server_id=row.pk).sentence)


def test_own_identity_is_used_at_azure_alone(administrator: User) -> None:
    for url in ("https://elsewhere.example.test/v1", "http://team.openai.azure.com/openai/v1"):
        with pytest.raises(InvalidInput, match="only at Azure's hosts"):
            save_server(actor=administrator, server=Server(name="x", base_url=url, api_key_ref="entra"))
    kept = save_server(
        actor=administrator,
        server=Server(name="x", base_url="https://team.openai.azure.com", api_key_ref="entra"),
    )
    assert (kept.base_url, kept.api_key_ref) == ("https://team.openai.azure.com/openai/v1", "entra")


# Azure ML


def test_azure_ml_gets_the_chat_at_its_scoring_uri_with_a_bearer(
    server: ScriptedServer,
    administrator: User,
    monkeypatch: pytest.MonkeyPatch,
    identity: type[IdentityEndpoint],
) -> None:
    server.chat_path = "/score"
    server.routes["GET", "/score"] = lambda request: Response(b"Method Not Allowed", 405)
    monkeypatch.setenv("ML_API_KEY", "endpoint-key")
    server.api_key = "endpoint-key"
    row = register(administrator, server, ServerKind.AZURE_ML, path="/score", api_key_ref="env:ML_API_KEY")
    assert diagnose_server(actor=administrator, server_id=row.pk).is_ok
    add_model("mistral", server=row)
    server.script(Answer(text="Scored."), Answer(text="Signed in."))
    assert chat("mistral") == "Scored."
    monkeypatch.setenv("ML_API_KEY", "entra")
    server.api_key = "a-token"
    assert chat("mistral") == "Signed in."
    assert identity.asked[-1]["resource"] == ["https://ml.azure.com"]
    server.api_key = "another"
    assert "check the API key" in str(diagnose_server(actor=administrator, server_id=row.pk).sentence)


def test_azure_ml_endpoint_with_an_openai_api_is_asked_for_its_models(
    server: ScriptedServer, administrator: User
) -> None:
    row = register(administrator, server, ServerKind.AZURE_ML)
    assert refresh_models(actor=administrator, server_id=row.pk).is_ok
    server.script(Answer(text="Here."))
    assert chat("pace-0") == "Here."


# Amazon Bedrock


def test_bedrock_takes_a_bearer_and_models_that_are_named_where_it_has_no_list(
    server: ScriptedServer, administrator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.chat_path = "/openai/v1/chat/completions"
    server.routes["GET", "/openai/v1/models"] = lambda request: Response(
        {"message": "The requested operation is not recognized by the service."}, 404
    )
    monkeypatch.setenv("BEDROCK_API_KEY", "bedrock-api-key-x")
    server.api_key = "bedrock-api-key-x"
    row = register(
        administrator, server, ServerKind.BEDROCK, path="/openai/v1", api_key_ref="env:BEDROCK_API_KEY"
    )
    assert refresh_models(actor=administrator, server_id=row.pk).is_ok
    add_model("openai.gpt-oss-20b-1:0", server=row)
    server.script(Answer(text="From Bedrock."))
    assert chat("openai.gpt-oss-20b-1:0") == "From Bedrock."


@pytest.mark.parametrize(
    ("url", "base", "kind"),
    [
        (
            "https://bedrock-runtime.us-west-2.amazonaws.com",
            "https://bedrock-runtime.us-west-2.amazonaws.com/openai/v1",
            ServerKind.BEDROCK,
        ),
        (
            "https://bedrock-mantle.us-east-1.api.aws/v1",
            "https://bedrock-mantle.us-east-1.api.aws/v1",
            ServerKind.BEDROCK,
        ),
        (
            "https://team.services.ai.azure.com",
            "https://team.services.ai.azure.com/openai/v1",
            ServerKind.AZURE_OPENAI,
        ),
        (
            "https://chat.westeurope.inference.ml.azure.com/score",
            "https://chat.westeurope.inference.ml.azure.com/score",
            ServerKind.AZURE_ML,
        ),
    ],
)
def test_cloud_is_known_by_its_host(administrator: User, url: str, base: str, kind: str) -> None:
    kept = save_server(actor=administrator, server=Server(name="cloud", base_url=url))
    assert (kept.base_url, kept.kind) == (base, kind)


# llama.cpp itself


def test_llama_cpp_itself_is_recognised_described_and_chats(llama: str, administrator: User) -> None:
    row = save_server(actor=administrator, server=Server(name="real", base_url=llama))
    assert refresh_models(actor=administrator, server_id=row.pk).is_ok
    row.refresh_from_db()
    target = resolve_model("tiny")
    assert (row.kind, target.context_tokens) == (ServerKind.LLAMACPP, CONTEXT_TOKENS)
    assert Model.objects.get(name="tiny").capabilities == [Capability.CHAT]
    shown = describe_model(endpoint_at(row, "tiny"))
    assert 500_000 < shown.parameters < 600_000
    assert chat("tiny").strip() == SENTENCE
    with pytest.raises(OperationUnsupported):
        pulled(administrator, row, "tiny")


# Any of them


@pytest.mark.parametrize(
    "kind",
    [
        ServerKind.OPENAI,
        ServerKind.OLLAMA,
        ServerKind.VLLM,
        ServerKind.KAITO,
        ServerKind.LLAMACPP,
        ServerKind.TGI,
    ],
)
def test_wrong_key_is_told_by_every_kind(server: ScriptedServer, administrator: User, kind: str) -> None:
    server.api_key = "right"
    row = register(administrator, server, kind)
    diagnosis = diagnose_server(actor=administrator, server_id=row.pk)
    assert not diagnosis.is_ok
    assert "check the API key" in str(diagnosis.sentence)
    add_model("pace-0", server=row)
    with pytest.raises(KeyRefused):
        chat("pace-0")
