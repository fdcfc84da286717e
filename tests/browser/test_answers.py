"""The main job: a document dropped into the chat, a question, an answer that shows where it stands."""

import re

import pytest
from playwright.sync_api import expect

from accounts.models import User
from inference.models import Model
from inference.services import register_configured_servers
from tests.browser.chat_page import ChatPage
from tests.browser.conftest import OpenPage
from tests.browser.test_documents import PAGES, make_pdf, pdf
from tests.processes import Process


@pytest.fixture
def web(transactional_db: None, reading_house: Process) -> Process:
    """A house without a language model: the embedding model, and the built-in quotes."""
    register_configured_servers()
    return reading_house


@pytest.fixture
def estate() -> Model | None:
    return None


def test_newcomer_without_a_model_drops_a_pdf_and_gets_its_passage_marked(
    open_page: OpenPage, ada: User
) -> None:
    page = open_page(ada)
    chat = ChatPage(page).open()
    expect(page.get_by_text("INFERENCE_URL")).to_be_visible()
    page.locator("input[type=file]").set_input_files([pdf("visby.pdf", make_pdf(*PAGES))])
    expect(page.locator("attachment-card")).to_contain_text("visby.pdf")
    send = page.get_by_role("button", name="Send", exact=True)
    chat.field.fill("What did the lighthouse keeper keep?")
    expect(send).to_have_attribute("aria-disabled", "false")
    send.click()

    chip = chat.last_answer.get_by_role("button", name=re.compile("visby.pdf, page 3")).first
    expect(chip).to_be_visible(timeout=60_000)
    expect(chat.last_answer).to_contain_text("The lighthouse keeper kept bees")
    expect(page.get_by_role("button", name="1 document")).to_be_visible()
    chip.click()
    drawer = page.get_by_role("complementary", name="Sources")
    expect(drawer.locator("mark").first).to_contain_text("The lighthouse keeper kept bees")
    expect(drawer.locator(".viewer-mark").first).to_be_in_viewport()
    # The drawer scrolled to it, not the house around.
    assert page.evaluate("() => document.documentElement.scrollHeight <= innerHeight")
