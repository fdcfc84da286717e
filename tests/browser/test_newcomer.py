"""The newcomer's path through the chat page, as a person walks it."""

import re

from playwright.sync_api import WebSocketRoute, expect

from accounts.models import User
from characters.models import Character
from chat.models import Message
from tests.browser.chat_page import ChatPage
from tests.browser.conftest import PHONE, OpenPage
from tests.openai_server import Answer, Refusal, ScriptedServer

WORDS = [f"word{at} " for at in range(120)]
WHOLE = "".join(WORDS).strip()


def test_newcomer_signs_up_meets_the_cast_and_gets_an_answer(
    open_page: OpenPage, cast: list[Character], model_server: ScriptedServer
) -> None:
    model_server.script(Answer(text="Good evening. What shall we read?"))
    page = open_page()
    chat = ChatPage(page).open()
    # Nobody lives here yet: the house asks for an account, not for a password.
    expect(page.get_by_text("You are the first here")).to_be_visible()
    page.get_by_label("Email").fill("new@example.com")
    page.locator("input[name=password1]").fill("the kettle is on again")
    page.locator("input[name=password1]").press("Enter")

    expect(page.get_by_role("heading", name="Who would you like to talk to?")).to_be_visible()
    cast = page.get_by_role("group", name="Characters").get_by_role("button")
    expect(cast).to_have_count(4)
    expect(cast.nth(1).locator("strong")).not_to_be_empty()
    name = cast.nth(1).locator("strong").text_content()
    cast.nth(1).click()
    expect(cast.nth(1)).to_have_attribute("aria-pressed", "true")
    expect(chat.field).to_have_attribute("placeholder", f"Message {name}")
    chat.say("Hello there")

    chat.await_answer("Good evening. What shall we read?")
    expect(page).to_have_url(re.compile(r"/c/[0-9a-f-]{36}$"))
    expect(chat.answers.last.locator(".message-name")).to_have_text(name)
    expect(page.get_by_role("navigation", name="Conversations").get_by_role("link")).to_have_text(
        ["Hello there"]
    )
    assert model_server.chats[0].body["messages"][-1] == {"role": "user", "content": "Hello there"}


def test_person_tries_a_suggestion_sends_it(
    open_page: OpenPage, ada: User, cast: list[Character], model_server: ScriptedServer
) -> None:
    model_server.script(Answer(text="Gladly."))
    chat = ChatPage(open_page(ada)).open()
    suggestion = chat.page.get_by_role("group", name="Things to try").get_by_role("button").first
    words = suggestion.inner_text()
    suggestion.click()
    chat.await_answer("Gladly.")
    expect(chat.page.locator(".said")).to_have_text(words)


def test_person_asks_again_moves_between_the_answers(
    open_page: OpenPage, ada: User, model_server: ScriptedServer
) -> None:
    model_server.script(Answer(text="The first answer."), Answer(text="The second answer."))
    chat = ChatPage(open_page(ada)).open()
    chat.say("Tell me")
    chat.await_answer("The first answer.")
    chat.verb("Another answer").click()
    chat.await_answer("The second answer.")
    expect(chat.answers.last.locator("branch-arrows")).to_contain_text("2 / 2")
    chat.verb("Earlier version").click()
    chat.await_answer("The first answer.")
    chat.page.reload()
    chat.await_answer("The first answer.")
    chat.verb("Later version").click()
    chat.await_answer("The second answer.")


def test_person_edits_a_message_begins_a_branch(
    open_page: OpenPage, ada: User, model_server: ScriptedServer
) -> None:
    model_server.script(Answer(text="About tea."), Answer(text="About coffee."))
    chat = ChatPage(open_page(ada)).open()
    chat.say("Tea?")
    chat.await_answer("About tea.")
    chat.field.press("ArrowUp")
    editor = chat.page.get_by_role("textbox", name="Edit the message")
    expect(editor).to_have_value("Tea?")
    editor.fill("Coffee?")
    editor.press("Enter")
    chat.await_answer("About coffee.")
    expect(chat.page.locator(".said")).to_have_text("Coffee?")
    question = chat.page.locator("chat-message.user")
    expect(question.locator("branch-arrows")).to_contain_text("2 / 2")
    chat.verb("Earlier version", question).click()
    chat.await_answer("About tea.")
    expect(chat.page.locator(".said")).to_have_text("Tea?")


