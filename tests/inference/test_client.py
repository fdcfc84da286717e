"""The one door to chat models, over a real wire: what comes through it, and what each mishap becomes."""

import asyncio
import socket
from contextlib import aclosing
from dataclasses import replace

import pytest

from inference.client import stream_chat
from inference.errors import (
    AnswerGarbled,
    ConnectTimeout,
    ContextTooLong,
    FirstTokenTimeout,
    KeyRefused,
    ModelGone,
    RateLimited,
    RequestRejected,
    ServerError,
    ServerFailed,
    ServerUnreachable,
    StreamCut,
    StreamStalled,
)
from inference.types import AnswerDelta, ChatRequest, Finish, ToolCallDelta, Turn, UsageReport
from tests.inference.conftest import ASKED, PATIENT, answer_of, collect, target_at, thinking_of
from tests.openai_server import Answer, Refusal, ScriptedServer, ToolCall, too_long


async def test_caller_gets_answer_usage_and_finish_in_order(server: ScriptedServer) -> None:
    server.script(Answer(text="Paris it is.", usage=(12, 3)))
    events = await collect(target_at(server.url))
    assert answer_of(events) == "Paris it is."
    assert events[-2:] == [UsageReport(12, 3), Finish("stop")]


async def test_caller_gets_every_paced_token_once(server: ScriptedServer) -> None:
    request = ChatRequest(ASKED.turns, max_tokens=60)
    server.script(Answer(tokens=[str(number) for number in range(60)], pace=400))
    answer = answer_of(await collect(target_at(server.url), request))
    assert [int(token.split(":")[0]) for token in answer.split(";")[:-1]] == list(range(60))


async def test_server_gets_turns_limits_and_passed_through_fields(server: ScriptedServer) -> None:
    tools = [{"type": "function", "function": {"name": "find"}}]
    request = ChatRequest(
        ASKED.turns, max_tokens=7, temperature=0.2, extra={"tools": tools, "model": "other"}
    )
    await collect(target_at(server.url, api_key="sk-secret"), request)
    asked = server.chats[0]
    assert asked.headers["authorization"] == "Bearer sk-secret"
    assert asked.body == {
        "model": "pace-0",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "What is the capital of France?"},
        ],
        "tools": tools,
        "max_tokens": 7,
        "temperature": 0.2,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


async def test_azure_gets_its_own_name_for_the_limit(server: ScriptedServer) -> None:
    await collect(target_at(server.url, kind="azure_openai"), ChatRequest(ASKED.turns, max_tokens=7))
    assert server.chats[0].body["max_completion_tokens"] == 7
    assert "max_tokens" not in server.chats[0].body


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
async def test_caller_gets_reasoning_apart_from_the_answer(server: ScriptedServer, field: str) -> None:
    server.script(Answer(text="Yes.", thinking=["Is it", " so?"], thinking_field=field))
    events = await collect(target_at(server.url))
    assert (thinking_of(events), answer_of(events)) == ("Is it so?", "Yes.")


async def test_caller_gets_thinking_that_is_written_into_the_answer(server: ScriptedServer) -> None:
    server.script(Answer(tokens=["<th", "ink>\nIs it", " so?\n</thi", "nk>\n\n", "Yes", "."]))
    events = await collect(target_at(server.url))
    assert thinking_of(events).strip() == "Is it so?"
    assert answer_of(events) == "Yes."


async def test_caller_gets_tool_calls(server: ScriptedServer) -> None:
    server.script(Answer(tool_calls=[ToolCall("find", '{"query":"x"}')], finish="tool_calls"))
    events = await collect(target_at(server.url))
    calls = [event for event in events if isinstance(event, ToolCallDelta)]
    assert calls[0].name == "find"
    assert "".join(call.arguments for call in calls) == '{"query":"x"}'
    assert events[-1] == Finish("tool_calls")


@pytest.mark.parametrize("kind", ["vllm", "llamacpp", "ollama", "kaito"])
async def test_continuing_caller_gets_only_new_text(server: ScriptedServer, kind: str) -> None:
    server.script(Answer(text="Paris it is."))
    request = ChatRequest(ASKED.turns, continue_from="Paris it")
    events = await collect(target_at(server.url, kind=kind, can_continue=True), request)
    assert answer_of(events) == " is."
    body = server.chats[0].body
    assert body["messages"][-1] == {"role": "assistant", "content": "Paris it"}
    is_vllm = kind in ("vllm", "kaito")
    assert body.get("continue_final_message") is (True if is_vllm else None)
    assert body.get("add_generation_prompt") is (False if is_vllm else None)


async def test_closing_the_stream_closes_the_connection_at_once(server: ScriptedServer) -> None:
    server.script(Answer(tokens=["word "] * 1000, pace=50))
    async with aclosing(stream_chat(target_at(server.url), ASKED)) as stream:
        async for event in stream:
            if isinstance(event, AnswerDelta):
                break
    async with asyncio.timeout(1):
        while server.open_streams:
            await asyncio.sleep(0.005)
    assert server.left_streams == 1


async def test_cancelling_the_caller_closes_the_connection(server: ScriptedServer) -> None:
    server.script(Answer(tokens=["one"], mishap="stall", after=1))
    caller = asyncio.create_task(collect(target_at(server.url)))
    async with asyncio.timeout(2):
        while not server.open_streams:
            await asyncio.sleep(0.005)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        while server.open_streams:
            await asyncio.sleep(0.005)


