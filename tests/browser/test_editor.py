"""The editor as a person uses it: words, greetings, dialogue, portrait, a try, a save, and the history."""

import io
import re
import time

from PIL import Image
from playwright.sync_api import Page, expect

from accounts.models import User
from characters.gallery.models import Favourite
from characters.models import Character
from characters.services import create_character
from tests.browser.conftest import PHONE, OpenPage
from tests.openai_server import Answer, ScriptedServer


def picture() -> bytes:
    image = Image.new("RGB", (600, 300), "#a03020")
    image.paste("#2030a0", (300, 0, 600, 300))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def test_person_makes_a_character_with_everything(
    open_page: OpenPage, ada: User, model_server: ScriptedServer
) -> None:
    page = open_page(ada)
    page.goto("/characters/")
    page.get_by_role("link", name="New character").click()
    page.get_by_label("Name", exact=True).fill("Mira")
    greeting = page.get_by_label("Greeting", exact=True)
    greeting.fill("Good evening, {{user}}. *She looks up.*")
    expect(page.locator("token-count[for=id_greeting]")).to_have_text(re.compile(r"about \d+ tokens"))
    preview = page.locator("character-preview")
    expect(preview.locator(".preview-said")).to_contain_text("Good evening, ada. She looks up.")
    page.get_by_role("button", name="Add a greeting").click()
    page.get_by_label("Another greeting").fill("You again.")
    page.get_by_role("button", name="Add an example").click()
    page.get_by_label("The person says").fill("How many stars?")
    page.get_by_label("The character says").fill("Nine.\nTen, with the lamp off.")
    page.get_by_label("System prompt").fill("You count stars.")
    page.locator("input[name=portrait]").set_input_files(
        {"name": "m.png", "mimeType": "image/png", "buffer": picture()}
    )
    frame = page.locator(".crop-frame")
    expect(frame.locator("img")).to_be_visible()
    for _press in range(20):
        frame.press("ArrowRight")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved as version")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/characters/mira/edit/$"))

    mira = Character.objects.get()
    assert mira.alternate_greetings == ["You again."]
    assert (
        mira.example_dialogue
        == "<START>\n{{user}}: How many stars?\n{{char}}: Nine.\nTen, with the lamp off."
    )
    assert mira.system_prompt == "You count stars."
    assert mira.avatar
    expect(page.get_by_label("The character says")).to_have_value("Nine.\nTen, with the lamp off.")


def open_editor(page: Page) -> None:
    page.goto("/characters/mira/edit/")
    expect(page.locator("character-preview .preview-said")).to_have_count(1)


def test_person_tries_what_is_not_saved_and_finds_the_draft_again(
    open_page: OpenPage, ada: User, model_server: ScriptedServer
) -> None:
    create_character(actor=ada, name="Mira", greeting="Look up.", system_prompt="You count stars.")
    page = open_page(ada)
    open_editor(page)
    page.get_by_label("System prompt").fill("You sell lamps.")
    expect(page.get_by_text("Kept as a draft")).to_be_visible()
    model_server.script(Answer(text="Buy two."))
    preview = page.locator("character-preview")
    preview.get_by_role("textbox").fill("What do you have?")
    preview.get_by_role("textbox").press("Enter")
    expect(preview.locator(".preview-said").last).to_have_text("Buy two.")
    assert "You sell lamps." in str(model_server.chats[-1])
    assert Character.objects.get().system_prompt == "You count stars."
    page.reload()
    expect(page.get_by_label("System prompt")).to_have_value("You sell lamps.")
    page.get_by_role("button", name="Save as version 2").click()
    expect(page.get_by_text("Saved as version 2.")).to_be_visible()
    page.get_by_role("link", name="History").click()
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_role("heading", name="Version 3")).to_be_visible()
    assert Character.objects.get().system_prompt == "You count stars."


def test_editor_fits_a_phone_and_the_try_lies_over_it(open_page: OpenPage, ada: User) -> None:
    create_character(actor=ada, name="Mira", greeting="Look up.")
    page = open_page(ada, size=PHONE)
    page.goto("/characters/mira/edit/")
    expect(page.get_by_role("heading", name="Edit Mira")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    preview = page.locator("character-preview")
    expect(preview).to_be_hidden()
    page.get_by_role("button", name="Try").click()
    expect(preview.get_by_text("Look up.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(preview).to_be_hidden()
    expect(page.get_by_role("button", name="Try")).to_be_focused()


def test_person_keeps_a_favourite_and_shares_the_page(open_page: OpenPage, ada: User) -> None:
    create_character(actor=ada, name="Mira", greeting="Look up.")
    page = open_page(ada)
    page.goto("/characters/mira/")
    heart = page.get_by_role("button", name="Favourite")
    heart.click()
    expect(heart).to_have_attribute("aria-pressed", "true")
    expect(heart).not_to_have_attribute("aria-busy", "true")
    page.goto("/characters/?scope=favourites")
    expect(page.locator(".character")).to_have_count(1)
    heart = page.get_by_role("button", name="Keep Mira among your favourites")
    heart.click()
    expect(heart).not_to_have_attribute("aria-busy", "true")
    page.get_by_role("link", name="Favourites").click()
    expect(page.get_by_role("heading", name="No favourites yet")).to_be_visible()


def test_favourite_is_kept_though_its_page_is_left_at_once(open_page: OpenPage, ada: User) -> None:
    mira = create_character(actor=ada, name="Mira", greeting="Look up.")
    page = open_page(ada)
    page.goto("/characters/mira/")
    page.get_by_role("button", name="Favourite").click()
    page.goto("about:blank")

    deadline = time.monotonic() + 10
    while not Favourite.objects.filter(user=ada, character=mira).exists():
        assert time.monotonic() < deadline, "The favourite never came."
        time.sleep(0.05)
