"""The documents pages as a person uses them: files come in, are read before one's eyes, and open at a passage."""

import re
from io import BytesIO

import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect
from reportlab.lib.pagesizes import A5
from reportlab.pdfgen.canvas import Canvas

from accounts.models import User
from documents.models import Collection, Document
from documents.models import Page as DocumentPage
from inference.models import Model
from tests.browser.conftest import PHONE, OpenPage
from tests.processes import Process

PAGES = (
    "The harbour of Visby was dredged in 1874. Two steam cranes unloaded grain and timber there.",
    "Lamps on the northern pier burned whale oil until 1891, when the town laid gas pipes to the quay.",
    "The lighthouse keeper kept bees. Their honey was sold to passing ships at two crowns a jar.",
)
PATIENCE_MS = 60_000


def make_pdf(*pages: str) -> bytes:
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=A5)
    for text in pages:
        lines = canvas.beginText(40, 500)
        for words in re.findall(r".{1,60}(?:\s|$)", text):
            lines.textLine(words.strip())
        canvas.drawText(lines)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def pdf(name: str, body: bytes) -> FilePayload:
    return {"name": name, "mimeType": "application/pdf", "buffer": body}


@pytest.fixture
def web(estate: Model, reading_house: Process) -> Process:
    from inference.services import register_configured_servers

    register_configured_servers()
    return reading_house


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has_text=name)


def upload(page: Page, *files: FilePayload) -> None:
    page.get_by_label("Upload documents").set_input_files(list(files))


def test_person_uploads_a_pdf_watches_it_and_opens_the_passage_found_in_it(
    open_page: OpenPage, ada: User
) -> None:
    page = open_page(ada)
    page.goto("/documents/")
    expect(page.get_by_role("heading", name="Drop your documents here")).to_be_visible()

    upload(page, pdf("visby.pdf", make_pdf(*PAGES)))
    visby = row(page, "visby.pdf")
    expect(visby.locator("progress")).to_be_visible()
    expect(visby).to_contain_text("Ready", timeout=PATIENCE_MS)
    expect(visby.locator("progress")).to_be_hidden()
    expect(visby.locator("[data-part=pages]")).to_have_text("3")
    expect(page.locator("[data-summary]")).to_contain_text("1 document, 3 pages")

    page.get_by_role("searchbox", name="Search inside documents").fill("what did the lighthouse keeper keep")
    first = page.locator(".passage").first
    expect(first).to_contain_text("bees")
    first.click()

    expect(page).to_have_url(re.compile(r"/documents/[0-9a-f-]{36}/\?page=3&start=\d+&end=\d+"))
    expect(page.locator("mark").first).to_contain_text("The lighthouse keeper kept bees")
    expect(page.locator(".viewer-mark").first).to_be_in_viewport()
    page.get_by_role("link", name="Previous page").click()
    expect(page.locator(".viewer-text")).to_contain_text("whale oil")
    expect(page.locator("mark")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"\?page=2$"))
    page.get_by_label("Page", exact=True).fill("1")
    page.get_by_label("Page", exact=True).press("Enter")
    expect(page.locator(".viewer-text")).to_contain_text("steam cranes")

    expect(page.locator(".viewer-sheet img")).to_be_visible()
    page.get_by_role("searchbox", name="Find in this document").fill("lamps on the pier")
    page.get_by_role("searchbox", name="Find in this document").press("Enter")
    expect(page.locator(".finder-count")).to_have_text("2 of 3")
    expect(page.locator("mark").first).to_contain_text("Lamps on the northern pier")
    expect(page.locator(".viewer-mark").first).to_be_in_viewport()
    page.get_by_role("button", name="Next passage").click()
    expect(page.locator("mark").first).to_contain_text("The lighthouse keeper")
    page.get_by_role("radio", name="As text").check()
    expect(page.locator("mark").first).to_be_in_viewport()
    expect(page.locator(".viewer-sheet")).to_have_count(0)


