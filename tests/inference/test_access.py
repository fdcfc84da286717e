"""Who may use a model, and what it does where nobody says otherwise."""

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from inference.errors import ModelUnavailable
from inference.models import Model
from inference.queries import forget_estate, list_chat_models, list_models, resolve_model
from inference.types import ChatRequest, Turn
from inference.wire.completions import chat_body
from tests.inference.conftest import add_model

pytestmark = pytest.mark.django_db


@pytest.fixture
def lawyers(visitor: User) -> Group:
    group = Group.objects.create(name="lawyers")
    visitor.groups.add(group)
    return group


@pytest.fixture
def outsider(db: None) -> User:
    return User.objects.create_user("outsider@example.com", "a long password")


def restrict(model: Model, *groups: Group) -> None:
    Model.objects.filter(pk=model.pk).update(is_restricted=True)
    model.groups.set(groups)
    forget_estate()


def names(user: User | None) -> list[str]:
    return [model.name for model in list_chat_models(user)]


def test_model_of_a_group_is_absent_for_everybody_else(
    visitor: User, outsider: User, administrator: User, lawyers: Group
) -> None:
    add_model("public")
    restrict(add_model("contracts"), lawyers)
    assert names(visitor) == names(administrator) == names(None) == ["contracts", "public"]
    assert names(outsider) == ["public"]
    assert resolve_model("contracts", user=visitor).name == "contracts"
    with pytest.raises(ModelUnavailable):
        resolve_model("contracts", user=outsider)
    assert set(Model.objects.visible_to(visitor)) == set(Model.objects.all())
    assert [model.name for model in Model.objects.visible_to(outsider)] == ["public"]


def test_default_of_an_outsider_is_a_model_that_they_may_use(
    visitor: User, outsider: User, lawyers: Group
) -> None:
    add_model("public")
    restrict(add_model("contracts", is_default=True), lawyers)
    assert resolve_model(None, user=visitor).name == "contracts"
    assert resolve_model(None, user=outsider).name == "public"
    assert [model.is_default for model in list_models(outsider)] == [True]


def test_restricted_model_without_groups_is_for_administrators_alone(
    visitor: User, administrator: User
) -> None:
    restrict(add_model("secret"))
    assert names(visitor) == []
    assert names(administrator) == ["secret"]


def test_house_where_every_model_is_for_everyone_reads_no_groups(visitor: User) -> None:
    add_model("public")
    names(visitor)
    with CaptureQueriesContext(connection) as queries:
        names(visitor)
    assert len(queries) == 0


def test_defaults_of_a_model_hold_where_a_request_is_silent() -> None:
    add_model("talker", defaults={"temperature": 0.2, "top_p": 0.9, "max_tokens": 50})
    endpoint = resolve_model("talker").endpoints[0]
    turns = (Turn("user", "Hello"),)
    silent = chat_body(endpoint, ChatRequest(turns=turns))
    assert b'"temperature":0.2' in silent
    assert b'"max_tokens":50' in silent
    explicit = chat_body(
        endpoint, ChatRequest(turns=turns, temperature=0.0, max_tokens=7, extra={"top_p": 0.5})
    )
    for said in (b'"temperature":0.0', b'"max_tokens":7', b'"top_p":0.5', b'"content":"Hello"'):
        assert said in explicit
