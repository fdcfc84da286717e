"""The administrator's first-run card: a small model is fetched from a hub and answers, on a real local stack."""

import re
from pathlib import Path

from playwright.sync_api import Browser, expect

from inference.model_files.services import OFFERS
from tests.browser.conftest import DESKTOP, PHONE
from tests.config.running_stack import starting
from tests.inference.hub import Hub
from tests.openai_server import ScriptedServer
from tests.tiny_gguf import SENTENCE, write_tiny_gguf

# A stack that boots, a model that loads, on two cores that others use, too.
PATIENCE_MS = 60_000


def test_first_administrator_hears_what_went_wrong_then_fetches_a_model_and_chats_with_it(
    chromium: Browser, tmp_path: Path
) -> None:
    content = write_tiny_gguf(tmp_path / "tiny.gguf").read_bytes()
    with ScriptedServer() as server:
        Hub(server, b"GGUF and nothing else", source=OFFERS[0].source)
        # One stack for both: it takes longer to start than all that follows.
        with starting(tmp_path, MODEL_HUB=server.root_url) as stack:
            stack.await_page()
            context = chromium.new_context(viewport=PHONE, base_url=stack.url, color_scheme="dark")
            page = context.new_page()
            page.goto("/accounts/signup/")
            page.get_by_label("Email").fill("first@example.com")
            page.locator("input[name=password1]").fill("the kettle is on again")
            page.locator("input[name=password1]").press("Enter")

            card = page.locator("model-offer")
            offer = card.get_by_role("button", name=OFFERS[0].label)
            offer.click(timeout=PATIENCE_MS)
            expect(card.get_by_role("alert")).to_contain_text("not a whole GGUF file", timeout=PATIENCE_MS)
            expect(offer).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

            hub = Hub(server, content, source=OFFERS[0].source, cuts=[300_000], seconds_between_blocks=0.15)
            page.set_viewport_size(DESKTOP)
            offer.click()
            expect(card.get_by_role("status")).to_contain_text(
                re.compile(r" of \d\.\d MB"), timeout=PATIENCE_MS
            )
            expect(card.get_by_role("button", name="Stop")).to_be_visible()

            expect(card).to_have_count(0, timeout=PATIENCE_MS)
            field = page.get_by_role("textbox", name="Message")
            field.fill("Hello")
            field.press("Enter")
            expect(page.locator("chat-message").last).to_contain_text(SENTENCE, timeout=PATIENCE_MS)
            assert len(hub.ranges) > 1
            context.close()
