"""Characters in the chat page: greetings to choose, personas, groups, edits, and what the model got."""

import re

import pytest
from playwright.sync_api import expect

from accounts.models import User
from characters.models import Character
from characters.personas.services import create_persona
from characters.services import create_character
from tests.browser.chat_page import ChatPage
from tests.browser.conftest import PHONE, OpenPage
from tests.openai_server import Answer, ScriptedServer


@pytest.fixture
def ida(ada: User) -> Character:
    create_persona(actor=ada, name="Bo", description="Tall.")
    return create_character(
        actor=ada,
        name="Ida",
        definition="{{char}} rows {{user}} over the river.",
        greeting="Come aboard, {{user}}.",
        alternate_greetings=["Mind the step, {{user}}."],
    )


def test_person_chooses_a_greeting_and_looks_at_the_prompt(
    open_page: OpenPage, ada: User, ida: Character, model_server: ScriptedServer
) -> None:
    model_server.script(Answer(text="Sit down."))
    page = open_page(ada)
    chat = ChatPage(page).open("/?character=ida")
    greeting = page.locator(".greeting")
    expect(greeting).to_have_text("Come aboard, Bo.")
    page.locator("chat-welcome").get_by_role("button", name="Later version").click()
    expect(greeting).to_have_text("Mind the step, Bo.")
    chat.say("Is it far?")
    chat.await_answer("Sit down.")
    first = chat.answers.first
    expect(first.locator("markdown-text")).to_have_text("Mind the step, Bo.")
    first.get_by_role("button", name="Earlier version").click()
    expect(chat.answers.first.locator("markdown-text")).to_have_text("Come aboard, Bo.")
    chat.answers.first.get_by_role("button", name="Later version").click()
    expect(chat.last_answer).to_have_text("Sit down.")

    chat.verb("More").click()
    page.get_by_role("menuitem", name="What the model got").click()
    dialog = page.get_by_role("dialog", name="What the model got")
    expect(dialog.locator(".prompt-part")).to_have_count(5)
    dialog.get_by_text("Who they are").click()
    expect(dialog.locator("pre").nth(1)).to_have_text("Ida rows Bo over the river.")


def test_person_talks_with_a_group(
    open_page: OpenPage, ada: User, ida: Character, model_server: ScriptedServer
) -> None:
    for name in ("Tom", "Una"):
        create_character(actor=ada, name=name, system_prompt=f"You are {name}.")
    model_server.script(Answer(text="Ida speaks."), Answer(text="Tom speaks."), Answer(text="Tom again."))
    page = open_page(ada)
    # Whoever was chosen before the group was, the name is that of who speaks.
    chat = ChatPage(page).open("/?character=una")
    page.get_by_role("button", name="Set up this chat").click()
    dialog = page.get_by_role("dialog", name="This chat")
    dialog.get_by_role("checkbox", name="Una").uncheck()
    for name in ("Ida", "Tom"):
        dialog.get_by_role("checkbox", name=name).check()
    dialog.get_by_role("button", name="Save").click()
    expect(chat.field).to_have_attribute("placeholder", "Message the group")
    chat.say("Good evening.")
    names = page.locator(".message-name")
    expect(names).to_have_text(["Ida", "Ida", "Tom"])
    chat.await_answer("Tom speaks.")
    page.get_by_role("button", name="Let Tom speak").click()
    expect(names).to_have_count(4)
    chat.await_answer("Tom again.")
    page.reload()
    expect(names).to_have_text(["Ida", "Ida", "Tom", "Tom"])


def test_person_changes_the_characters_words(
    open_page: OpenPage, ada: User, ida: Character, model_server: ScriptedServer
) -> None:
    model_server.script(Answer(text="Wrong words."), Answer(text="I say this."))
    page = open_page(ada)
    chat = ChatPage(page).open("/?character=ida")
    chat.say("Hello")
    chat.await_answer("Wrong words.")
    chat.verb("More").click()
    page.get_by_role("menuitem", name="Edit").click()
    page.get_by_role("textbox", name="Edit the message").fill("Right words.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(chat.last_answer).to_have_text("Right words.")
    page.get_by_role("button", name="Write my next message").click()
    expect(chat.field).to_have_value("I say this.")
    page.reload()
    expect(chat.last_answer).to_have_text("Right words.")


def test_person_keeps_personas_and_a_lorebook(open_page: OpenPage, ada: User, ida: Character) -> None:
    page = open_page(ada, size=PHONE)
    page.goto("/characters/personas/")
    new = page.get_by_role("region", name="A new persona")
    new.get_by_label("Name").fill("Captain Reed")
    new.get_by_role("button", name="Add persona").click()
    expect(page.get_by_text("Captain Reed")).to_be_visible()
    page.goto("/characters/lorebooks/")
    page.get_by_label("Name").fill("The river")
    page.get_by_role("button", name="Add lorebook").click()
    expect(page.get_by_role("heading", name="The river")).to_be_visible()
    page.get_by_role("button", name="Give").click()
    expect(page.get_by_role("button", name="Take away")).to_be_visible()
    page.get_by_role("link", name="New entry").click()
    page.get_by_label("Keys", exact=True).fill("ferry\nboat")
    page.get_by_label("What is told").fill("It leaks.")
    page.get_by_role("button", name="Save").click()
    expect(page).to_have_url(re.compile(r"/characters/lorebooks/[\da-f-]{36}/$"))
    expect(page.get_by_role("link", name="ferry, boat")).to_be_visible()
    assert ChatPage(page).overflow <= 0
