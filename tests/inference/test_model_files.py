"""GGUF files: what they say, how they come in, and how they reach a server."""

import hashlib
import io

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test.utils import override_settings

from accounts.errors import InvalidInput, NotAllowed, NotFound
from accounts.models import User
from inference.errors import NotAModelFile, NotServedHere
from inference.model_files.fetching import abandoned_fetches, run_fetch
from inference.model_files.gguf import NotGguf, read_facts
from inference.model_files.services import (
    add_file_in_blob,
    add_uploaded_file,
    cancel_fetch,
    create_on_ollama,
    delete_file,
    serve_file,
    start_fetch,
    stop_serving,
)
from inference.model_server.choice import read_choice
from inference.models import Deployment, FileStatus, ModelFile, Server, ServerKind
from inference.types import Progress
from tests.inference.hub import SOURCE, Hub
from tests.inference.ollama import OllamaApi
from tests.openai_server import ScriptedServer
from tests.tiny_gguf import CONTEXT_TOKENS, write_tiny_gguf


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_tiny_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf").read_bytes()


@pytest.fixture
def upload(tiny: bytes) -> ContentFile:
    return ContentFile(tiny, name="My model (v1).gguf")


def test_head_of_a_file_tells_what_is_in_it(tiny: bytes) -> None:
    facts = read_facts(io.BytesIO(tiny))
    assert (facts.architecture, facts.name, facts.context_tokens) == ("llama", "tiny", CONTEXT_TOKENS)
    assert 500_000 < facts.parameters < 600_000


@pytest.mark.parametrize("cut", [0, 3, 8, 20, 60, 300, 2000])
def test_file_cut_short_or_of_another_kind_is_no_model(tiny: bytes, cut: int) -> None:
    with pytest.raises(NotGguf):
        read_facts(io.BytesIO(tiny[:cut]))
    with pytest.raises(NotGguf):
        read_facts(io.BytesIO(b"PK\x03\x04" + tiny[4:]))
    with pytest.raises(NotGguf):
        read_facts(io.BytesIO(tiny[:8] + b"\xff" * 16 + tiny[24:]))


def test_administrator_uploads_a_file(administrator: User, upload: ContentFile, tiny: bytes) -> None:
    row = add_uploaded_file(actor=administrator, upload=upload)
    assert row.name == "My-model-v1"
    assert (row.status, row.size_bytes, row.architecture) == (FileStatus.READY, len(tiny), "llama")
    assert row.sha256 == hashlib.sha256(tiny).hexdigest()
    with default_storage.open(row.blob_name) as stored:
        assert stored.read() == tiny
    delete_file(actor=administrator, file_id=row.pk)


def test_administrator_registers_a_file_in_blob(administrator: User, tiny: bytes) -> None:
    name = default_storage.save("incoming/weights.gguf", ContentFile(tiny))
    row = add_file_in_blob(actor=administrator, blob_name=name)
    assert (row.blob_name, row.context_tokens) == (name, CONTEXT_TOKENS)
    with pytest.raises(NotFound):
        add_file_in_blob(actor=administrator, blob_name="incoming/nothing.gguf")
    with pytest.raises(NotFound):
        add_file_in_blob(actor=administrator, blob_name="../../secret-key")


def test_file_that_is_no_model_is_refused_and_not_kept(administrator: User) -> None:
    with pytest.raises(NotAModelFile):
        add_uploaded_file(actor=administrator, upload=ContentFile(b"not a model", name="x.gguf"))
    assert not ModelFile.objects.exists()


def test_visitor_may_do_nothing_with_files(visitor: User, upload: ContentFile) -> None:
    with pytest.raises(NotAllowed):
        add_uploaded_file(actor=visitor, upload=upload)
    with pytest.raises(NotAllowed):
        start_fetch(actor=visitor, source=SOURCE, is_to_serve=False, begin=run_fetch)


