"""What the thread makes of text, sources and length."""

import uuid

from playwright.sync_api import expect

from accounts.models import User
from chat.models import Conversation, Message, Reply, ReplyStatus, Role
from documents.models import Collection, Document, Page
from tests.browser.chat_page import ChatPage
from tests.browser.conftest import OpenPage
from tests.openai_server import Answer, ScriptedServer

RICH = """## A heading

Some **bold**, *italic* and `code`, a [link](https://example.org) and [a trap](javascript:alert(1)).

<script>document.title = "taken"</script><img src=x onerror="document.title='taken'">

| Leaf | Minutes |
|:-----|--------:|
| Assam | 4 |

```python
def steep(minutes: int) -> str:
    return f"{minutes}"
```

Heat is $Q = mc\\Delta T$ and

$$\\sqrt{\\frac{a}{b}} + \\vec{v}$$

- [x] done
"""
PAGE_TEXT = "Before 😀 the passage itself after."
START, END = 9, 27


def test_person_reads_markdown_as_it_is_meant_and_nothing_runs(
    open_page: OpenPage, ada: User, model_server: ScriptedServer
) -> None:
    # In small pieces, as a model writes.
    model_server.script(Answer(tokens=[RICH[at : at + 3] for at in range(0, len(RICH), 3)], pace=400))
    chat = ChatPage(open_page(ada)).open()
    chat.say("Everything")
    answer = chat.last_answer
    expect(answer.locator("input[type=checkbox]")).to_be_checked()
    expect(chat.stop_button).to_be_hidden()
    expect(answer.locator("h3")).to_have_text("A heading")
    expect(answer.locator("strong")).to_have_text("bold")
    expect(answer.locator("td")).to_have_text(["Assam", "4"])
    expect(answer.locator("code-block .hljs-keyword").first).to_have_text("def")
    expect(answer.locator("math-formula .katex")).to_have_count(2)
    expect(answer.locator("math-formula svg").first).to_be_visible()
    expect(answer.get_by_role("link", name="link", exact=True)).to_have_attribute("target", "_blank")
    assert answer.get_by_text("a trap").get_attribute("href") is None
    expect(answer.locator("script, img")).to_have_count(0)
    assert "taken" not in chat.page.title()
    finished = answer.inner_html()
    chat.page.reload()
    expect(answer.locator("code-block .hljs-keyword").first).to_be_visible()
    expect(answer.locator("math-formula .katex")).to_have_count(2)
    assert chat.last_answer.inner_html() == finished


def test_person_copies_code_and_answers(open_page: OpenPage, ada: User, model_server: ScriptedServer) -> None:
    model_server.script(Answer(text="Run **this**:\n\n```sh\nmake run\n```"))
    page = open_page(ada, permissions=["clipboard-read", "clipboard-write"])
    chat = ChatPage(page).open()
    chat.say("How")
    expect(chat.stop_button).to_be_hidden()
    chat.last_answer.locator("code-block").get_by_role("button", name="Copy").click()
    assert page.evaluate("() => navigator.clipboard.readText()") == "make run"
    chat.answers.last.locator(".message-actions").get_by_role("button", name="Copy").click()
    assert page.evaluate("() => navigator.clipboard.readText()") == "Run **this**:\n\n```sh\nmake run\n```"


def test_person_unfolds_what_the_model_thought(
    open_page: OpenPage, ada: User, model_server: ScriptedServer
) -> None:
    model_server.script(Answer(text="Seven.", thinking=["Three ", "and ", "four."]))
    chat = ChatPage(open_page(ada)).open()
    chat.say("Add")
    chat.await_answer("Seven.")
    fold = chat.answers.last.locator("thinking-fold")
    expect(fold).to_have_text("Thought for 1 second")
    fold.locator("summary").click()
    expect(fold.locator("markdown-text")).to_have_text("Three and four.")