def test_person_uploads_a_file_that_fails_reads_why_and_deletes_it_by_name(
    open_page: OpenPage, ada: User
) -> None:
    page = open_page(ada)
    page.goto("/documents/")
    upload(page, pdf("torn.pdf", b"%PDF-1.7 and nothing that follows"))
    torn = row(page, "torn.pdf")
    expect(torn).to_contain_text("Failed", timeout=PATIENCE_MS)
    expect(torn).to_contain_text("This file is damaged or incomplete.")
    expect(torn.get_by_role("button", name="Try again")).to_be_visible()

    torn.get_by_role("button", name="More about torn.pdf").click()
    page.get_by_role("menuitem", name="Delete").click()
    dialog = page.get_by_role("dialog", name="Delete “torn.pdf”?")
    dialog.get_by_role("button", name="Cancel").click()
    expect(torn).to_be_visible()
    torn.get_by_role("button", name="More about torn.pdf").click()
    page.get_by_role("menuitem", name="Delete").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(torn).to_have_count(0)
    expect(page.get_by_role("heading", name="Drop your documents here")).to_be_visible()
    assert not Document.objects.exists()


def test_person_uploads_what_cannot_be_taken_and_reads_why_at_once(open_page: OpenPage, ada: User) -> None:
    page = open_page(ada)
    page.goto("/documents/")
    upload(page, pdf("empty.pdf", b""), pdf("huge.pdf", b"%PDF-1.7" + bytes(2_000_000)))
    expect(row(page, "empty.pdf")).to_contain_text("This file is empty.")
    expect(row(page, "huge.pdf")).to_contain_text("larger than 1.0 MB")
    assert not Document.objects.exists()


def test_person_drops_files_anywhere_on_the_page_and_they_join_the_open_collection(
    open_page: OpenPage, ada: User
) -> None:
    shelf = Collection.objects.create(owner=ada, name="Harbours")
    page = open_page(ada)
    page.goto(f"/documents/?collection={shelf.pk}")
    transfer = page.evaluate_handle(
        """() => {
            const transfer = new DataTransfer();
            transfer.items.add(new File(["Bees make honey."], "bees.txt", { type: "text/plain" }));
            return transfer;
        }"""
    )
    page.dispatch_event("body", "dragenter", {"dataTransfer": transfer})
    expect(page.get_by_text("Drop the files to add them to “Harbours”")).to_be_visible()
    page.dispatch_event("body", "drop", {"dataTransfer": transfer})
    expect(row(page, "bees.txt")).to_contain_text("Ready", timeout=PATIENCE_MS)
    assert [document.name for document in shelf.documents.all()] == ["bees.txt"]


def test_person_sees_in_one_window_what_another_uploads_become_ready(open_page: OpenPage, ada: User) -> None:
    here = open_page(ada)
    here.goto("/documents/")
    upload(here, pdf("visby.pdf", make_pdf(*PAGES)))
    expect(row(here, "visby.pdf")).to_have_attribute("data-document", re.compile(r".{36}"))
    there = open_page(ada)
    there.goto("/documents/")
    expect(row(there, "visby.pdf")).to_contain_text("Ready", timeout=PATIENCE_MS)


def test_citation_marks_the_same_words_when_the_page_is_fetched_as_when_it_is_rendered(
    open_page: OpenPage, ada: User
) -> None:
    text = "Short 😀 line.\n\nA second, in which 𝒪(n) stands.\nA third."
    shelf = Collection.objects.create(owner=ada, name="Library")
    document = Document.objects.create(collection=shelf, name="signs.txt", status="ready", page_count=1)
    DocumentPage.objects.create(document=document, number=1, text=text)
    start, end = text.index("in which"), text.index("A third") + 1
    page = open_page(ada)
    page.goto(f"/documents/{document.pk}/?start={start}&end={end}")
    rendered = page.locator(".viewer-text .line").evaluate_all("lines => lines.map(line => line.outerHTML)")
    expect(page.locator("mark")).to_have_text(["in which 𝒪(n) stands.", "A"])

    page.evaluate(
        """([id, start, end]) => {
            const viewer = document.createElement("document-viewer");
            viewer.setAttribute("document", id);
            viewer.setAttribute("page", "1");
            viewer.setAttribute("start", start);
            viewer.setAttribute("end", end);
            document.querySelector("document-viewer").replaceWith(viewer);
        }""",
        [str(document.pk), str(start), str(end)],
    )
    expect(page.locator("mark")).to_have_count(2)
    fetched = page.locator(".viewer-text .line").evaluate_all("lines => lines.map(line => line.outerHTML)")
    assert fetched == rendered


