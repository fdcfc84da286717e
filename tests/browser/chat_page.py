"""The chat page as a person sees it: where things are, in words of the test."""

from playwright.sync_api import Locator, Page, expect


class ChatPage:
    def __init__(self, page: Page) -> None:
        self.page = page
        self.field = page.get_by_role("textbox", name="Message", exact=True)
        self.messages = page.locator("chat-message")
        self.answers = page.locator("chat-message.assistant")
        self.stop_button = page.get_by_role("button", name="Stop", exact=True)

    def open(self, path: str = "/") -> "ChatPage":
        self.page.goto(path)
        return self

    def say(self, text: str) -> None:
        self.field.fill(text)
        self.field.press("Enter")

    @property
    def last_answer(self) -> Locator:
        return self.answers.last.locator(":scope > .message-body > markdown-text")

    def await_answer(self, text: str) -> None:
        """The last answer is whole, and it is this text."""
        expect(self.last_answer).to_have_text(text)
        expect(self.stop_button).to_be_hidden()

    def verb(self, name: str, message: Locator | None = None) -> Locator:
        """A button of a message, the last answer's unless another is given."""
        return (message or self.answers.last).get_by_role("button", name=name, exact=True)

    @property
    def overflow(self) -> int:
        """By how many pixels the page is wider than its window; 0 on a page that fits."""
        return self.page.evaluate(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
