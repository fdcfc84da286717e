"""Places and failover from the outside: real web processes, real model server processes, real kills."""

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Iterator

import aiohttp
import pytest

from accounts.models import ApiKey
from accounts.services import create_api_key
from inference.models import Capability, Deployment, Limit, LimitScope, Model, Server, ServerKind
from tests.chat.conftest import make_user
from tests.chat.talk import Talk, text_of
from tests.model_server_process import ModelServerProcess, model_servers
from tests.processes import ROOT, Process, child_environment, start_web, stopped_at_end

TOKENS = 60
# Sixty tokens take twelve seconds: time for fifty replies to be in the middle of theirs on a slow machine.
PACE = "pace-5"
MESSAGE = {"role": "user", "content": "go"}


def numbers_of(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"(\d+):[\d.]+;", text)]


@pytest.fixture
def two_servers(transactional_db: None) -> Iterator[list[ModelServerProcess]]:
    with model_servers(2) as servers:
        model = Model.objects.create(name=PACE, capabilities=[Capability.CHAT], is_default=True)
        for at, running in enumerate(servers):
            server = Server.objects.create(
                name=f"server {at}", kind=ServerKind.LLAMACPP, base_url=running.url
            )
            Deployment.objects.create(model=model, server=server, remote_name=PACE)
        yield servers


async def test_server_killed_under_fifty_replies_leaves_fifty_whole(two_servers, key, tmp_path):
    web = await asyncio.to_thread(start_web, tmp_path)
    with stopped_at_end(web):
        async with Talk(web.url, key) as talk:
            for number in range(50):
                await talk.put(type="send", text="Count", max_tokens=TOKENS, request_id=f"r{number}")
            while len(begun := replies_of(talk, "delta")) < 50:
                await talk.receive()
            assert not any(is_end(event) for event in talk.seen)
            await asyncio.to_thread(two_servers[0].kill)
            while sum(is_end(event) for event in talk.seen) < 50:
                await talk.receive()
    texts = [text_of([event for event in talk.seen if event.get("reply") == reply]) for reply in begun]
    assert [event["status"] for event in talk.seen if is_end(event)] == ["complete"] * 50
    assert [numbers_of(text) for text in texts] == [list(range(TOKENS))] * 50


def replies_of(talk: Talk, kind: str) -> set[str]:
    return {event["reply"] for event in talk.seen if event["type"] == kind}


def is_end(event: dict) -> bool:
    return event.get("type") == "status" and event.get("status") in {"complete", "stopped", "failed"}


@pytest.fixture
def key(transactional_db: None) -> str:
    return create_api_key(actor=make_user("ada@example.com"), name="test")[1]


@pytest.fixture
def other_key(transactional_db: None) -> str:
    return create_api_key(actor=make_user("bo@example.com"), name="test")[1]


@pytest.fixture
def one_place(transactional_db: None, model_server) -> Model:
    """A model that writes one answer at a time."""
    server = Server.objects.create(name="single", base_url=model_server.url)
    model = Model.objects.create(name="pace-10", capabilities=[Capability.CHAT], is_default=True, slots=1)
    Deployment.objects.create(model=model, server=server, remote_name="pace-10")
    return model


async def test_person_in_the_line_sees_their_place_and_may_leave_it(one_place, key, tmp_path, model_server):
    web = await asyncio.to_thread(start_web, tmp_path)
    with stopped_at_end(web):
        async with Talk(web.url, key) as talk:
            first = await talk.send("Count", max_tokens=10_000)
            await talk.until(lambda event: event["type"] == "delta")
            second = await talk.send("Count", max_tokens=3)
            third = await talk.send("Count", max_tokens=3)
            place = await talk.next(
                lambda event: event.get("reply") == third["reply"] and event.get("queue_position")
            )
            assert (place["status"], place["queue_position"], place["waiting_for"]) == ("queued", 2, "slot")
            await talk.put(type="stop", reply=second["reply"])
            place = await talk.next(
                lambda event: event.get("reply") == third["reply"] and event.get("queue_position") == 1
            )
            assert len(model_server.chats) == 1
            await talk.put(type="stop", reply=first["reply"])
            events = await talk.until_end(third["reply"])
    assert events[-1]["status"] == "complete"
    assert numbers_of(text_of(events)) == [0, 1, 2]


async def test_places_of_a_killed_web_process_are_free_within_fifteen_seconds(
    one_place, key, other_key, tmp_path, model_server
):
    folders = [tmp_path / "doomed", tmp_path / "other"]
    for folder in folders:
        folder.mkdir()
    doomed, web = await asyncio.gather(*(asyncio.to_thread(start_web, folder) for folder in folders))
    with stopped_at_end(doomed, web):
        # Through /v1, whose requests nobody takes over: nothing but the place itself is left behind.
        holding = asyncio.create_task(stream(doomed.url, key, max_tokens=10_000))
        await asyncio.to_thread(model_server.wait_until, lambda: model_server.open_streams == 1, 20)
        async with Talk(web.url, other_key) as talk:
            sent = await talk.send("Count", max_tokens=3)
            await talk.next(lambda event: event.get("queue_position") == 1)
            doomed.kill()
            killed_at = time.monotonic()
            await talk.next(lambda event: event["type"] == "delta")
            assert time.monotonic() - killed_at < 15
            assert (await talk.until_end(sent["reply"]))[-1]["status"] == "complete"
        await asyncio.gather(holding, return_exceptions=True)


