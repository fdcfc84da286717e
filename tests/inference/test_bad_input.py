"""What goes wrong most: each mishap has an error of its own, and its sentence says what to do."""

import socket
from dataclasses import replace

import pytest

from inference.errors import (
    AnswerGarbled,
    ContextTooLong,
    KeyRefused,
    ModelGone,
    ServerUnreachable,
    StreamStalled,
)
from inference.net.transport import Timeouts
from inference.types import ChatRequest, Turn
from tests.inference.conftest import answer_of, collect, target_at
from tests.openai_server import Answer, Refusal, ScriptedServer

HASTY = Timeouts(connect_seconds=5, first_event_seconds=10, between_events_seconds=0.3)
# 500 pages of 400 words.
BOOK = "Every page of it is full of words that somebody wrote with care. " * 16_500


async def test_wrong_port_is_unreachable_and_says_to_check_the_address() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        closed = probe.getsockname()[1]
    with pytest.raises(ServerUnreachable, match="its address is right"):
        await collect(target_at(f"http://127.0.0.1:{closed}/v1"))


async def test_wrong_name_is_unreachable_too() -> None:
    with pytest.raises(ServerUnreachable, match="its address is right"):
        await collect(target_at("http://no-such-host.invalid/v1"))


async def test_wrong_path_is_told_from_a_missing_model(llama: str, server: ScriptedServer) -> None:
    with pytest.raises(AnswerGarbled, match="ends where its API begins"):
        await collect(target_at(llama + "/wrong"))
    server.answer_everything = Refusal(200, body=b"<html>Welcome to nginx!</html>")
    with pytest.raises(AnswerGarbled, match="ends where its API begins"):
        await collect(target_at(server.url))
    server.answer_everything = Refusal(404, "The model `gone` does not exist.", code="model_not_found")
    with pytest.raises(ModelGone, match="Choose another model"):
        await collect(target_at(server.url))


@pytest.mark.parametrize("status", [401, 403])
async def test_wrong_key_says_who_should_check_which_key(server: ScriptedServer, status: int) -> None:
    server.answer_everything = Refusal(status, "Incorrect API key provided: sk-123")
    with pytest.raises(KeyRefused, match="check the API key of that server") as caught:
        await collect(target_at(server.url, api_key="sk-123"))
    assert "sk-123" not in str(caught.value.user_message)


async def test_model_that_answers_garbage_is_told_from_one_that_fails(server: ScriptedServer) -> None:
    server.script(Answer(tokens=["fine "], mishap="garbage", after=1))
    with pytest.raises(AnswerGarbled, match="not the OpenAI protocol"):
        await collect(target_at(server.url))


async def test_stream_that_stalls_keeps_what_came_and_says_to_try_again(server: ScriptedServer) -> None:
    server.script(Answer(tokens=["half ", "an "], mishap="stall", after=2))
    with pytest.raises(StreamStalled, match="Try again"):
        await collect(target_at(server.url), timeouts=HASTY)


async def test_five_hundred_pages_are_too_long_and_no_server_is_kept_busy_with_them(
    server: ScriptedServer,
) -> None:
    target = target_at(server.url)
    narrow = replace(target, endpoints=(replace(target.endpoints[0], context_tokens=8192),))
    request = ChatRequest(turns=(Turn("user", BOOK),), max_tokens=10)
    with pytest.raises(ContextTooLong, match="attach less") as caught:
        await collect(narrow, request)
    assert caught.value.status == 400
    assert server.chats == []
    wide = replace(target, endpoints=(replace(target.endpoints[0], context_tokens=1_000_000),))
    assert answer_of(await collect(wide, request))


async def test_chapter_that_llama_cpp_cannot_hold_is_too_long_and_the_next_question_is_answered(
    llama: str,
) -> None:
    target = target_at(llama, kind="llamacpp")
    with pytest.raises(ContextTooLong, match="attach less"):
        await collect(target, ChatRequest(turns=(Turn("user", BOOK[:30_000]),), max_tokens=10))
    assert answer_of(await collect(target, ChatRequest(turns=(Turn("user", "Hi"),), max_tokens=30)))
