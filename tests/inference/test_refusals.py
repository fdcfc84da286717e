"""What a server's error response means, judged without a network."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from inference.errors import ContextTooLong, RateLimited, ServerFailed
from inference.wire.refusals import read_error_in_stream, read_refusal


def rate_limited(**headers: str) -> float | None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    error = read_refusal(429, named, b"", server_name="s")
    assert isinstance(error, RateLimited)
    return error.retry_after_seconds


def test_waiting_time_comes_as_seconds_milliseconds_or_date() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert rate_limited(retry_after="3") == 3
    assert rate_limited(retry_after="3", retry_after_ms="1500") == 1.5
    assert rate_limited(retry_after=soon) == pytest.approx(30, abs=3)
    assert rate_limited(retry_after="Mon, 01 Jan 2001 00:00:00 GMT") == 0
    assert rate_limited(retry_after="-1") is None


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 4096 tokens.",
        "the request exceeds the available context size, try increasing it",
        "prompt is too long: 200000 tokens > 128000 maximum",
        "The decoder prompt (length 9000) is longer than the maximum model length of 8192.",
    ],
)
def test_servers_that_only_write_a_sentence_are_understood(message: str) -> None:
    body = b'{"object":"error","message":"%s","type":"BadRequestError","code":400}' % message.encode()
    assert isinstance(read_refusal(400, {}, body, server_name="s"), ContextTooLong)


def test_error_in_a_stream_is_judged_by_its_code() -> None:
    assert isinstance(read_error_in_stream(b'{"code":429,"message":"slow"}', server_name="s"), RateLimited)
    assert isinstance(read_error_in_stream(b'"model runner has stopped"', server_name="s"), ServerFailed)
    assert isinstance(read_error_in_stream(b"[]", server_name="s"), ServerFailed)


def test_words_of_the_server_are_not_repeated() -> None:
    body = b'{"error":{"message":"cannot parse: my secret prompt, key sk-123"}}'
    for status in (400, 401, 404, 429, 500):
        error = read_refusal(status, {}, body, server_name="s")
        assert "secret" not in str(error.user_message) + repr(error)