async def stream(url: str, key: str, *, max_tokens: int) -> None:
    body = {"model": "pace-10", "stream": True, "max_tokens": max_tokens, "messages": [MESSAGE]}
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as session,
        session.post(f"{url}/v1/chat/completions", json=body) as response,
    ):
        async for _line in response.content:
            pass


@pytest.fixture
def limited(estate: Model) -> Model:
    """Everybody may ask twice a day."""
    Limit.objects.create(amount=2)
    return estate


async def test_limit_of_requests_is_told_on_the_page_and_by_the_api(limited, key, tmp_path):
    web = await asyncio.to_thread(start_web, tmp_path)
    with stopped_at_end(web):
        async with Talk(web.url, key) as talk:
            for _ in range(2):
                sent = await talk.send("Count")
                assert (await talk.until_end(sent["reply"]))[-1]["status"] == "complete"
            sent = await talk.send("Count")
            end = (await talk.until_end(sent["reply"]))[-1]
        assert (end["status"], end["error"]["code"]) == ("failed", "limit_reached")
        assert "2 requests" in end["error"]["message"]
        headers, body = {"Authorization": f"Bearer {key}"}, {"model": "pace-0", "messages": [MESSAGE]}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(f"{web.url}/v1/chat/completions", json=body) as response,
        ):
            assert response.status == 429
            assert 0 < int(response.headers["Retry-After"]) <= 25 * 3600
            error = (await response.json())["error"]
        path = f"{web.url}/api/v1/conversations/{sent['conversation']}/impersonate"
        async with aiohttp.ClientSession(headers=headers) as session, session.post(path) as response:
            assert response.status == 429
            assert 0 < int(response.headers["Retry-After"]) <= 25 * 3600
    assert (error["type"], error["code"]) == ("rate_limit_error", "limit_reached")


@pytest.fixture
def limited_key(estate: Model, key: str) -> str:
    """A key with three requests a day."""
    Limit.objects.create(amount=3, scope=LimitScope.KEY, api_key=ApiKey.objects.get())
    return key


async def test_limit_of_a_key_counts_wherever_the_key_is_used(limited_key, other_key, tmp_path):
    web = await asyncio.to_thread(start_web, tmp_path)
    with stopped_at_end(web):
        assert await end_of_an_answer(web, limited_key) == ("complete", "")
        assert "begins anew" not in await chat_in_terminal(web, limited_key)
        assert await status_of_completion(web, limited_key) == 200
        status, message = await end_of_an_answer(web, limited_key)
        assert status == "failed"
        assert "This API key has used its limit for today, 3 requests. It begins anew" in message
        assert "This API key has used its limit" in await chat_in_terminal(web, limited_key)
        assert await status_of_completion(web, limited_key) == 429
        assert await end_of_an_answer(web, other_key) == ("complete", "")


async def end_of_an_answer(web: Process, key: str) -> tuple[str, str]:
    async with Talk(web.url, key) as talk:
        sent = await talk.send("Count")
        end = (await talk.until_end(sent["reply"]))[-1]
    return end["status"], end.get("error", {}).get("message", "")


async def status_of_completion(web: Process, key: str) -> int:
    headers, body = {"Authorization": f"Bearer {key}"}, {"model": "pace-0", "messages": [MESSAGE]}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{web.url}/v1/chat/completions", json=body) as response,
    ):
        return response.status


async def chat_in_terminal(web: Process, key: str) -> str:
    command = [sys.executable, "manage.py", "chat", "--url", web.url, "--key", key]
    done = await asyncio.to_thread(
        subprocess.run, command, cwd=ROOT, env=child_environment(), input=b"Count\n", capture_output=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


async def test_noisy_neighbour_holds_nobody_up(one_place, key, other_key, tmp_path, model_server):
    await Model.objects.aupdate(slots=4)
    web = await asyncio.to_thread(start_web, tmp_path)
    with stopped_at_end(web):
        async with Talk(web.url, key) as noisy, Talk(web.url, other_key) as other:
            for number in range(40):
                await noisy.put(type="send", text="Count", max_tokens=5, request_id=f"n{number}")
            await noisy.next(lambda event: event.get("queue_position"))
            sent = await other.send("Count", max_tokens=5)
            await other.until_end(sent["reply"])
            served = await asyncio.to_thread(lambda: len(model_server.chats))
    # Forty stood in line; the other came behind those that were being served and at most one more of each place.
    assert served <= 13
