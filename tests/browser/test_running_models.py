"""An administrator watches and runs models, in the browser."""

import re
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import User
from inference.estate import jobs
from inference.models import Server, Usage
from tests.browser.conftest import PHONE, OpenPage
from tests.inference.ollama_library import OllamaLibrary
from tests.openai_server import ScriptedServer

# Every control that a person can see needs a name; what axe calls label, button-name and select-name.
NAMELESS = """() => [...document.querySelectorAll('input, select, textarea, button, a[href]')]
  .filter((each) => each.type !== 'hidden' && each.offsetParent)
  .filter((each) => !(each.labels?.length || each.getAttribute('aria-label') || each.getAttribute('aria-labelledby')
    || each.title || each.textContent.trim() || (each.type === 'submit' && each.value)))
  .map((each) => each.outerHTML.slice(0, 120))"""


@pytest.fixture
def administrator(house: str) -> User:
    return User.objects.create_user("admin@example.com", "a long password", is_staff=True, is_superuser=True)


@pytest.fixture
def library() -> Iterator[OllamaLibrary]:
    with ScriptedServer() as server:
        yield OllamaLibrary(server)


def overflow(page) -> int:
    return page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.mark.parametrize("size", [None, PHONE])
def test_administrator_reads_the_dashboard_by_pointer_and_by_keys(
    open_page: OpenPage, administrator: User, size: dict[str, int] | None
) -> None:
    for days in range(3):
        Usage.objects.create(
            user=administrator,
            model_name="pace-0",
            prompt_tokens=900,
            completion_tokens=100,
            first_token_seconds=0.2,
            duration_seconds=2.2,
            created_at=timezone.now() - timedelta(days=days),
        )
    page = open_page(administrator, **({"size": size} if size else {}))
    page.goto("/admin/inference/usage/dashboard/")
    expect(page.get_by_role("heading", name="How models are used")).to_be_visible()
    chart = page.locator("usage-chart").first
    drawing = chart.get_by_role("img", name=re.compile("^Answers: 3 answers"))
    drawing.focus()
    drawing.press("End")
    expect(chart.get_by_role("status")).to_have_text(re.compile(r": 1 whole, 0 failed$"))
    drawing.press("Home")
    expect(chart.get_by_role("status")).to_have_text(re.compile(r": 0 whole, 0 failed$"))
    chart.get_by_text("As a table").click()
    expect(chart.get_by_role("row")).to_have_count(8)
    assert overflow(page) <= 0
    assert page.evaluate(NAMELESS) == []
    page.get_by_role("link", name="admin@example.com").click()
    expect(page.get_by_role("link", name="Show everybody")).to_be_visible()


def test_administrator_plans_memory(open_page: OpenPage, administrator: User) -> None:
    page = open_page(administrator, size=PHONE)
    page.goto("/admin/inference/model/capacity/")
    page.get_by_label("Parameters, billions").fill("70")
    page.get_by_label("Weights").select_option("4")
    page.get_by_role("button", name="Work it out").click()
    expect(page.get_by_role("status")).to_contain_text("The smallest size that holds it is")
    expect(page.get_by_text("40 GB", exact=True)).to_be_visible()
    assert overflow(page) <= 0
    assert page.evaluate(NAMELESS) == []


def test_administrator_pulls_a_model_sees_it_come_and_deletes_it(
    open_page: OpenPage, administrator: User, library: OllamaLibrary
) -> None:
    server = Server.objects.create(name="shelf", kind="ollama", base_url=library.server.url)
    library.seconds_between_lines = 2.0

    def work() -> None:
        jobs.run_jobs()
        connections.close_all()

    worker = threading.Thread(target=work)
    page = open_page(administrator)
    page.goto("/admin/inference/server/health/")
    page.get_by_role("link", name="shelf").click()
    page.get_by_role("button", name="Test the connection").click()
    expect(page.get_by_text("“shelf” answers: Ollama, 1 model.")).to_be_visible()
    page.get_by_label("Pull a model").fill("llama3.2:3b")
    page.get_by_role("button", name="Pull", exact=True).click()
    expect(page.get_by_text("Waits for a worker.")).to_be_visible()
    worker.start()
    try:
        expect(page.get_by_text(re.compile(r"of 1\.9\sGB"))).to_be_visible()
        expect(page.get_by_role("progressbar", name="Pull llama3.2:3b")).to_have_attribute(
            "max", "2000000000"
        )
        library.pulling.seconds_between_lines = 0
        expect(page.get_by_text("Done.")).to_be_visible()
    finally:
        worker.join(30)
    delete = page.get_by_role("button", name="Delete: llama3.2:3b")
    expect(delete).to_be_visible()
    assert page.evaluate(NAMELESS) == []
    delete.click()
    dialog = page.get_by_role("dialog", name="Delete “llama3.2:3b” from shelf?")
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("llama3.2:3b is deleted from the server.")).to_be_visible()
    assert library.server.models == ["qwen2.5:0.5b"]
    page.goto(f"/admin/inference/server/{server.pk}/change/")
    expect(page.get_by_role("link", name="Health and models")).to_be_visible()
    assert page.evaluate(NAMELESS) == []
