"""Which model a name leads to, and that a message does not pay for the question."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inference.errors import KeyMissing, ModelUnavailable
from inference.models import Capability, Deployment, Model, Server
from inference.queries import forget_estate, has_language_model, list_chat_models, resolve_model
from inference.services import register_configured_servers, set_default_model
from tests.inference.conftest import add_model

pytestmark = pytest.mark.django_db


def test_caller_gets_the_named_model_with_all_its_endpoints() -> None:
    model = add_model("talker", context_tokens=8192)
    other = Server.objects.create(name="other", kind="vllm", base_url="http://127.0.0.1:2/v1")
    Deployment.objects.create(model=model, server=other, remote_name="org/talker", weight=3)
    target = resolve_model("talker")
    assert (target.name, target.label, target.context_tokens) == ("talker", "talker", 8192)
    assert [(e.server_name, e.remote_name, e.weight, e.can_continue) for e in target.endpoints] == [
        ("other", "org/talker", 3, True),
        ("server of talker", "talker", 1, False),
    ]
    assert not target.can_continue


def test_context_is_what_the_smallest_server_tells_unless_set() -> None:
    model = add_model("talker")
    other = Server.objects.create(name="other", base_url="http://127.0.0.1:2/v1")
    Deployment.objects.create(model=model, server=other, remote_name="x", context_tokens=4096)
    Deployment.objects.filter(remote_name="talker").update(context_tokens=8192)
    assert resolve_model("talker").context_tokens == 4096


def test_warm_caller_pays_no_query() -> None:
    add_model("talker")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        resolve_model("talker")
        assert len(queries) == 2  # servers with their models, and limits
        resolve_model("talker")
        resolve_model(None)
        list_chat_models()
        has_language_model()
    assert len(queries) == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda: Model.objects.update(is_enabled=False),
        lambda: Server.objects.update(is_enabled=False),
        lambda: Deployment.objects.update(is_enabled=False),
        lambda: Deployment.objects.update(missing_since="2026-01-01T00:00Z"),
        lambda: Model.objects.update(capabilities=[Capability.EMBEDDINGS]),
        lambda: Model.objects.all().delete(),
    ],
)
def test_caller_of_a_model_that_is_off_or_gone_is_told_so(change) -> None:
    add_model("talker")
    change()
    with pytest.raises(ModelUnavailable, match="“talker” is not available"):
        resolve_model("talker")
    with pytest.raises(ModelUnavailable):
        resolve_model(None)


def test_default_is_the_marked_model_then_the_first_then_quotes(administrator) -> None:
    register_configured_servers()
    assert resolve_model(None).name == "quotes"
    assert not has_language_model()
    beta = add_model("beta")
    add_model("alpha")
    forget_estate()
    assert has_language_model()
    assert resolve_model(None).name == "alpha"
    set_default_model(actor=administrator, model_id=beta.pk)
    forget_estate()
    assert resolve_model(None).name == "beta"
    Deployment.objects.filter(model=beta).update(missing_since="2026-01-01T00:00Z")
    forget_estate()
    assert resolve_model(None).name == "alpha"


def test_people_see_chat_models_only_default_first_quotes_last(administrator) -> None:
    register_configured_servers()
    add_model("alpha")
    add_model("embedder", capability=Capability.EMBEDDINGS)
    set_default_model(actor=administrator, model_id=add_model("beta", label="The Beta").pk)
    forget_estate()
    listed = list_chat_models()
    assert [model.name for model in listed] == ["beta", "alpha", "quotes"]
    assert [model.is_default for model in listed] == [True, False, False]
    assert listed[0].label == "The Beta"


def test_key_comes_from_the_environment_and_stays_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    add_model("talker")
    Server.objects.update(api_key_ref="env:TALKER_KEY")
    with pytest.raises(KeyMissing, match="set TALKER_KEY"):
        resolve_model("talker")
    monkeypatch.setenv("TALKER_KEY", "sk-secret")
    forget_estate()
    target = resolve_model("talker")
    assert target.endpoints[0].api_key == "sk-secret"
    assert "sk-secret" not in repr(target)


def test_server_without_its_key_does_not_hide_the_one_that_has_it() -> None:
    model = add_model("talker")
    keyed = Server.objects.create(name="keyed", base_url="http://127.0.0.1:2/v1", api_key_ref="env:NOT_THERE")
    Deployment.objects.create(model=model, server=keyed, remote_name="talker")
    assert [endpoint.server_name for endpoint in resolve_model("talker").endpoints] == ["server of talker"]
