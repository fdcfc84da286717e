"""The socket of one web process, against a real model server that follows a script."""

import asyncio
import json
import time
import uuid

import aiohttp
import pytest
from asgiref.sync import sync_to_async

from chat.models import Reply
from inference.models import Usage
from tests.chat.talk import Talk, text_of
from tests.openai_server import Answer, Refusal

# An id that no row has.
NOBODYS = "0198c0de-0000-7000-8000-000000000000"


async def test_person_sends_and_the_answer_streams(web, key, model_server):
    model_server.script(Answer(text="Good day to you.", usage=(11, 4)))
    async with Talk(web.url, key) as talk:
        sent = await talk.send("Hello")
        events = await talk.until_end(sent["reply"])
    assert text_of(events) == "Good day to you."
    assert events[-1]["status"] == "complete"
    assert events[-1]["usage"] == {"prompt_tokens": 11, "completion_tokens": 4}
    assert sent["conversation"]
    assert sent["message"]


async def test_thinking_comes_apart_from_the_answer(web, key, model_server):
    model_server.script(Answer(text="It is 42.", thinking=["Let me ", "see."]))
    async with Talk(web.url, key) as talk:
        events = await talk.until_end((await talk.send("?"))["reply"])
    assert text_of(events) == "It is 42."
    assert text_of(events, "thinking") == "Let me see."
    assert any("thinking_seconds" in event for event in events)


async def test_repeated_request_is_answered_alike_and_runs_once(web, key, model_server):
    model_server.script(Answer(text="Once."))
    async with Talk(web.url, key) as talk:
        request_id = str(uuid.uuid4())
        first = await talk.send("Hello", request_id=request_id)
        second = await talk.send("Hello", request_id=request_id)
        await talk.until_end(first["reply"])
    assert first["reply"] == second["reply"]
    assert len(model_server.chats) == 1


async def test_client_that_hung_up_gets_exactly_the_rest(web, key, model_server):
    tokens = [f"{number};" for number in range(60)]
    model_server.script(Answer(tokens=tokens, pace=100))
    async with Talk(web.url, key) as talk:
        sent = await talk.send("Count")
        before = await talk.until(lambda event: "20;" in text_of([event]))
    before = [event for event in before if event.get("reply") == sent["reply"]]
    await asyncio.sleep(0.2)
    async with Talk(web.url, key) as talk:
        await talk.put(
            type="follow",
            conversation=sent["conversation"],
            cursors={sent["reply"]: before[-1]["cursor"]},
        )
        after = await talk.until_end(sent["reply"])
    assert text_of(before) + text_of(after) == "".join(tokens)
    assert not any(event["type"] == "reset" for event in after)


async def test_client_that_comes_late_gets_a_finished_reply_whole(web, key, model_server):
    model_server.script(Answer(text="All of it."))
    async with Talk(web.url, key) as talk:
        sent = await talk.send("Hello")
        await talk.until_end(sent["reply"])
    async with Talk(web.url, key) as talk:
        await talk.put(type="follow", conversation=sent["conversation"], cursors={sent["reply"]: "0-0"})
        assert text_of(await talk.until_end(sent["reply"])) == "All of it."


async def test_reply_whose_log_is_gone_is_told_from_its_row(web, key, model_server, redis_client):
    model_server.script(Answer(text="From the row."))
    async with Talk(web.url, key) as talk:
        sent = await talk.send("Hello")
        await talk.until_end(sent["reply"])
    redis_client.delete(f"parlour:reply:{sent['reply']}")
    async with Talk(web.url, key) as talk:
        await talk.put(type="follow", conversation=sent["conversation"], cursors={sent["reply"]: "0-0"})
        events = await talk.until_end(sent["reply"])
    assert events[0]["type"] == "reset"
    assert text_of(events) == "From the row."


async def test_stop_ends_the_reply_with_what_it_has(web, key, model_server):
    model_server.script(Answer(tokens=["word "] * 500, pace=50))
    async with Talk(web.url, key) as talk:
        sent = await talk.send("Tell me everything")
        await talk.until(lambda event: event["type"] == "delta")
        await talk.put(type="stop", reply=sent["reply"])
        events = await talk.until_end(sent["reply"])
        tree = await talk.get(f"/api/v1/conversations/{sent['conversation']}")
    assert events[-1]["status"] == "stopped"
    answer = tree["messages"][-1]
    assert answer["text"].startswith("word")
    assert answer["reply"]["status"] == "stopped"
    await asyncio.sleep(0.3)
    assert model_server.open_streams == 0


