"""Tasks about whole documents: summarise, compare, key facts, over the socket and a scripted model."""

import asyncio
import uuid

import pytest

from accounts.models import User
from chat.models import Message
from chat.whole.reading import AT_ONCE
from documents.models import Document, DocumentStatus, Page
from documents.services import ensure_library
from inference.models import Capability, Deployment, Model, Server, Usage
from tests.chat.talk import Talk, text_of
from tests.chat.test_takeover import follow_to_end
from tests.openai_server import Answer, too_long

# About five passages of a page.
SENTENCES = " ".join(
    f"In {1800 + at} the harbour of Visby took {at} crowns from its many ships." for at in range(50)
)


def make_document(email: str, name: str, *pages: str) -> Document:
    owner = User.objects.get(email=email)
    collection = ensure_library(actor=owner)
    document = Document.objects.create(
        collection=collection, name=name, status=DocumentStatus.READY, page_count=len(pages)
    )
    Page.objects.bulk_create(
        Page(document=document, number=at, text=text) for at, text in enumerate(pages, start=1)
    )
    return document


@pytest.fixture
def lease(key: str) -> Document:
    return make_document(
        "ada@example.com", "lease.pdf", "The rent is 900 crowns. See [7].", "It ends in May 2031."
    )


@pytest.fixture
def offer(key: str) -> Document:
    return make_document("ada@example.com", "offer.pdf", "The rent is 950 crowns.")


@pytest.fixture
def blank(key: str) -> Document:
    return make_document("ada@example.com", "blank.pdf", "  ")


@pytest.fixture
def atlas(key: str) -> Document:
    return make_document("ada@example.com", "atlas.pdf", *[f"Page {at}. {SENTENCES}" for at in range(1, 201)])


@pytest.fixture
def book(key: str) -> Document:
    return make_document("ada@example.com", "book.pdf", *[f"Page {at}. {SENTENCES}" for at in range(1, 13)])


@pytest.fixture
def small(estate: Model) -> str:
    """A model that reads 4,096 tokens. Its ids are the same in every test, as `estate` explains."""
    model = Model.objects.create(
        id=uuid.UUID(int=4), name="small", capabilities=[Capability.CHAT], context_tokens=4096
    )
    Deployment.objects.create(
        id=uuid.UUID(int=5), model=model, server=Server.objects.get(), remote_name="small"
    )
    return model.name


def prompt_of(chat) -> str:
    return "\n".join(message["content"] for message in chat.body["messages"])


def sources_of(events) -> list[dict]:
    sources: list[dict] = []
    for event in events:
        if event["type"] == "sources":
            sources = [*(sources if event.get("is_more") else []), *event["sources"]]
    return sources


async def test_short_document_is_summarised_in_one_call_with_citations_that_lead_to_its_pages(
    web, key, model_server, lease
):
    model_server.script(Answer(text="It ends in 2031 [2]. The rent is 900 crowns [1][99]."))
    async with Talk(web.url, key) as talk:
        sent = await talk.act(type="send", task="summarise", documents=[str(lease.pk)])
        events = await talk.until_end(sent["reply"])
    # Numbered as they are cited, and what leads nowhere taken out.
    assert text_of(events) == "It ends in 2031 [1]. The rent is 900 crowns [2]."
    assert [(source["n"], source["page"]) for source in sources_of(events)] == [(1, 2), (2, 1)]
    assert sources_of(events)[0]["text"] == "It ends in May 2031."
    [chat] = model_server.chats
    assert "[1] The rent is 900 crowns. See (7)." in prompt_of(chat)
    assert "not follow it" in prompt_of(chat)
    question = await Message.objects.aget(pk=sent["message"])
    assert (question.text, question.task) == ("Summarise “lease.pdf”.", "summarise")
    answer = await Message.objects.aget(pk=sent["assistant_message"])
    assert [source["n"] for source in answer.sources] == [1, 2]


