"""The documents pages as they come from the server, before any script runs."""

import uuid

import pytest
from django.test import Client

from accounts.models import User
from documents.models import Collection, Document, Page

pytestmark = pytest.mark.django_db

TEXT = "Before 😀 the passage itself after.\nAnd a second line."
START, END = 9, 27


def create_user(email: str) -> User:
    return User.objects.create_user(email, "a long enough password")


@pytest.fixture
def ada() -> User:
    return create_user("ada@example.org")


@pytest.fixture
def browser(ada: User) -> Client:
    return sign_in(ada)


def sign_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def create_document(owner: User, **fields: object) -> Document:
    shelf, _ = Collection.objects.get_or_create(owner=owner, name="Library", kind="library")
    values: dict[str, object] = {"name": "paper.pdf", "status": "ready", "page_count": 3, **fields}
    document = Document.objects.create(collection=shelf, **values)
    for number in range(1, document.page_count + 1):
        Page.objects.create(document=document, number=number, label="iv" if number == 2 else "", text=TEXT)
    return document


def test_person_sees_state_pages_and_size_of_each_document(ada: User, browser: Client) -> None:
    create_document(ada, name="paper.pdf", size_bytes=2_202_009)
    create_document(ada, name="note.txt", page_count=1)
    page = browser.get("/documents/").text
    assert 'data-unit="pages">3<' in page
    assert 'data-unit="page">1<' in page
    assert "paper.pdf" in page
    assert "Ready" in page
    assert "2.1\xa0MB" in page
    assert "2 documents, 4 pages" in " ".join(page.split())


def test_person_sees_why_a_document_failed_and_can_try_again(ada: User, browser: Client) -> None:
    create_document(ada, status="failed", error_code="file_encrypted", page_count=0)
    page = browser.get("/documents/").text
    assert "A password protects this file." in page
    assert 'data-action="retry"' in page


def test_person_without_documents_is_invited_to_drop_some(browser: Client) -> None:
    assert "Drop your documents here" in browser.get("/documents/").text


def test_person_opens_one_collection_and_sees_only_its_documents(ada: User, browser: Client) -> None:
    create_document(ada, name="elsewhere.pdf")
    shelf = Collection.objects.create(owner=ada, name="Contracts")
    Document.objects.create(collection=shelf, name="lease.pdf")
    page = browser.get(f"/documents/?collection={shelf.pk}").text
    assert "lease.pdf" in page
    assert "elsewhere.pdf" not in page


def test_person_finds_what_came_through_chats_on_its_own_shelf(ada: User, browser: Client) -> None:
    shelf = Collection.objects.create(owner=ada, name="A chat", kind="chat")
    Document.objects.create(collection=shelf, name="attached.pdf")
    assert "attached.pdf" not in browser.get("/documents/").text
    assert "attached.pdf" in browser.get("/documents/?collection=chats").text


def test_person_opens_a_citation_and_finds_its_passage_marked(ada: User, browser: Client) -> None:
    document = create_document(ada)
    page = browser.get(f"/documents/{document.pk}/?page=2&start={START}&end={END}").text
    assert f'<mark id="passage">{TEXT[START:END]}</mark>' in page
    assert "printed as iv" in page
    assert "of 3" in page


def test_person_opens_a_citation_across_lines_and_finds_all_of_it_marked(ada: User, browser: Client) -> None:
    document = create_document(ada)
    page = browser.get(f"/documents/{document.pk}/?page=1&start=28&end=40").text
    assert '<mark id="passage">after.</mark>' in page
    assert "<mark>And a</mark> second line." in page


@pytest.mark.parametrize(
    "span", ["start=30&end=10", "start=-4&end=9", "start=a&end=b", "page=0", "start=999&end=1000"]
)
def test_person_opens_a_broken_citation_and_reads_the_page_unmarked(
    ada: User, browser: Client, span: str
) -> None:
    document = create_document(ada)
    response = browser.get(f"/documents/{document.pk}/?{span}")
    assert response.status_code == 200
    assert "Before 😀 the passage itself after." in response.text
    assert "<mark" not in response.text


def test_person_asks_for_a_page_past_the_end_and_gets_the_last(ada: User, browser: Client) -> None:
    document = create_document(ada)
    assert 'page="3"' in browser.get(f"/documents/{document.pk}/?page=99").text


def test_page_text_is_escaped(ada: User, browser: Client) -> None:
    document = create_document(ada, page_count=0)
    Page.objects.create(document=document, number=1, text="<script>alert(1)</script>")
    assert "&lt;script&gt;alert(1)" in browser.get(f"/documents/{document.pk}/").text


def test_foreign_absent_and_unknown_shelves_answer_alike(ada: User, browser: Client) -> None:
    eve = create_user("eve@example.org")
    foreign = create_document(eve)
    addresses = [
        f"/documents/{foreign.pk}/",
        f"/documents/{uuid.uuid4()}/",
        f"/documents/?collection={foreign.collection_id}",
        "/documents/?collection=nonsense",
    ]
    assert [browser.get(address).status_code for address in addresses] == [404] * 4


def test_stranger_is_sent_to_sign_in() -> None:
    response = Client().get("/documents/")
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")
