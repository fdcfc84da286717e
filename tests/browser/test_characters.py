"""The gallery and a character's page, as a person uses them."""

import re

from playwright.sync_api import expect

from accounts.models import User
from characters.models import Character
from tests.browser.chat_page import ChatPage
from tests.browser.conftest import PHONE, OpenPage


def test_person_types_in_the_gallery_finds_at_once(
    open_page: OpenPage, ada: User, cast: list[Character]
) -> None:
    page = open_page(ada)
    page.goto("/characters/")
    cards = page.locator(".character")
    expect(cards).to_have_count(4)
    search = page.get_by_role("searchbox", name="Search the characters")
    search.press_sequentially("pencil")
    expect(cards).to_have_count(1)
    expect(cards).to_contain_text("Tove")
    expect(page).to_have_url(re.compile(r"\?query=pencil$"))
    search.fill("nobody at all")
    expect(page.get_by_role("heading", name="Nobody by that description")).to_be_visible()
    search.fill("")
    expect(cards).to_have_count(4)
    page.get_by_role("link", name="mystery", exact=True).click()
    expect(cards).to_have_count(1)
    expect(cards).to_contain_text("Anselm")


def test_person_searches_the_gallery_without_script(
    open_page: OpenPage, ada: User, cast: list[Character]
) -> None:
    page = open_page(ada, java_script_enabled=False)
    page.goto("/characters/")
    page.get_by_role("searchbox").fill("lift")
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".character")).to_have_count(2)


def test_person_takes_a_suggestion_along_to_the_chat(
    open_page: OpenPage, ada: User, cast: list[Character]
) -> None:
    page = open_page(ada)
    page.goto("/characters/anselm/")
    picture = page.locator("img.portrait")
    expect(picture).to_have_js_property("naturalWidth", 512)
    page.get_by_role("link", name="I take the small key. What floor is it for?").click()
    chat = ChatPage(page)
    expect(chat.field).to_have_value("I take the small key. What floor is it for?")
    expect(chat.field).to_have_attribute("placeholder", "Message Anselm")


def test_gallery_and_page_fit_a_phone(open_page: OpenPage, ada: User, cast: list[Character]) -> None:
    page = open_page(ada, size=PHONE)
    for path in ("/characters/", "/characters/odile/"):
        page.goto(path)
        expect(page.locator(".portrait").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