def test_file_becomes_a_model_on_ollama_and_is_sent_once(
    server: ScriptedServer, administrator: User, upload: ContentFile, tiny: bytes
) -> None:
    ollama = OllamaApi(server)
    row = add_uploaded_file(actor=administrator, upload=upload)
    there = Server.objects.create(name="ollama", kind=ServerKind.OLLAMA, base_url=server.url)
    heard: list[Progress] = []
    give = {"actor": administrator, "file_id": row.pk, "server_id": there.pk, "on_progress": heard.append}
    create_on_ollama(model_name="team/mine", **give)
    assert ollama.blobs == {hashlib.sha256(tiny).hexdigest(): tiny}
    assert Deployment.objects.get(server=there, remote_name="team/mine:latest").missing_since is None
    assert [step.step for step in heard][-1] == "success"
    assert max(step.done_bytes for step in heard if step.step == "sending") == len(tiny)
    heard.clear()
    create_on_ollama(model_name="team/again", **give)
    assert "sending" not in {step.step for step in heard}
    delete_file(actor=administrator, file_id=row.pk)


@pytest.mark.django_db(transaction=True)
def test_administrator_fetches_a_file_and_it_is_checked_and_kept(
    server: ScriptedServer, administrator: User, tiny: bytes
) -> None:
    hub = Hub(server, tiny, cuts=[100_000])
    with override_settings(MODEL_HUB=hub.url):
        row = start_fetch(actor=administrator, source=SOURCE, is_to_serve=False, begin=run_fetch)
        row.refresh_from_db()
        assert (row.status, row.error) == (FileStatus.READY, "")
        assert (row.received_bytes, row.size_bytes, row.context_tokens) == (
            len(tiny),
            len(tiny),
            CONTEXT_TOKENS,
        )
        with default_storage.open(row.blob_name) as stored:
            assert stored.read() == tiny
        again = start_fetch(actor=administrator, source=SOURCE, is_to_serve=False, begin=run_fetch)
    assert again.pk == row.pk
    delete_file(actor=administrator, file_id=row.pk)


@pytest.mark.django_db(transaction=True)
def test_what_goes_wrong_stands_in_the_row(server: ScriptedServer, administrator: User) -> None:
    hub = Hub(server, b"GGUF but nothing else")
    with override_settings(MODEL_HUB=hub.url):
        row = start_fetch(actor=administrator, source=SOURCE, is_to_serve=False, begin=run_fetch)
    row.refresh_from_db()
    assert row.status == FileStatus.FAILED
    assert "not a whole GGUF file" in row.error


@pytest.mark.django_db(transaction=True)
def test_fetch_that_was_stopped_stays_stopped_and_one_whose_worker_died_is_found(administrator: User) -> None:
    begun: list[object] = []
    row = start_fetch(actor=administrator, source=SOURCE, is_to_serve=False, begin=begun.append)
    assert begun == [row.pk]
    assert abandoned_fetches() == []
    ModelFile.objects.update(touched_at="2020-01-01T00:00:00Z")
    assert abandoned_fetches() == [row.pk]
    cancel_fetch(actor=administrator, file_id=row.pk)
    assert abandoned_fetches() == []
    run_fetch(row.pk)
    row.refresh_from_db()
    assert row.status == FileStatus.FAILED


def test_house_on_an_estate_serves_no_file_itself(administrator: User, upload: ContentFile) -> None:
    row = add_uploaded_file(actor=administrator, upload=upload)
    with pytest.raises(NotServedHere):
        serve_file(actor=administrator, file_id=row.pk, begin=run_fetch)
    with pytest.raises(NotServedHere):
        start_fetch(actor=administrator, source=SOURCE, is_to_serve=True, begin=run_fetch)
    with pytest.raises(InvalidInput, match="owner/repository"):
        start_fetch(actor=administrator, source="nonsense", is_to_serve=False, begin=run_fetch)
    delete_file(actor=administrator, file_id=row.pk)


@pytest.mark.django_db(transaction=True)
def test_administrator_serves_a_file_here_and_stops_it(
    administrator: User, upload: ContentFile, settings, tmp_path
) -> None:
    settings.LOCAL_MODEL_URL, settings.MODEL_GGUF, settings.DATA_DIR = "http://127.0.0.1:1/v1", "", tmp_path
    row = add_uploaded_file(actor=administrator, upload=upload)
    with pytest.raises(InvalidInput, match="not being served"):
        stop_serving(actor=administrator, file_id=row.pk)
    serve_file(actor=administrator, file_id=row.pk, begin=run_fetch)
    assert read_choice(tmp_path).name == row.name
    stop_serving(actor=administrator, file_id=row.pk)
    assert read_choice(tmp_path) is None
