"""What an owner's open pages hear while a document is read."""

import asyncio
from collections.abc import Callable

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.db import connection

from accounts.events import user_group
from accounts.models import User
from tests.documents import files
from tests.documents.conftest import Upload
from tests.documents.test_ingest import LONG_TEXT


async def hear(user: User, action: Callable[[], object]) -> list[dict]:
    """The events that reach a user's pages while `action` runs in a thread, until half a second of silence."""
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add(user_group(user.pk), channel)

    def act() -> None:
        try:
            action()
        finally:
            # This thread's own, which would outlive the test database.
            connection.close()

    await sync_to_async(act)()
    events = []
    try:
        while True:
            message = await asyncio.wait_for(layer.receive(channel), timeout=0.5)
            events.append(message["event"])
    except TimeoutError:
        pass
    await layer.group_discard(user_group(user.pk), channel)
    return events


@pytest.mark.django_db(transaction=True)
async def test_owner_hears_every_step_of_a_document_and_progress_only_grows(
    ingest: Upload, ada: User
) -> None:
    events = await hear(ada, lambda: ingest(LONG_TEXT))
    assert [event["status"] for event in events if event["progress"] == 0.0] == ["extracting"]
    assert events[-1]["status"] == "ready"
    progress = [event["progress"] for event in events]
    assert progress == sorted(progress)
    assert progress[-1] == 1.0
    names = {"type", "document", "name", "status", "progress", "eta_seconds", "pages_done", "pages", "error"}
    assert names == set(events[0])


@pytest.mark.django_db(transaction=True)
async def test_owner_hears_why_a_document_failed(ingest: Upload, ada: User) -> None:
    events = await hear(ada, lambda: ingest(files.make_pdf([[]]), "scan.pdf"))
    assert events[-1]["status"] == "failed"
    assert "No text was found" in events[-1]["error"]


@pytest.mark.django_db(transaction=True)
async def test_stranger_hears_nothing_of_it(ingest: Upload, eve: User) -> None:
    assert await hear(eve, lambda: ingest(LONG_TEXT)) == []
