"""Nothing is lost: replies outlive sockets, web processes and restarts, on any process that shares the backing."""

import asyncio

import pytest

from chat.models import Reply
from inference.models import Server, ServerKind
from tests.chat.talk import Talk, text_of
from tests.openai_server import Answer
from tests.processes import start_web, stopped_at_end

TOKENS = [f"{number};" for number in range(150)]
WHOLE = "".join(TOKENS)


async def follow_to_end(base_url, key, sent, cursor, text):
    """Come back with a cursor, again and again, until the reply ends; returns its text."""
    while True:
        try:
            async with Talk(base_url, key) as talk:
                cursors = {sent["reply"]: cursor} if cursor else {}
                await talk.put(type="follow", conversation=sent["conversation"], cursors=cursors)
                async for event in events_of(talk, sent["reply"]):
                    cursor = event["cursor"]
                    text = "" if event["type"] == "reset" else text + text_of([event])
                    if event.get("status") in {"complete", "failed", "stopped"}:
                        return text, event["status"]
        except (OSError, ConnectionError):
            await asyncio.sleep(0.1)


async def events_of(talk, reply):
    while True:
        event = await talk.receive()
        if event.get("reply") == reply and "cursor" in event:
            yield event


async def test_reply_started_here_is_followed_through_another_process(own_web, web, key, model_server):
    model_server.script(Answer(tokens=TOKENS, pace=100))
    async with Talk(own_web.url, key) as talk:
        sent = await talk.send("Count")
        await talk.until(lambda event: event["type"] == "delta")
        text, status = await follow_to_end(web.url, key, sent, None, "")
    assert (text, status) == (WHOLE, "complete")


async def test_reply_started_here_is_stopped_through_another_process(own_web, web, key, model_server):
    model_server.script(Answer(tokens=TOKENS * 10, pace=50))
    async with Talk(own_web.url, key) as here, Talk(web.url, key) as there:
        sent = await here.send("Count")
        await here.until(lambda event: event["type"] == "delta")
        await there.put(type="stop", reply=sent["reply"])
        assert (await here.until_end(sent["reply"]))[-1]["status"] == "stopped"


async def test_reply_of_a_killed_process_is_taken_over_by_another(own_web, web, key, model_server):
    model_server.script(Answer(tokens=TOKENS, pace=60), Answer(tokens=TOKENS, pace=200))
    async with Talk(own_web.url, key) as talk:
        sent = await talk.send("Count")
        seen = await talk.until(lambda event: "40;" in text_of([event]))
    cursor, before = seen[-1]["cursor"], text_of(seen)
    own_web.kill()
    text, status = await follow_to_end(web.url, key, sent, cursor, before)
    assert (text, status) == (WHOLE, "complete")


async def test_taken_over_reply_goes_on_from_its_text_where_the_server_can(own_web, web, key, model_server):
    await Server.objects.aupdate(kind=ServerKind.LLAMACPP)
    model_server.script(Answer(tokens=TOKENS, pace=60))
    async with Talk(own_web.url, key) as talk:
        sent = await talk.send("Count", max_tokens=150)
        seen = await talk.until(lambda event: "40;" in text_of([event]))
        own_web.kill()
        # What the killed process had still to say is in the log.
    prefix_answer = Answer(tokens=["…and so on."])
    model_server.script(prefix_answer)
    text, status = await follow_to_end(web.url, key, sent, seen[-1]["cursor"], text_of(seen))
    assert status == "complete"
    assert text.endswith("…and so on.")
    assert text.startswith(text_of(seen))
    continued = model_server.chats[-1].body["messages"][-1]
    assert continued["role"] == "assistant"
    assert text == continued["content"] + "…and so on."


async def test_thirty_replies_survive_a_kill_and_a_restart_whole(own_web, key, model_server, tmp_path):
    model_server.script(*[Answer(tokens=TOKENS, pace=50) for _ in range(60)])
    sents = []
    talks = [await Talk(own_web.url, key).__aenter__() for _ in range(30)]
    for talk in talks:
        sents.append(await talk.send("Count"))
    seen = [await talk.until(lambda event: "20;" in text_of([event])) for talk in talks]
    port = int(own_web.url.rsplit(":", 1)[1])
    own_web.kill()
    clients = []
    for talk, sent, events in zip(talks, sents, seen, strict=True):
        own = [event for event in events if event.get("reply") == sent["reply"] and "cursor" in event]
        clients.append(follow_to_end(own_web.url, key, sent, own[-1]["cursor"], text_of(own)))
        await talk.__aexit__()
    gathered = asyncio.gather(*clients)
    restarted = await asyncio.to_thread(start_web, tmp_path, port=port)
    with stopped_at_end(restarted):
        results = await gathered
    assert results == [(WHOLE, "complete")] * 30


async def test_restart_hands_running_replies_to_the_other_process_at_once(own_web, web, key, model_server):
    model_server.script(Answer(tokens=TOKENS, pace=30), Answer(tokens=TOKENS, pace=200))
    async with Talk(own_web.url, key) as talk:
        sent = await talk.send("Count")
        seen = await talk.until(lambda event: "10;" in text_of([event]))
        closing = asyncio.create_task(asyncio.to_thread(own_web.terminate))
        with pytest.raises(ConnectionError):
            await talk.until(lambda event: False)
        seen = talk.seen
    assert talk.socket.close_code == 4012
    own = [event for event in seen if event.get("reply") == sent["reply"] and "cursor" in event]
    text, status = await follow_to_end(web.url, key, sent, own[-1]["cursor"], text_of(own))
    await closing
    assert (text, status) == (WHOLE, "complete")
    assert own_web.popen.returncode == 0


async def test_stop_asked_while_no_process_ran_the_reply_is_honoured(own_web, key, model_server, tmp_path):
    model_server.script(Answer(tokens=TOKENS, pace=30), Answer(tokens=TOKENS, pace=30))
    async with Talk(own_web.url, key) as talk:
        sent = await talk.send("Count")
        await talk.until(lambda event: "5;" in text_of([event]))
    own_web.kill()
    await Reply.objects.filter(pk=sent["reply"]).aupdate(is_stop_requested=True)
    restarted = await asyncio.to_thread(start_web, tmp_path)
    with stopped_at_end(restarted):
        text, status = await follow_to_end(restarted.url, key, sent, None, "")
    assert status == "stopped"
    assert text.startswith("0;1;2;")


async def test_reply_survives_the_loss_of_redis_data(own_web, web, key, model_server, redis_client):
    model_server.script(Answer(tokens=TOKENS, pace=20), Answer(tokens=TOKENS, pace=300))
    async with Talk(own_web.url, key) as talk:
        sent = await talk.send("Count")
        await talk.until(lambda event: "70;" in text_of([event]))
    own_web.kill()
    redis_client.flushdb()
    text, status = await follow_to_end(web.url, key, sent, None, "")
    assert (text, status) == (WHOLE, "complete")
