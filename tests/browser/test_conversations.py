"""The sidebar's conversations, the picker and the composer, by keyboard and by hand."""

import re
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import expect

from accounts.events import publish_to_user
from accounts.models import User
from chat.models import Conversation
from tests.browser.chat_page import ChatPage
from tests.browser.conftest import OpenPage
from tests.openai_server import Answer, ScriptedServer


@pytest.fixture
def conversations(ada: User) -> list[Conversation]:
    return [Conversation.objects.create(owner=ada, title=title) for title in ("Tea", "Coffee")]


def test_person_searches_renames_and_deletes_by_keyboard(
    open_page: OpenPage, ada: User, conversations: list[Conversation]
) -> None:
    page = open_page(ada)
    ChatPage(page).open()
    links = page.get_by_role("navigation", name="Conversations").get_by_role("link")
    expect(links).to_have_text(["Coffee", "Tea"])
    page.keyboard.press("Control+k")
    page.keyboard.type("tea")
    expect(links).to_have_text(["Tea"])
    links.first.press("F2")
    page.keyboard.type("Green tea")
    page.keyboard.press("Enter")
    expect(links).to_have_text(["Green tea"])
    links.first.press("Delete")
    dialog = page.get_by_role("dialog", name="Delete “Green tea”?")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    dialog.get_by_role("button", name="Delete").click()
    expect(links).to_have_count(0)
    assert [row.title for row in Conversation.objects.all()] == ["Coffee"]


def test_person_moves_between_conversations_without_loading_the_page(
    open_page: OpenPage, ada: User, conversations: list[Conversation]
) -> None:
    page = open_page(ada)
    ChatPage(page).open()
    page.evaluate("() => { window.kept = true }")
    page.get_by_role("link", name="Tea").click()
    expect(page).to_have_url(re.compile(str(conversations[0].pk)))
    expect(page).to_have_title(re.compile("Tea"))
    expect(page.get_by_role("link", name="Tea")).to_have_attribute("aria-current", "page")
    page.go_back()
    expect(page.get_by_role("heading", name="Who would you like to talk to?")).to_be_visible()
    assert page.evaluate("() => window.kept")


def test_person_opens_a_conversation_that_is_not_theirs_is_led_to_a_new_one(
    open_page: OpenPage, ada: User
) -> None:
    page = open_page(ada)
    ChatPage(page).open(f"/c/{uuid.uuid4()}")
    expect(page.get_by_text("This conversation is not there any more.")).to_be_visible()
    expect(page.get_by_role("heading", name="Who would you like to talk to?")).to_be_visible()


def test_person_chooses_who_answers_by_keyboard(
    open_page: OpenPage, ada: User, model_server: ScriptedServer
) -> None:
    model_server.script(Answer(text="Plainly."))
    page = open_page(ada)
    chat = ChatPage(page).open()
    picker = page.get_by_role("button", name=re.compile("Choose who answers"))
    picker.press("Enter")
    menu = page.get_by_role("menu")
    expect(menu.get_by_role("menuitemradio").first).to_be_focused()
    page.keyboard.press("n")
    expect(menu.get_by_role("menuitemradio", name=re.compile("No character"))).to_be_focused()
    page.keyboard.press("Enter")
    expect(picker).to_contain_text("No character")
    chat.say("Who are you")
    chat.await_answer("Plainly.")
    assert Conversation.objects.get().character is None


def test_person_finds_the_draft_again_and_loses_it_when_it_is_sent(
    open_page: OpenPage, ada: User, conversations: list[Conversation], model_server: ScriptedServer
) -> None:
    model_server.script(Answer(text="Noted."))
    page = open_page(ada)
    chat = ChatPage(page).open(f"/c/{conversations[0].pk}")
    chat.field.fill("Half a thou")
    page.reload()
    expect(chat.field).to_have_value("Half a thou")
    page.get_by_role("link", name="Coffee").click()
    expect(chat.field).to_have_value("")
    page.get_by_role("link", name="Tea").click()
    expect(chat.field).to_have_value("Half a thou")
    chat.say("A whole thought")
    chat.await_answer("Noted.")
    page.reload()
    chat.await_answer("Noted.")
    expect(chat.field).to_have_value("")


def test_person_attaches_a_file_sees_its_progress_and_sends_it_along(
    open_page: OpenPage, ada: User, model_server: ScriptedServer
) -> None:
    page = open_page(ada)
    chat = ChatPage(page).open()
    note = {"name": "note.txt", "mimeType": "text/plain", "buffer": b"The kettle boils at ninety degrees."}
    with page.expect_response("**/api/v1/documents") as answer:
        page.locator("input[type=file]").set_input_files([note])
    document = answer.value.json()["id"]
    card = page.locator("attachment-card")
    expect(card).to_contain_text("note.txt")
    expect(card).to_contain_text("Being read")
    event = {"type": "document", "document": document, "status": "ready", "progress": 1, "name": "note.txt"}
    # On a thread of its own: this one runs Playwright's loop.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(publish_to_user, ada.pk, event).result()
    expect(card).to_contain_text("Ready")
    chat.say("What does it say?")
    expect(page.locator(".said")).to_have_text("What does it say?")
    expect(card).to_have_count(0)
    expect(page).to_have_url(re.compile("/c/"))
    assert [str(row.pk) for row in Conversation.objects.get().documents.all()] == [document]


def test_person_whose_file_is_refused_reads_why(open_page: OpenPage, ada: User) -> None:
    page = open_page(ada)
    ChatPage(page).open()
    page.locator("input[type=file]").set_input_files(
        [{"name": "empty.pdf", "mimeType": "application/pdf", "buffer": b""}]
    )
    card = page.locator("attachment-card")
    expect(card).to_have_class("failed")
    expect(card.locator(".attachment-state")).not_to_be_empty()
    card.get_by_role("button", name="Remove").click()
    expect(card).to_have_count(0)
