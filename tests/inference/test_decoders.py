"""The layers between bytes and stream events, which do no IO: any cut of the bytes gives the same events."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.types import AnswerDelta, Finish, ThinkingDelta, ToolCallDelta, UsageReport
from inference.wire.answers import AnswerDecoder
from inference.wire.completions import ChatDecoder, ErrorInStream
from inference.wire.sse import MAX_LINE_BYTES, EventDecoder
from inference.wire.thinking import ThinkingSplitter


def cut(data, positions):
    """`data` in pieces, cut at the positions."""
    edges = [0, *sorted(position % (len(data) + 1) for position in positions), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


STREAM = (
    b": ping\n\n"
    b"data: one\n\n"
    b"event: x\r\ndata:two\r\n\r\n"
    b"data: three\ndata: lines\n\n"
    b"id: 7\nretry: 3\n\n"
    b"data: [DONE]"
)


@given(st.lists(st.integers(min_value=0), max_size=12))
def test_event_decoder_gives_the_same_events_however_the_bytes_are_cut(positions) -> None:
    decoder = EventDecoder()
    events = [event for piece in cut(STREAM, positions) for event in decoder.decode(piece)]
    assert events + decoder.flush() == [b"one", b"two", b"three\nlines", b"[DONE]"]


def test_event_decoder_refuses_a_line_without_end() -> None:
    decoder = EventDecoder()
    with pytest.raises(ValueError, match="does not end"):
        decoder.decode(b"x" * (MAX_LINE_BYTES + 1))


def split_all(pieces, **options):
    splitter = ThinkingSplitter(**options)
    parts = [part for piece in pieces for part in splitter.split(piece)] + splitter.flush()
    joined = {"thinking": "", "answer": ""}
    for kind, text in parts:
        assert text
        joined[kind] += text
    return joined


@given(st.lists(st.integers(min_value=0), max_size=12))
def test_splitter_tells_thinking_from_answer_however_the_text_is_cut(positions) -> None:
    text = "\n<think>\nIs 1 < 2? </thin yes.\n</think>\n\nIt is <b>so</b>. </think>"
    assert split_all(cut(text, positions)) == {
        "thinking": "\nIs 1 < 2? </thin yes.\n",
        "answer": "It is <b>so</b>. </think>",
    }


@given(st.lists(st.integers(min_value=0), max_size=12))
def test_splitter_leaves_a_tag_inside_an_answer_alone(positions) -> None:
    text = "The tag <think> opens what </think> closes."
    assert split_all(cut(text, positions)) == {"thinking": "", "answer": text}


def test_splitter_keeps_what_only_looked_like_a_tag() -> None:
    assert split_all(["<thi"]) == {"thinking": "", "answer": "<thi"}
    assert split_all(["<think>never closed </thi"]) == {"thinking": "never closed </thi", "answer": ""}


def test_splitter_of_a_continuation_takes_everything_as_answer() -> None:
    assert split_all(["<think>x</think>"], is_continuing=True)["answer"] == "<think>x</think>"


def chunk(delta=None, finish=None, **fields):
    choices = [{"index": 0, "delta": delta or {}, "finish_reason": finish}]
    return json.dumps({"choices": choices, **fields}).encode()


def test_chat_decoder_joins_the_text_of_one_reading() -> None:
    decoder = ChatDecoder()
    events = decoder.decode(
        [
            chunk({"reasoning": "Hm"}),
            chunk({"reasoning": "m."}),
            chunk({"content": "A"}),
            chunk({"content": "B"}),
        ]
    )
    assert events == [ThinkingDelta("Hmm."), AnswerDelta("AB")]


def test_chat_decoder_gives_tool_calls_in_pieces() -> None:
    decoder = ChatDecoder()
    start = {
        "index": 0,
        "id": "call_1",
        "type": "function",
        "function": {"name": "find", "arguments": '{"a"'},
    }
    events = decoder.decode(
        [
            chunk({"content": None, "tool_calls": [start]}),
            chunk({"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]}),
            chunk({"tool_calls": [{"function": {"name": "no_index", "arguments": None}}]}),
            chunk(finish="tool_calls"),
        ]
    )
    assert events == [
        ToolCallDelta(0, "call_1", "find", '{"a"'),
        ToolCallDelta(0, "", "", ":1}"),
        ToolCallDelta(0, "", "no_index", ""),
    ]
    assert decoder.finish() == [Finish("tool_calls")]


def test_chat_decoder_survives_what_servers_add() -> None:
    decoder = ChatDecoder()
    events = decoder.decode(
        [
            b'{"choices":[],"prompt_filter_results":[{}],"usage":null}',
            b'{"choices":[{"delta":{"role":"assistant","content":""},"logprobs":null}],"error":null}',
            b'{"choices":[{"delta":{"content":"x"},"content_filter_results":{}}]}',
            b'{"choices":[{"finish_reason":"eos_token","delta":null}]}',
            b'{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1}}',
            b'{"choices":null,"usage":{"prompt_tokens":3,"completion_tokens":4,"prompt_tokens_details":{}}}',
        ]
    )
    assert events == [AnswerDelta("x")]
    assert decoder.finish() == [UsageReport(3, 4), Finish("stop")]


def test_chat_decoder_without_an_end_does_not_finish() -> None:
    decoder = ChatDecoder()
    decoder.decode([chunk({"content": "half"})])
    assert decoder.finish() is None
    decoder.decode([b"[DONE]"])
    assert decoder.finish() == [Finish("stop")]


def chunk_of(text, **more) -> bytes:
    choice = {"index": 0, "delta": {"content": text, **more}, "finish_reason": None}
    return b"data: " + json.dumps({"id": "c", "choices": [choice], "usage": None}).encode() + b"\n\n"


# What could be taken for the pattern, and is not: quotes, escapes, another field, an end, a count, a ping, an error.
PIECES = st.one_of(
    st.text(max_size=6).map(chunk_of),
    st.sampled_from(
        [
            chunk_of('x"},"finish_reason": null}], "usage": null}\n\n'),
            chunk_of("tail\\"),
            chunk_of("and", reasoning_content="hm"),
            chunk_of("a").replace(b'"usage": null', b'"usage": {"prompt_tokens": 2, "completion_tokens": 9}'),
            chunk_of("a").replace(b"\n", b"\r\n"),
            b": ping\n\n",
            b'data: {"choices": []}\n\n',
            b'data: {"choices": [{"delta": {}, "finish_reason": "length"}]}\n\n',
        ]
    ),
)


def joined(events) -> tuple:
    texts = {AnswerDelta: "", ThinkingDelta: ""}
    for event in events:
        if type(event) in texts:
            texts[type(event)] += event.text
    return (*texts.values(), [event for event in events if type(event) not in texts])


@given(st.lists(PIECES, max_size=25), st.lists(st.integers(min_value=0), max_size=12))
def test_answer_is_read_alike_whether_by_runs_or_one_by_one(pieces, positions) -> None:
    data = chunk_of("one ") + chunk_of("two ") + b"".join(pieces) + b"data: [DONE]"
    one_by_one = ChatDecoder()
    events = EventDecoder()
    expected = one_by_one.decode(events.decode(data) + events.flush()) + one_by_one.finish()
    decoder = AnswerDecoder()
    heard = [event for piece in cut(data, positions) for event in decoder.decode(piece)] + decoder.flush()
    assert joined(heard + decoder.finish()) == joined(expected)
    assert decoder.has_events


def test_runs_are_read_at_once_and_an_error_among_them_is_heard() -> None:
    decoder = AnswerDecoder()
    decoder.decode(chunk_of("one "))
    assert decoder.decode(b"".join(chunk_of(f"é{number}\n") for number in range(50))) == [
        AnswerDelta("".join(f"é{number}\n" for number in range(50)))
    ]
    with pytest.raises(ErrorInStream):
        decoder.decode(chunk_of("more") + b'data: {"error": {"message": "no"}}\n\n')
