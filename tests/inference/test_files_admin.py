"""What administrators enter about files, models and servers, through the administration's pages."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import User
from inference.forms import ModelForm, ServerForm
from inference.models import Model, ModelFile, Server, ServerKind
from tests.inference.conftest import add_model
from tests.tiny_gguf import write_tiny_gguf

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Client, administrator: User) -> Client:
    client.force_login(administrator)
    return client


def test_administrator_uploads_a_file_and_removes_it(desk: Client, tmp_path) -> None:
    content = write_tiny_gguf(tmp_path / "tiny.gguf").read_bytes()
    add = reverse("admin:inference_modelfile_add")
    assert "Or a file of the model hub" in desk.get(add).content.decode()
    answer = desk.post(add, {"upload": SimpleUploadedFile("tiny.gguf", content)}, follow=True)
    assert "tiny was added" in answer.content.decode()
    row = ModelFile.objects.get()
    page = desk.get(reverse("admin:inference_modelfile_change", args=[row.pk])).content.decode()
    assert "llama" in page
    delete = reverse("admin:inference_modelfile_delete", args=[row.pk])
    desk.post(delete, {"post": "yes"})
    assert not ModelFile.objects.exists()


def test_file_that_is_no_model_is_told_on_the_page(desk: Client) -> None:
    add = reverse("admin:inference_modelfile_add")
    answer = desk.post(add, {"upload": SimpleUploadedFile("x.gguf", b"nothing")}, follow=True)
    assert "not a whole GGUF file" in answer.content.decode()
    assert "Choose one of the three ways" in desk.post(add, {}).content.decode()
    assert not ModelFile.objects.exists()


def test_house_without_ollama_says_so(desk: Client) -> None:
    row = ModelFile.objects.create(name="tiny", blob_name="models/tiny.gguf")
    listing = reverse("admin:inference_modelfile_changelist")
    for action, words in (("create", "add one first"), ("serve", "only on a laptop")):
        answer = desk.post(listing, {"action": action, "_selected_action": [row.pk]}, follow=True)
        assert words in answer.content.decode()


def model_form(model: Model, **changes: object) -> ModelForm:
    data = {"name": model.name, "capabilities": ["chat"], "cache_seconds": 0, "is_enabled": True} | changes
    return ModelForm(data, instance=model)


def test_administrator_sets_prices_defaults_and_groups() -> None:
    group, model = Group.objects.create(name="lawyers"), add_model("talker")
    form = model_form(
        model,
        prompt_price="2.50",
        completion_price="10",
        defaults='{"temperature": 0.3, "stop": ["END"]}',
        is_restricted=True,
        groups=[group.pk],
    )
    assert form.is_valid(), form.errors
    saved = form.save()
    assert (saved.prompt_price, saved.completion_price) == (Decimal("2.50"), Decimal(10))
    assert (saved.defaults["temperature"], list(saved.groups.all())) == (0.3, [group])


@pytest.mark.parametrize(
    "defaults",
    [
        '{"temperature": 3}',
        '{"model": "x"}',
        '{"messages": []}',
        '{"max_tokens": 1.5}',
        "[1]",
        '{"seed": true}',
    ],
)
def test_defaults_that_no_server_takes_are_refused(defaults: str) -> None:
    form = model_form(add_model("talker"), defaults=defaults)
    assert "defaults" in form.errors


def test_address_from_the_portal_may_be_pasted_whole() -> None:
    pasted = "https://team.openai.azure.com/openai/deployments/gpt/chat/completions?api-version=2024-10-21"
    form = ServerForm({"name": "old", "kind": ServerKind.AZURE_DATED, "base_url": pasted, "is_enabled": True})
    assert form.is_valid(), form.errors
    saved: Server = form.save(commit=False)
    assert (saved.base_url, saved.api_version) == ("https://team.openai.azure.com/openai", "2024-10-21")
    bare = {"name": "old", "kind": ServerKind.AZURE_DATED, "base_url": "https://team.openai.azure.com"}
    assert "api_version" in ServerForm(bare).errors


def test_own_identity_for_a_strangers_host_is_refused_beside_the_field() -> None:
    given = {"name": "x", "kind": ServerKind.OPENAI, "base_url": "https://elsewhere.example.test/v1"}
    assert "api_key_ref" in ServerForm(given | {"api_key_ref": "entra"}).errors