async def test_connection_is_used_again_after_a_whole_answer(server: ScriptedServer) -> None:
    target = target_at(server.url)
    for _ in range(3):
        await collect(target)
    assert server.connections_made == 1


async def test_a_slow_reader_is_not_taken_for_a_silent_server(server: ScriptedServer) -> None:
    server.script(Answer(tokens=["word "] * 20, pace=200))
    text = ""
    limits = replace(PATIENT, between_events_seconds=1)
    async for event in stream_chat(target_at(server.url), ASKED, timeouts=limits):
        if isinstance(event, AnswerDelta):
            is_first = not text
            text += event.text
            if is_first:
                await asyncio.sleep(limits.between_events_seconds * 1.3)
    assert text == "word " * 20


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (Refusal(401), KeyRefused),
        (Refusal(403), KeyRefused),
        (Refusal(404, "The model `x` does not exist", code="model_not_found"), ModelGone),
        (Refusal(404, body=b'{"error":"model \'x\' not found"}'), ModelGone),
        (Refusal(404, body=b"404 page not found"), AnswerGarbled),
        (too_long(), ContextTooLong),
        (
            Refusal(
                400, body=b'{"error":{"code":400,"type":"exceed_context_size_error","message":"the request"}}'
            ),
            ContextTooLong,
        ),
        (Refusal(400, "'tools' is not supported"), RequestRejected),
        (Refusal(422, body=b'{"detail":[{"loc":["body"]}]}'), RequestRejected),
        (Refusal(429), RateLimited),
        (Refusal(500, body=b"<html>"), ServerFailed),
        (Refusal(503), ServerFailed),
        (Refusal(302, body=b""), AnswerGarbled),
        (Answer(text="a b c", mishap="cut", after=1), StreamCut),
        (Answer(text="a b c", mishap="silent_end", after=2), StreamCut),
        (Answer(text="a b c", mishap="silent_end"), AnswerGarbled),
        (Answer(text="a b c", mishap="garbage", after=1), AnswerGarbled),
        (Answer(text="a b c", mishap="error", after=1), ServerFailed),
    ],
)
async def test_caller_gets_an_error_of_its_own_for_each_mishap(
    server: ScriptedServer, script: Answer | Refusal, expected: type[ServerError]
) -> None:
    server.script(script)
    with pytest.raises(expected) as caught:
        await collect(target_at(server.url))
    assert type(caught.value) is expected
    assert str(caught.value.user_message).count(".") >= 1


@pytest.mark.parametrize("script", [Answer(text="a b c", mishap="stall"), Answer(text="a b c", delay=2)])
async def test_caller_does_not_wait_for_ever_for_the_first_token(
    server: ScriptedServer, script: Answer
) -> None:
    server.script(script)
    with pytest.raises(FirstTokenTimeout):
        await collect(target_at(server.url), timeouts=replace(PATIENT, first_event_seconds=0.3))


async def test_caller_does_not_wait_for_ever_for_the_next_token(server: ScriptedServer) -> None:
    server.script(Answer(text="a b c", mishap="stall", after=1))
    with pytest.raises(StreamStalled):
        await collect(target_at(server.url), timeouts=replace(PATIENT, between_events_seconds=0.3))


async def test_caller_keeps_what_came_before_a_cut(server: ScriptedServer) -> None:
    server.script(Answer(text="one two three", mishap="cut", after=2, pace=20))
    stream = stream_chat(target_at(server.url), ASKED)
    assert await anext(stream) == AnswerDelta("one")
    assert await anext(stream) == AnswerDelta(" two")
    with pytest.raises(StreamCut):
        await anext(stream)


@pytest.mark.parametrize(("header", "seconds"), [(7, 7.0), ("2.5", 2.5), ("soon", None), (None, None)])
async def test_rate_limited_caller_learns_when_to_come_back(
    server: ScriptedServer, header: float | str | None, seconds: float | None
) -> None:
    server.script(Refusal(429, retry_after=header))
    with pytest.raises(RateLimited) as caught:
        await collect(target_at(server.url))
    assert caught.value.retry_after_seconds == seconds
    assert caught.value.is_retryable


async def test_caller_of_a_closed_port_learns_that_the_server_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(ServerUnreachable) as caught:
        await collect(target_at(f"http://127.0.0.1:{port}/v1"))
    assert "test server" in str(caught.value.user_message)


async def test_caller_of_a_silent_network_gets_a_connect_timeout() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        # A queue of connections that nobody accepts: the kernel lets further ones wait.
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        with pytest.raises(ConnectTimeout):
            await collect(
                target_at(f"http://127.0.0.1:{full.getsockname()[1]}/v1"),
                timeouts=replace(PATIENT, connect_seconds=0.3),
            )
        for one in waiting:
            one.close()


async def test_wrong_key_is_refused_and_never_shown(server: ScriptedServer) -> None:
    server.api_key = "sk-right"
    target = target_at(server.url, api_key="sk-wrong")
    with pytest.raises(KeyRefused) as caught:
        await collect(target)
    for shown in (repr(target), repr(caught.value), str(caught.value.user_message)):
        assert "sk-" not in shown


async def test_pooled_connection_that_the_server_closed_is_replaced(server: ScriptedServer) -> None:
    target = target_at(server.url)
    await collect(target)
    server.drop_next_request()
    assert (
        answer_of(await collect(target, ChatRequest((Turn("user", "again"),), max_tokens=2))).count(";") == 2
    )
