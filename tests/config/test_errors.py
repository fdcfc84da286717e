"""Errors as people and programs meet them: the house's pages, JSON under /api/, a way on."""

import pytest
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from accounts.errors import InvalidInput
from config import urls

HOUSE = '<main id="main"'


def raise_as_asked(request: HttpRequest, kind: str) -> HttpResponse:
    raise {
        "bad": BadRequest("bad"),
        "closed": PermissionDenied("closed"),
        "large": RequestDataTooBig("large"),
        "invalid": InvalidInput(),
        "broken": ValueError("a secret detail"),
    }[kind]


# This file's own addresses, which break as asked, beside the house's.
urlpatterns = [
    *urls.urlpatterns,
    path("break/<kind>/", raise_as_asked),
    path("api/break/<kind>/", raise_as_asked),
]
handler400, handler403, handler404, handler500 = (
    urls.handler400,
    urls.handler403,
    urls.handler404,
    urls.handler500,
)

pytestmark = pytest.mark.urls(__name__)


@pytest.fixture
def browser() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.parametrize(
    ("kind", "status"), [("bad", 400), ("closed", 403), ("large", 413), ("invalid", 422), ("broken", 500)]
)
def test_person_meets_an_error_and_gets_a_page_of_the_house(browser: Client, kind: str, status: int) -> None:
    response = browser.get(f"/break/{kind}/")
    assert response.status_code == status
    assert HOUSE in response.text
    assert 'href="/"' in response.text
    assert "secret detail" not in response.text


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("bad", 400, "bad_request"),
        ("closed", 403, "not_allowed"),
        ("invalid", 422, "invalid"),
        ("broken", 500, "server_error"),
    ],
)
def test_program_meets_an_error_and_gets_its_code_and_message(
    browser: Client, kind: str, status: int, code: str
) -> None:
    response = browser.get(f"/api/break/{kind}/")
    assert response.status_code == status
    assert response.json()["error"]["code"] == code
    assert response.json()["error"]["message"]


def test_person_opens_a_wrong_address_and_finds_a_way_on(browser: Client) -> None:
    response = browser.get("/no/such/page/")
    assert response.status_code == 404
    assert HOUSE in response.text


def test_person_sends_a_form_without_its_token_and_is_told_to_reload() -> None:
    response = Client(enforce_csrf_checks=True).post("/accounts/login/", {"login": "ada@example.org"})
    assert response.status_code == 403
    assert HOUSE in response.text


def test_dark_theme_is_in_the_page_before_any_script_runs(browser: Client) -> None:
    browser.cookies["theme"] = "dark"
    assert 'data-theme="dark"' in browser.get("/no/such/page/").text


def test_no_page_of_the_house_carries_inline_script_or_style(browser: Client) -> None:
    page = browser.get("/offline/").text
    assert " style=" not in page
    assert "<style" not in page
    assert "<script>" not in page


def test_service_worker_is_served_at_the_root_and_names_what_it_keeps(browser: Client) -> None:
    response = browser.get("/service-worker.js")
    assert response["Content-Type"].startswith("text/javascript")
    assert '"/offline/"' in response.text