async def test_model_that_writes_a_nul_still_ends_its_reply(web, key, model_server):
    model_server.script(Answer(tokens=["a", "\x00", "b\x00c"]))
    async with Talk(web.url, key) as talk:
        sent = await talk.send("Be odd")
        events = await talk.until_end(sent["reply"])
        tree = await talk.get(f"/api/v1/conversations/{sent['conversation']}")
    assert (text_of(events), events[-1]["status"]) == ("abc", "complete")
    assert tree["messages"][-1]["text"] == "abc"


async def test_replies_that_end_together_each_end(web, key, model_server):
    model_server.script(*(Answer(tokens=["one ", f"two {at}"]) for at in range(40)))

    async def converse():
        async with Talk(web.url, key) as talk:
            for _turn in range(5):
                sent = await talk.send("Go")
                events = await talk.until_end(sent["reply"])
                assert events[-1]["status"] == "complete"

    await asyncio.gather(*(converse() for _ in range(8)))
    assert await sync_to_async(Reply.objects.filter(status="complete").count)() == 40
    assert await sync_to_async(Usage.objects.count)() == 40


async def test_regenerate_edit_and_continue_grow_the_tree(web, key, model_server):
    model_server.script(
        Answer(text="One."), Answer(text="Two."), Answer(text="Three."), Answer(text=" More.")
    )
    async with Talk(web.url, key) as talk:
        sent = await talk.send("First")
        await talk.until_end(sent["reply"])
        second = await talk.act(type="regenerate", message=sent["assistant_message"])
        assert text_of(await talk.until_end(second["reply"])) == "Two."
        third = await talk.act(type="edit", message=sent["message"], text="Other")
        assert text_of(await talk.until_end(third["reply"])) == "Three."
        fourth = await talk.act(type="continue", message=third["assistant_message"])
        assert text_of(await talk.until_end(fourth["reply"])) == "Three. More."
        tree = await talk.get(f"/api/v1/conversations/{sent['conversation']}")
    texts = {message["id"]: message["text"] for message in tree["messages"]}
    assert sorted(texts.values()) == ["First", "One.", "Other", "Three. More.", "Two."]
    assert tree["current_message"] == third["assistant_message"]


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (Refusal(429, retry_after=7), "rate_limited"),
        (Refusal(404, "no such model"), "model_gone"),
        (Refusal(500), "server_failed"),
        (Answer(tokens=["half ", "an "], mishap="cut", after=2), "stream_cut"),
    ],
)
async def test_reply_that_breaks_says_why_and_keeps_what_it_had(web, key, model_server, script, code):
    model_server.script(script)
    async with Talk(web.url, key) as talk:
        sent = await talk.send("Hello")
        events = await talk.until_end(sent["reply"])
        tree = await talk.get(f"/api/v1/conversations/{sent['conversation']}")
    assert events[-1]["status"] == "failed"
    assert events[-1]["error"]["code"] == code
    assert len(events[-1]["error"]["message"]) > 20
    assert tree["messages"][-1]["text"] == text_of(events)


async def test_server_that_is_down_fails_the_reply_and_trying_again_works(web, key, model_server):
    model_server.script(Refusal(503), Answer(text="Back."))
    async with Talk(web.url, key) as talk:
        sent = await talk.send("Hello")
        assert (await talk.until_end(sent["reply"]))[-1]["status"] == "failed"
        again = await talk.act(type="regenerate", message=sent["assistant_message"])
        assert text_of(await talk.until_end(again["reply"])) == "Back."


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("not json", "malformed"),
        (json.dumps({"type": "dance"}), "malformed"),
        (json.dumps({"type": "stop", "reply": NOBODYS}), "not_found"),
        (json.dumps({"type": "follow", "conversation": NOBODYS, "cursors": {}}), "not_found"),
        (json.dumps({"type": "edit", "message": NOBODYS, "text": "x"}), "not_found"),
        (json.dumps({"type": "send", "text": "  "}), "empty"),
        (json.dumps({"type": "send", "text": "x", "model": "no such"}), "model_unavailable"),
        (json.dumps({"type": "send", "text": "x", "character": "nobody"}), "not_found"),
        (json.dumps({"type": "send", "text": "x", "documents": [NOBODYS]}), "not_found"),
    ],
)
async def test_bad_frame_gets_an_error_and_the_socket_stays(web, key, frame, code):
    async with Talk(web.url, key) as talk:
        await talk.put_raw(frame)
        error = await talk.next(lambda event: event["type"] == "error")
        assert error["code"] == code
        assert error["message"]
        await talk.put(type="ping")
        assert await talk.next(lambda event: event["type"] == "pong")