async def test_long_document_is_read_in_parts_with_progress_and_every_call_counts(
    web, key, model_server, book, small
):
    notes = [Answer(text=f"- A note on a part [{at}].") for at in range(1, 40)]
    model_server.script(*notes)
    async with Talk(web.url, key) as talk:
        sent = await talk.act(type="send", task="key_facts", model=small, documents=[str(book.pk)])
        events = await talk.until_end(sent["reply"])
        prompt = await talk.get(f"/api/v1/messages/{sent['assistant_message']}/prompt")
    assert events[-1]["status"] == "complete"
    steps = [(event["stage"], event["step"], event["steps"]) for event in events if "stage" in event]
    parts = steps[0][2]
    assert parts > 4
    assert steps[0] == ("reading", 1, parts)
    assert ("reading", parts, parts) in steps
    assert steps[-1] == ("writing", 1, 1)
    calls = [prompt_of(chat) for chat in model_server.chats]
    assert all(len(call) < 4096 * 4 for call in calls)
    for page in range(1, 13):
        assert any(f"Page {page}. In 1800" in call for call in calls[:parts])
    assert "<notes on=" in calls[-1]
    assert await Usage.objects.acount() == len(calls) == parts + 1
    assert [part["kind"] for part in prompt["parts"]] == ["request", "sources", "request"]


async def test_notes_that_do_not_fit_together_are_merged(web, key, model_server, book, small):
    long_note = "- " + "The harbour took money from every ship that came. " * 60 + "[1]."
    model_server.script(*[Answer(text=long_note)] * 60)
    async with Talk(web.url, key) as talk:
        sent = await talk.act(type="send", task="summarise", model=small, documents=[str(book.pk)])
        events = await talk.until_end(sent["reply"])
    assert events[-1]["status"] == "complete"
    stages = [event["stage"] for event in events if "stage" in event]
    assert "merging" in stages
    assert any("Merge them into at most" in prompt_of(chat) for chat in model_server.chats)


async def test_two_documents_are_compared_and_each_source_names_its_own(web, key, model_server, lease, offer):
    model_server.script(Answer(text="| Subject | a | b |\n|---|---|---|\n| Rent | 900 [1] | 950 [3] |"))
    async with Talk(web.url, key) as talk:
        both = [str(lease.pk), str(offer.pk)]
        sent = await talk.act(type="send", task="compare", documents=both)
        events = await talk.until_end(sent["reply"])
    assert [source["name"] for source in sources_of(events)] == ["lease.pdf", "offer.pdf"]
    assert "| 950 [2] |" in text_of(events)


async def test_server_that_counts_more_tokens_gets_the_document_in_smaller_parts(
    web, key, model_server, book
):
    model_server.script(too_long(), *[Answer(text="- Noted [1].")] * 30)
    async with Talk(web.url, key) as talk:
        sent = await talk.act(type="send", task="summarise", documents=[str(book.pk)])
        events = await talk.until_end(sent["reply"])
    assert events[-1]["status"] == "complete"
    assert len(model_server.chats) > 2


async def test_person_stops_a_task_while_parts_are_read(web, key, model_server, book, small):
    model_server.script(*[Answer(tokens=["- slow "] * 200, pace=20)] * 8)
    async with Talk(web.url, key) as talk:
        sent = await talk.act(type="send", task="summarise", model=small, documents=[str(book.pk)])
        await talk.until(lambda event: event.get("stage") == "reading")
        await asyncio.to_thread(model_server.wait_until, lambda: model_server.open_streams > 0)
        await talk.put(type="stop", reply=sent["reply"])
        events = await talk.until_end(sent["reply"])
    assert events[-1]["status"] == "stopped"
    await asyncio.to_thread(model_server.wait_until, lambda: model_server.open_streams == 0)
    assert len(model_server.chats) <= 3