def test_person_makes_a_collection_with_the_keyboard_alone(open_page: OpenPage, ada: User) -> None:
    page = open_page(ada)
    page.goto("/documents/")
    page.get_by_role("button", name="New collection").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.type("Contracts")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Contracts", level=1)).to_be_visible()
    expect(page.get_by_role("navigation", name="Collections").first).to_contain_text("Contracts")


def test_person_on_a_phone_reads_the_table_as_cards_within_the_screen(open_page: OpenPage, ada: User) -> None:
    shelf = Collection.objects.create(owner=ada, name="Library")
    Document.objects.create(
        collection=shelf, name="a very long name " * 8 + ".pdf", status="ready", page_count=1
    )
    page = open_page(ada, size=PHONE, has_touch=True, is_mobile=True)
    page.goto("/documents/")
    width = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(width) <= 0
    expect(page.get_by_role("columnheader", name="State")).to_be_hidden()
    page.get_by_role("button", name="Open the sidebar").tap()
    expect(page.get_by_role("link", name="Characters")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Characters")).to_be_hidden()


def test_person_chooses_the_dark_theme_and_every_page_comes_dark(open_page: OpenPage, ada: User) -> None:
    page = open_page(ada)
    page.goto("/documents/")
    page.get_by_role("button", name=ada.display_name).click()
    page.get_by_role("button", name="Dark").click()
    page.goto("/offline/")  # a page that knows nobody
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_person_shares_a_collection_and_the_other_one_reads_it_but_cannot_change_it(
    open_page: OpenPage, ada: User
) -> None:
    eve = User.objects.create_user("eve@example.com", "a long enough password")
    page = open_page(ada)
    page.goto("/documents/")
    page.locator(".sidebar-heading").get_by_role("button", name="New collection").click()
    page.get_by_role("dialog", name="New collection").get_by_label("Name").fill("Harbour board")
    page.get_by_role("button", name="Create collection").click()
    expect(page.get_by_role("heading", name="Harbour board")).to_be_visible()
    upload(page, pdf("visby.pdf", make_pdf(*PAGES)))
    expect(row(page, "visby.pdf")).to_contain_text("Ready", timeout=PATIENCE_MS)

    page.get_by_role("button", name="Share", exact=True).click()
    dialog = page.get_by_role("dialog", name="Share “Harbour board”")
    expect(dialog).to_contain_text("Only you can use it so far.")
    dialog.get_by_label("A person’s email address, or a group").fill("nobody@example.com")
    dialog.get_by_role("button", name="Share").click()
    expect(dialog.get_by_role("alert")).to_have_text("Nobody here signs in with that address.")
    dialog.get_by_label("A person’s email address, or a group").fill("eve@example.com")
    dialog.get_by_role("button", name="Share").click()
    expect(dialog.get_by_role("listitem")).to_contain_text("eve@example.com")

    other = open_page(eve, PHONE)
    other.goto(page.url)
    expect(other.get_by_text("Shared by ada")).to_be_visible()
    expect(row(other, "visby.pdf")).to_contain_text("Ready")
    expect(other.get_by_text("Upload documents")).to_have_count(0)
    row(other, "visby.pdf").get_by_role("button", name="More about visby.pdf").click()
    expect(other.get_by_role("menuitem", name="Read")).to_be_visible()
    expect(other.get_by_role("menuitem", name="Delete")).to_have_count(0)


def test_person_names_a_page_of_the_own_network_and_reads_why_it_is_not_fetched(
    open_page: OpenPage, ada: User
) -> None:
    page = open_page(ada)
    page.goto("/documents/")
    page.get_by_role("button", name="From the web").click()
    dialog = page.get_by_role("dialog", name="From the web")
    dialog.get_by_label("Address").fill("http://localhost/plan.pdf")
    dialog.get_by_role("button", name="Fetch").click()
    plan = row(page, "plan.pdf")
    expect(plan).to_contain_text("Failed", timeout=PATIENCE_MS)
    expect(plan).to_contain_text("Give a public address")


def test_person_pastes_text_and_it_becomes_a_document(open_page: OpenPage, ada: User) -> None:
    page = open_page(ada)
    page.goto("/documents/")
    expect(page.get_by_role("heading", name="Drop your documents here")).to_be_visible()
    page.evaluate(
        """() => {
            const clipboardData = new DataTransfer();
            clipboardData.setData("text/plain", "The ferry to Visby leaves at noon.");
            document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
        }"""
    )
    expect(row(page, "Pasted text")).to_contain_text("Ready", timeout=PATIENCE_MS)
