"""What a person thinks of an answer, said with the thumbs below it."""

from playwright.sync_api import expect

from accounts.models import User
from chat.models import Feedback
from tests.browser.chat_page import ChatPage
from tests.browser.conftest import OpenPage
from tests.openai_server import Answer, ScriptedServer


def test_person_judges_an_answer_and_finds_the_verdict_again(
    open_page: OpenPage, ada: User, model_server: ScriptedServer
) -> None:
    model_server.script(Answer(text="Visby is on Gotland."))
    chat = ChatPage(open_page(ada)).open()
    chat.say("Where is Visby?")
    expect(chat.last_answer).to_contain_text("Visby is on Gotland.")
    message = chat.page.locator("chat-message.assistant").last
    good = message.get_by_role("button", name="Good answer")
    bad = message.get_by_role("button", name="Bad answer")
    with chat.page.expect_response(lambda response: response.url.endswith("/feedback")):
        good.click()
    expect(good).to_have_attribute("aria-pressed", "true")
    with chat.page.expect_response(lambda response: response.url.endswith("/feedback")):
        bad.click()
    expect(good).to_have_attribute("aria-pressed", "false")
    chat.page.reload()
    expect(bad).to_have_attribute("aria-pressed", "true")
    assert Feedback.objects.get().verdict == "down"
    with chat.page.expect_response(lambda response: response.url.endswith("/feedback")):
        bad.click()
    expect(bad).to_have_attribute("aria-pressed", "false")
    assert not Feedback.objects.exists()
