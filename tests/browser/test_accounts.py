"""Signing in and the settings page, as a person uses them."""

import re

from playwright.sync_api import expect

from accounts.models import ApiKey, User
from accounts.services import create_api_key, find_user_by_api_key
from tests.browser.conftest import PHONE, OpenPage


def test_person_looks_at_the_password_and_signs_in(open_page: OpenPage, ada: User) -> None:
    page = open_page()
    page.goto("/settings/")
    page.get_by_label("Email").fill("ADA@example.com")
    password = page.locator("input[name=password]")
    password.fill("a long enough password")
    show = page.get_by_role("button", name="Show the password")
    show.click()
    expect(password).to_have_attribute("type", "text")
    expect(show).to_have_attribute("aria-pressed", "true")
    password.press("Enter")

    expect(page).to_have_url(re.compile(r"/settings/$"))
    expect(page.get_by_text("You are signed in as ada@example.com.")).to_be_visible()


def test_person_makes_a_key_copies_it_and_revokes_it(open_page: OpenPage, ada: User) -> None:
    page = open_page(ada, permissions=["clipboard-read", "clipboard-write"])
    page.goto("/settings/")
    page.get_by_label("What will use the new key?").fill("Notebook")
    page.get_by_role("button", name="Make a key").click()
    key = page.locator("#new-key").inner_text()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == key
    assert find_user_by_api_key(key) == ada

    page.goto("/settings/")
    expect(page.locator("#new-key")).to_have_count(0)
    page.get_by_role("button", name="Revoke Notebook").click()
    dialog = page.get_by_role("dialog", name="Revoke “Notebook”?")
    dialog.get_by_role("button", name="Cancel").click()
    assert find_user_by_api_key(key) == ada
    page.get_by_role("button", name="Revoke Notebook").click()
    dialog.get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("status")).to_contain_text("“Notebook” no longer works")
    assert find_user_by_api_key(key) is None


def test_person_changes_name_and_theme_sees_both_at_once_and_later(open_page: OpenPage, ada: User) -> None:
    page = open_page(ada)
    page.goto("/settings/")
    page.get_by_label("Name", exact=True).fill("Ada Winter")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Your name is saved.")
    expect(page.locator(".account > .nav-item .words")).to_have_text("Ada Winter")
    page.locator(".section").get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_settings_fit_a_phone(open_page: OpenPage, ada: User) -> None:
    create_api_key(actor=ada, name="A program with quite a long name that nobody would shorten")
    page = open_page(ada, size=PHONE)
    page.goto("/settings/")
    expect(page.get_by_role("heading", name="API keys")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert ApiKey.objects.count() == 1