def test_person_follows_a_citation_to_the_marked_passage(open_page: OpenPage, ada: User) -> None:
    shelf = Collection.objects.create(owner=ada, name="Library", kind="library")
    document = Document.objects.create(collection=shelf, name="paper.pdf", status="ready", page_count=3)
    Page.objects.create(document=document, number=2, text=PAGE_TEXT)
    source = {"n": 1, "document": str(document.pk), "name": "paper.pdf", "page": 2}
    source |= {"text": "the passage itself", "start": START, "end": END, "score": 0.9}
    conversation = make_conversation(ada, ["What does it say?", "It says so [1], and no more [7]."], [source])

    chat = ChatPage(open_page(ada)).open(f"/c/{conversation.pk}")
    expect(chat.last_answer).to_have_text("It says so 1, and no more [7].")
    chip = chat.last_answer.get_by_role("button", name="Source 1: paper.pdf, page 2")
    chip.focus()
    expect(chat.page.get_by_role("tooltip")).to_contain_text("the passage itself")
    chip.press("Enter")
    drawer = chat.page.get_by_role("complementary", name="Sources")
    expect(drawer.locator("mark")).to_have_text("the passage itself")
    chat.page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    expect(chip).to_be_focused()


def test_person_opens_a_thousand_messages_at_their_end_and_finds_the_first(
    open_page: OpenPage, ada: User
) -> None:
    texts = [
        f"Question {at // 2}" if at % 2 == 0 else f"Answer **{at // 2}**.\n\n- one\n- two"
        for at in range(1000)
    ]
    conversation = make_conversation(ada, texts)
    chat = ChatPage(open_page(ada)).open(f"/c/{conversation.pk}")
    expect(chat.messages).to_have_count(1000)
    expect(chat.last_answer).to_be_in_viewport()
    expect(chat.last_answer.locator("strong")).to_have_text("499")
    to_end = chat.page.get_by_role("button", name="To the end")
    expect(to_end).to_be_hidden()
    chat.page.locator("message-thread").evaluate("(thread) => thread.scrollTo(0, 0)")
    first = chat.messages.first
    expect(first.locator(".said")).to_have_text("Question 0")
    expect(first).to_be_in_viewport()
    to_end.click()
    expect(chat.last_answer).to_be_in_viewport()


def test_person_who_reads_further_up_is_not_pulled_down(
    open_page: OpenPage, ada: User, model_server: ScriptedServer
) -> None:
    lines = [f"line {at}\n\n" for at in range(80)]
    model_server.script(Answer(tokens=lines, pace=30), Answer(text="Gladly."))
    chat = ChatPage(open_page(ada)).open()
    chat.say("Many lines")
    expect(chat.last_answer).to_contain_text("line 30")
    expect(chat.last_answer.locator("p").last).to_be_in_viewport()
    chat.page.mouse.move(700, 300)
    chat.page.mouse.wheel(0, -400)
    expect(chat.page.get_by_role("button", name="To the end")).to_be_visible()
    thread = chat.page.locator("message-thread")
    place = thread.evaluate("(thread) => thread.scrollTop")
    expect(chat.last_answer).to_contain_text("line 60")
    assert thread.evaluate("(thread) => thread.scrollTop") == place
    expect(chat.stop_button).to_be_hidden()
    # Until they say something themselves.
    chat.say("And one more")
    expect(chat.page.get_by_text("And one more")).to_be_in_viewport()


def make_conversation(owner: User, texts: list[str], sources: list[dict] | None = None) -> Conversation:
    """A conversation of one branch: a question, an answer, and so on."""
    conversation = Conversation.objects.create(owner=owner, title="Made for the test")
    messages: list[Message] = []
    for at, text in enumerate(texts):
        role = Role.USER if at % 2 == 0 else Role.ASSISTANT
        messages.append(
            Message(
                id=uuid.UUID(int=(0x7000 << 64) + at + 1),
                conversation=conversation,
                parent_id=messages[-1].pk if messages else None,
                role=role,
                text=text,
                sources=(sources or []) if role == Role.ASSISTANT else [],
            )
        )
    Message.objects.bulk_create(messages)
    answers = [message for message in messages if message.role == Role.ASSISTANT]
    Reply.objects.bulk_create(
        Reply(message=message, requested_by=owner, status=ReplyStatus.COMPLETE, model_name="pace-0")
        for message in answers
    )
    conversation.current_message = messages[-1]
    conversation.save()
    return conversation
