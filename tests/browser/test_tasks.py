"""Whole documents from their own page: asked for with one press, followed while they are read, shown with sources."""

import re
import uuid

from playwright.sync_api import Page, expect

from accounts.models import User
from documents.models import Document, DocumentStatus
from documents.models import Page as DocumentPage
from documents.services import ensure_library
from inference.models import Capability, Deployment, Model, Server
from tests.browser.chat_page import ChatPage
from tests.browser.conftest import OpenPage
from tests.openai_server import Answer, ScriptedServer

SENTENCES = " ".join(
    f"In {1800 + at} the harbour of Visby took {at} crowns from its many ships." for at in range(50)
)


def make_book(ada: User) -> Document:
    book = Document.objects.create(
        collection=ensure_library(actor=ada), name="harbour.txt", status=DocumentStatus.READY, page_count=12
    )
    DocumentPage.objects.bulk_create(
        DocumentPage(document=book, number=at, text=f"Page {at}. {SENTENCES}") for at in range(1, 13)
    )
    return book


def make_small_model_the_default() -> None:
    Model.objects.update(is_default=False)
    model = Model.objects.create(
        id=uuid.UUID(int=6),
        name="small-default",
        capabilities=[Capability.CHAT],
        context_tokens=4096,
        is_default=True,
    )
    Deployment.objects.create(model=model, server=Server.objects.get(), remote_name="small")


def ask_to_summarise(page: Page, book: Document) -> None:
    page.goto(f"/documents/{book.pk}/")
    page.get_by_role("button", name="Summarise", exact=True).click()


def test_person_has_a_document_summarised_from_its_page_and_opens_a_cited_passage(
    open_page: OpenPage, ada: User, model_server: ScriptedServer
) -> None:
    make_small_model_the_default()
    book = make_book(ada)
    model_server.script(
        # Of these numbers each part keeps those that it has read.
        *[Answer(text="- The harbour took crowns [1][20][35][50][65].", pace=8)] * 5,
        Answer(text="The harbour took money from ships [35], and more later [1].", pace=20),
    )
    page = open_page(ada)
    ask_to_summarise(page, book)

    chat = ChatPage(page)
    expect(page.get_by_text(re.compile(r"Reading part \d of \d"))).to_be_visible()
    expect(page.locator(".reply-progress")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/c/[0-9a-f-]{36}"))
    expect(page.locator("chat-message.user")).to_contain_text("Summarise “harbour.txt”.")
    chat.await_answer("The harbour took money from ships 1, and more later 2.")
    expect(page.locator(".reply-progress")).to_be_hidden()

    chat.last_answer.get_by_role("button", name=re.compile("harbour.txt, page")).first.click()
    drawer = page.get_by_role("complementary", name="Sources")
    expect(drawer.locator("mark").first).to_contain_text("the harbour of Visby took")
    # Reloading asks for nothing again.
    page.reload()
    chat.await_answer("The harbour took money from ships 1, and more later 2.")
    assert len(model_server.chats) == 6
