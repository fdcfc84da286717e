"""Frames a client may send, and what it hears about the others."""

import pytest

from chat import events
from chat.errors import MalformedFrame


def test_frame_of_every_kind_is_read():
    some_id = "01a1fcc0-c4e7-742d-b093-d03074579523"
    frames = {
        '{"type":"send","text":"hi","conversation":null,"character":null,"model":null}': events.Send,
        f'{{"type":"follow","conversation":"{some_id}","cursors":{{"{some_id}":"1-5"}}}}': events.Follow,
        f'{{"type":"unfollow","conversation":"{some_id}"}}': events.Unfollow,
        f'{{"type":"stop","reply":"{some_id}"}}': events.Stop,
        f'{{"type":"regenerate","message":"{some_id}"}}': events.Regenerate,
        f'{{"type":"edit","message":"{some_id}","text":"x"}}': events.Edit,
        f'{{"type":"continue","message":"{some_id}"}}': events.Continue,
        '{"type":"ping"}': events.Ping,
    }
    for text, kind in frames.items():
        assert isinstance(events.decode_client_frame(text), kind)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[]",
        '{"type":"dance"}',
        '{"type":"send","text":"x","max_tokens":-1}',
        '{"type":"send","text":"x","max_tokens":99999999999}',
        '{"type":"send","text":"x","temperature":9}',
        '{"type":"send","text":"x","request_id":"' + "r" * 65 + '"}',
        '{"type":"stop","reply":"42"}',
        '{"type":"follow","conversation":"01a1fcc0-c4e7-742d-b093-d03074579523","cursors":{"x":"1-1"}}',
        '{"type":"follow","conversation":"01a1fcc0-c4e7-742d-b093-d03074579523",'
        '"cursors":{"01a1fcc0-c4e7-742d-b093-d03074579523":"+"}}',
    ],
)
def test_frame_that_is_none_is_refused_with_a_reason(text):
    with pytest.raises(MalformedFrame) as caught:
        events.decode_client_frame(text)
    assert caught.value.code == "malformed"


def test_delta_frame_is_small():
    frame = events.Delta("01a1fcc0-c4e7-742d-b093-d03074579523", "1-123", "0:123456.123456;1:123456.143456;")
    assert len(events.encode(frame)) / 2 <= 80