def test_person_stops_an_answer_continues_it(
    open_page: OpenPage, ada: User, model_server: ScriptedServer
) -> None:
    model_server.script(Answer(tokens=WORDS, pace=20), Answer(text="and the end."))
    chat = ChatPage(open_page(ada)).open()
    chat.say("A long one")
    expect(chat.last_answer).to_contain_text("word5")
    chat.page.keyboard.press("Escape")
    expect(chat.page.get_by_text("Stopped.")).to_be_visible()
    expect(chat.stop_button).to_be_hidden()
    chat.verb("Continue").click()
    expect(chat.last_answer).to_contain_text("the end.")
    expect(chat.last_answer).to_contain_text("word5")
    expect(chat.page.get_by_text("Stopped.")).to_be_hidden()


def test_person_reloads_in_mid_answer_loses_no_word(
    open_page: OpenPage, ada: User, model_server: ScriptedServer
) -> None:
    model_server.script(Answer(tokens=WORDS, pace=40))
    chat = ChatPage(open_page(ada)).open()
    chat.say("A long one")
    expect(chat.last_answer).to_contain_text("word9 ")
    chat.page.reload()
    chat.await_answer(WHOLE)
    assert Message.objects.get(text__startswith="word0").text.strip() == WHOLE


def test_person_whose_connection_breaks_loses_no_word_and_sees_nothing_of_it(
    open_page: OpenPage, ada: User, model_server: ScriptedServer
) -> None:
    model_server.script(Answer(tokens=WORDS, pace=30))
    page = open_page(ada)
    connections: list[WebSocketRoute] = []

    def pass_through(connection: WebSocketRoute) -> None:
        connection.connect_to_server()
        connections.append(connection)

    page.route_web_socket("**/ws/chat/", pass_through)
    chat = ChatPage(page).open()
    chat.say("A long one")
    for word in ("word9 ", "word40 ", "word70 "):
        expect(chat.last_answer).to_contain_text(word)
        connections[-1].close(code=4012)
        expect(page.locator(".offline")).to_be_hidden()
    chat.await_answer(WHOLE)
    assert len(connections) == 4


def test_person_with_two_windows_sees_the_same_in_both(
    open_page: OpenPage, ada: User, model_server: ScriptedServer
) -> None:
    model_server.script(Answer(text="One."), Answer(tokens=WORDS, pace=40))
    here = ChatPage(open_page(ada)).open()
    here.say("First")
    here.await_answer("One.")
    there = ChatPage(open_page(ada)).open(here.page.url)
    there.await_answer("One.")
    here.say("Second")
    there.await_answer(WHOLE)
    here.await_answer(WHOLE)
    expect(there.page.locator(".said")).to_have_text(["First", "Second"])


def test_person_whose_model_is_down_reads_why_and_tries_again(
    open_page: OpenPage, ada: User, model_server: ScriptedServer
) -> None:
    model_server.script(*[Refusal(401)] * 1, Answer(text="Back again."))
    chat = ChatPage(open_page(ada)).open()
    chat.say("Are you there")
    notice = chat.answers.last.get_by_role("alert")
    expect(notice).to_be_visible()
    chat.verb("Try again").click()
    chat.await_answer("Back again.")


def test_person_on_a_phone_finds_everything_within_the_screen(
    open_page: OpenPage, ada: User, model_server: ScriptedServer
) -> None:
    code = "x" * 200
    model_server.script(
        Answer(text=f"Wide:\n\n```\n{code}\n```\n\n| a | b | c |\n|-|-|-|\n| {'long ' * 9}| y | z |")
    )
    page = open_page(ada, size=PHONE, has_touch=True, is_mobile=True)
    chat = ChatPage(page).open()
    assert chat.overflow <= 0
    # A phone's return key makes a line; the button sends.
    chat.field.fill("One line")
    chat.field.press("Enter")
    expect(chat.messages).to_have_count(0)
    page.get_by_role("button", name="Send", exact=True).tap()
    expect(chat.last_answer.locator("table")).to_be_visible()
    expect(chat.stop_button).to_be_hidden()
    assert chat.overflow <= 0
    page.get_by_role("button", name="Open the sidebar").tap()
    expect(page.get_by_role("navigation", name="Conversations").get_by_role("link")).to_be_visible()
