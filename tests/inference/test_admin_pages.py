"""The administration's pages about running models: who sees them, and what they say."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from inference.models import Usage
from tests.inference.conftest import add_model

pytestmark = pytest.mark.django_db

PAGES = ["dashboard", "capacity"]


@pytest.fixture
def admin_client(client: Client, administrator: User) -> Client:
    client.force_login(administrator)
    return client


def text_of(client: Client, page: str, query: str = "") -> str:
    response = client.get(reverse(f"admin:inference_{page}") + query)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_visitor_is_not_let_in(client: Client, visitor: User, page: str) -> None:
    client.force_login(visitor)
    assert client.get(reverse(f"admin:inference_{page}"), follow=True).status_code == 403


@pytest.mark.parametrize(("page", "right"), [("dashboard", "view_usage"), ("capacity", "view_model")])
def test_staff_sees_what_it_has_the_right_to(client: Client, page: str, right: str) -> None:
    person = User.objects.create_user("staff@example.com", "a long password", is_staff=True)
    client.force_login(person)
    url = reverse(f"admin:inference_{page}")
    assert client.get(url).status_code == 403
    person.user_permissions.add(Permission.objects.get(codename=right))
    assert client.get(url).status_code == 200


@pytest.mark.parametrize("page", PAGES)
def test_page_keeps_to_the_content_security_policy(admin_client: Client, page: str) -> None:
    page_text = text_of(admin_client, page)
    assert "style=" not in page_text
    assert "<style" not in page_text
    assert "<script>" not in page_text
    assert " onclick" not in page_text


def test_administrator_sees_figures_charts_and_the_same_as_tables(
    admin_client: Client, visitor: User
) -> None:
    for n in range(40):
        Usage.objects.create(
            user=visitor,
            model_name="talker",
            prompt_tokens=900,
            completion_tokens=100,
            first_token_seconds=0.2,
            duration_seconds=2.2,
            cost=Decimal("0.5"),
            error_code="rate_limited" if n % 10 == 0 else "",
            created_at=timezone.now() - timedelta(days=n % 5),
        )
    page = text_of(admin_client, "dashboard", "?period=7d&model=talker")
    for words in ("40k", "10 % failed", "20.00", "visitor@example.com", "rate_limited", "Tokens per second"):
        assert words in page
    assert page.count("<usage-chart") == page.count("As a table") == 5
    assert "40 answers, 4 failed." in page
    of_visitor = text_of(admin_client, "dashboard", f"?person={visitor.pk}")
    assert "Show everybody" in of_visitor


@pytest.mark.parametrize("query", ["", "?period=never&model=nobody&person=x", "?period=24h", "?period=90d"])
def test_empty_house_has_a_dashboard_too(admin_client: Client, query: str) -> None:
    page = text_of(admin_client, "dashboard", query)
    assert "No model was called in this time." in page
    assert "no model has a price" in page


def test_administrator_plans_memory_without_any_script(admin_client: Client) -> None:
    page = text_of(
        admin_client, "capacity", "?parameters=70&weight_bits=4&context=8192&answers=4&cache_bits=16"
    )
    assert "40 GB" in page
    assert "<strong>Standard_NC64as_T4_v3</strong>" in page


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?parameters=-1&weight_bits=4&context=8192&answers=4&cache_bits=16", "greater than or equal to"),
        ("?parameters=7&weight_bits=3&context=8192&answers=4&cache_bits=16", "not one of the available"),
        ("?parameters=7&weight_bits=4&context=8192&answers=4&cache_bits=16&layers=3", "together, or none"),
    ],
)
def test_administrator_is_told_what_is_wrong_with_a_plan(
    admin_client: Client, query: str, sentence: str
) -> None:
    page = text_of(admin_client, "capacity", query)
    assert sentence in page
    assert "Azure sizes" not in page


@pytest.mark.parametrize("page", ["server", "model"])
def test_inputs_of_rows_say_what_they_are(admin_client: Client, page: str) -> None:
    model = add_model("talker")
    row = model if page == "model" else model.deployments.get().server
    text = admin_client.get(reverse(f"admin:inference_{page}_change", args=[row.pk])).content.decode()
    inputs = re.findall(
        r"<(?:input|select)[^>]*name=\"deployments-[\d_a-z]+-(?!id\"|model\" type=\"hidden|server\" type)[^>]*>",
        text,
    )
    shown = [each for each in inputs if 'type="hidden"' not in each]
    assert shown
    assert all("aria-label=" in each for each in shown)
    assert 'aria-label="Weight, talker @ server of talker"' in text