async def test_somebody_elses_conversation_cannot_be_followed(web, key, other_key, model_server):
    model_server.script(Answer(tokens=["secret "] * 50, pace=50))
    async with Talk(web.url, key) as talk, Talk(web.url, other_key) as spy:
        sent = await talk.send("Hello")
        await spy.put(type="follow", conversation=sent["conversation"], cursors={sent["reply"]: "0-0"})
        error = await spy.next(lambda event: event["type"] == "error")
        await spy.put(type="stop", reply=sent["reply"])
        refusal = await spy.next(lambda event: event["type"] == "error")
        assert (error["code"], refusal["code"]) == ("not_found", "not_found")
        assert (await talk.until_end(sent["reply"]))[-1]["status"] == "complete"
    assert not any(event["type"] == "delta" for event in spy.seen)


async def test_socket_without_a_key_is_told_to_sign_in(web):
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{web.url}/ws/chat/") as socket:
        assert (await socket.receive_json())["code"] == "not_signed_in"
        await socket.receive()
        assert socket.close_code == 4401


async def test_cookie_counts_only_from_this_very_site(web, session_cookie):
    cookies = {"sessionid": session_cookie}
    async with aiohttp.ClientSession(cookies=cookies) as session:
        async with session.ws_connect(f"{web.url}/ws/chat/", headers={"Origin": web.url}) as socket:
            await socket.send_json({"type": "ping"})
            assert (await socket.receive_json())["type"] == "pong"
        async with session.ws_connect(
            f"{web.url}/ws/chat/", headers={"Origin": "http://evil.example"}
        ) as socket:
            assert (await socket.receive_json())["code"] == "not_signed_in"


async def test_other_window_of_the_same_person_stays_in_step(web, key, model_server):
    model_server.script(Answer(text="One."), Answer(text="Two."))
    async with Talk(web.url, key) as here, Talk(web.url, key) as there:
        sent = await here.send("First")
        created = await there.next(lambda event: event.get("event") == "created")
        assert created["conversation"] == sent["conversation"]
        await here.until_end(sent["reply"])
        await there.put(type="follow", conversation=sent["conversation"], cursors={})
        await asyncio.sleep(0.2)
        second = await here.send("Second", conversation=sent["conversation"])
        assert text_of(await there.until_end(second["reply"])) == "Two."


async def test_verdict_shows_in_the_other_windows_at_once(web, key, model_server):
    model_server.script(Answer(text="Fine."))
    async with Talk(web.url, key) as one, Talk(web.url, key) as other:
        sent = await one.send("Hello")
        await one.until_end(sent["reply"])
        path = f"{web.url}/api/v1/messages/{sent['assistant_message']}/feedback"
        async with one.session.put(path, json={"verdict": "up"}) as response:
            assert response.status == 204
        event = await other.next(lambda event: event.get("event") == "judged")
    assert event["conversation"] == sent["conversation"]
    assert [(node["text"], node["feedback"]) for node in event["messages"]] == [("Fine.", "up")]


async def test_first_token_does_not_wait_for_a_frame_to_fill(web, key, model_server):
    model_server.script(Answer(tokens=["first"], pace=1), Answer(tokens=["first", "second"], pace=1))
    async with Talk(web.url, key) as talk:
        await talk.until_end((await talk.send("warm up"))["reply"])
        started_at = time.monotonic()
        await talk.send("go")
        await talk.until(lambda event: event["type"] == "delta")
        assert time.monotonic() - started_at < 0.9


async def test_metrics_tell_what_was_answered(web, key, model_server):
    model_server.script(Answer(text="Counted.", usage=(5, 2)), Refusal(500))
    async with Talk(web.url, key) as talk:
        await talk.until_end((await talk.send("Hello"))["reply"])
        await talk.until_end((await talk.send("Again"))["reply"])
        async with talk.session.get(f"{web.url}/metrics") as response:
            text = await response.text()
    assert 'inference_requests_total{model="pace-0",outcome="ok"}' in text
    assert 'inference_requests_total{model="pace-0",outcome="server_failed"}' in text
    assert 'tokens_generated_total{model="pace-0"}' in text
    assert "sockets_open 1.0" in text
    assert 'queue_length{queue="ingest"} 0.0' in text


async def test_late_news_of_a_message_does_not_tell_its_answer_twice(web, key, model_server):
    model_server.script(Answer(text="Short."), Answer(text="Long after."))
    async with Talk(web.url, key) as talk:
        sent = await talk.send("Hello")
        await talk.until_end(sent["reply"])
        await talk.next(lambda event: event.get("event") == "created")
        # Whatever would be told again comes before the end of another answer.
        second = await talk.send("And?", conversation=sent["conversation"])
        await talk.until_end(second["reply"])
    ends = [event for event in talk.seen if event.get("reply") == sent["reply"] and "status" in event]
    assert [event["status"] for event in ends].count("complete") == 1
    assert text_of([event for event in talk.seen if event.get("reply") == sent["reply"]]) == "Short."