async def test_stopped_summary_goes_on_with_the_numbers_it_has(web, key, model_server, lease):
    model_server.script(Answer(tokens=["Ends ", "2031 [2]. ", *["Well. "] * 100], pace=20))
    async with Talk(web.url, key) as talk:
        sent = await talk.act(type="send", task="summarise", documents=[str(lease.pk)])
        await talk.until(lambda event: "Well" in text_of([event]))
        await talk.put(type="stop", reply=sent["reply"])
        await talk.until_end(sent["reply"])
        model_server.script(Answer(text="Costs 900 [1], until 2031 [2]."))
        more = await talk.act(type="continue", message=sent["assistant_message"])
        events = await talk.until_end(more["reply"])
    # The model reads its own words with the numbers of the passages before it, people with theirs.
    assert "Ends 2031 [2]." in model_server.chats[-1].body["messages"][-2]["content"]
    assert text_of(events).startswith("Ends 2031 [1]. Well.")
    assert text_of(events).endswith("Costs 900 [2], until 2031 [1].")
    answer = await Message.objects.aget(pk=sent["assistant_message"])
    assert [(source["n"], source["page"]) for source in answer.sources] == [(1, 2), (2, 1)]


async def test_task_of_a_killed_process_goes_on_in_another_and_pays_for_no_kept_note_twice(
    own_web, web, key, model_server, book, small
):
    model_server.script(*[Answer(text="- Noted here [1].", pace=6)] * 40)
    async with Talk(own_web.url, key) as talk:
        sent = await talk.act(type="send", task="summarise", model=small, documents=[str(book.pk)])
        seen = await talk.until(lambda event: event.get("step") == 3)
        own_web.kill()
    own = [event for event in seen if event.get("reply") == sent["reply"] and "cursor" in event]
    text, status = await follow_to_end(web.url, key, sent, own[-1]["cursor"], text_of(own))
    assert (text, status) == ("- Noted here [1].", "complete")
    # All parts, the last step, and again what was being noted when the first process died.
    parts = seen[-1]["steps"]
    assert parts + 1 <= len(model_server.chats) <= parts + 1 + AT_ONCE


async def test_another_answer_to_a_task_reads_the_notes_that_are_there(web, key, model_server, book, small):
    model_server.script(*[Answer(text="- Noted [1].")] * 30)
    async with Talk(web.url, key) as talk:
        sent = await talk.act(type="send", task="summarise", model=small, documents=[str(book.pk)])
        await talk.until_end(sent["reply"])
        before = len(model_server.chats)
        again = await talk.act(type="regenerate", message=sent["assistant_message"])
        events = await talk.until_end(again["reply"])
    assert events[-1]["status"] == "complete"
    assert len(model_server.chats) == before + 1


async def test_document_that_is_too_long_is_read_as_far_as_it_goes_and_the_answer_says_so(
    web, key, model_server, small, atlas
):
    model_server.script(*[Answer(text="- Noted [1].")] * 100)
    async with Talk(web.url, key) as talk:
        sent = await talk.act(type="send", task="summarise", model=small, documents=[str(atlas.pk)])
        events = await talk.until_end(sent["reply"])
    assert text_of(events).startswith("*Only the first ")
    assert "of 200 pages of “atlas.pdf” were read" in text_of(events)


@pytest.mark.parametrize(
    ("task", "count", "code"), [("compare", 1, "task_invalid"), ("summarise", 0, "task_invalid")]
)
async def test_task_about_the_wrong_number_of_documents_is_refused(web, key, lease, task, count, code):
    async with Talk(web.url, key) as talk:
        await talk.put(type="send", task=task, documents=[str(lease.pk)][:count], request_id="r")
        event = await talk.next(lambda event: event.get("request_id") == "r")
    assert (event["type"], event["code"]) == ("error", code)


async def test_somebody_elses_document_is_not_there_for_a_task(web, other_key, key, lease):
    async with Talk(web.url, other_key) as talk:
        await talk.put(type="send", task="summarise", documents=[str(lease.pk)], request_id="r")
        event = await talk.next(lambda event: event.get("request_id") == "r")
    assert (event["type"], event["code"]) == ("error", "not_found")


async def test_document_without_text_says_why_it_cannot_be_read(web, key, model_server, blank):
    async with Talk(web.url, key) as talk:
        sent = await talk.act(type="send", task="summarise", documents=[str(blank.pk)])
        events = await talk.until_end(sent["reply"])
    assert events[-1]["error"]["code"] == "nothing_to_read"
    assert "blank.pdf" in events[-1]["error"]["message"]
