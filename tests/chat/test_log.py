"""The reply log: what is written, what is read, and who may write."""

import asyncio
import json
import uuid

from chat import events
from chat.running.draft import replay
from chat.running.log import log_key


class Reader:
    """A follower that keeps what it gets."""

    def __init__(self):
        self.frames = []
        self.ended = asyncio.Event()

    def __call__(self, reply_id, frames, is_last):
        self.frames += [json.loads(frame) for frame in frames]
        if is_last:
            self.ended.set()

    @property
    def text(self):
        text = ""
        for frame in self.frames:
            if frame["type"] == "delta":
                text += frame["text"]
            elif frame["type"] == "reset":
                text = ""
        return text

    async def end(self):
        async with asyncio.timeout(5):
            await self.ended.wait()


def say_complete(writer):
    writer.put(lambda reply, cursor: events.Status(reply, cursor, "complete"), is_last=True)


async def test_follower_gets_every_frame_once_and_in_order(bench):
    reply_id, reader = uuid.uuid4(), Reader()
    bench.local.add(reply_id)
    writer = bench.log.open(reply_id, 1, on_lost=lambda: None)
    await bench.feed.follow(reply_id, events.BEGINNING, reader)
    for number in range(200):
        writer.append(f"{number};", "answer")
        if number % 20 == 0:
            await asyncio.sleep(0.005)
    say_complete(writer)
    await reader.end()
    assert reader.text == "".join(f"{number};" for number in range(200))
    cursors = [frame["cursor"] for frame in reader.frames]
    assert len(set(cursors)) == len(cursors)
    assert reader.frames[-1]["status"] == "complete"


async def test_follower_who_comes_back_gets_exactly_the_rest(bench):
    reply_id, first = uuid.uuid4(), Reader()
    writer = bench.log.open(reply_id, 1, on_lost=lambda: None)
    await bench.feed.follow(reply_id, events.BEGINNING, first)
    writer.append("one ", "answer")
    await bench.log.flush(writer)
    while not first.frames:
        await asyncio.sleep(0.01)
    bench.feed.unfollow(reply_id, first)
    writer.append("two ", "answer")
    await bench.log.flush(writer)
    again = Reader()
    await bench.feed.follow(reply_id, first.frames[-1]["cursor"], again)
    writer.append("three", "answer")
    say_complete(writer)
    await again.end()
    assert first.text + again.text == "one two three"


async def test_late_follower_catches_up_with_others_without_gap(bench):
    reply_id, early, late = uuid.uuid4(), Reader(), Reader()
    writer = bench.log.open(reply_id, 1, on_lost=lambda: None)
    await bench.feed.follow(reply_id, events.BEGINNING, early)
    expected = ""
    for number in range(40):
        writer.append(f"{number};", "answer")
        expected += f"{number};"
        await asyncio.sleep(0.01)
        if number == 20:
            await bench.feed.follow(reply_id, events.BEGINNING, late)
    say_complete(writer)
    await early.end()
    await late.end()
    assert early.text == late.text == expected


async def test_process_that_lost_its_reply_cannot_write_any_more(bench):
    reply_id, lost = uuid.uuid4(), asyncio.Event()
    old = bench.log.open(reply_id, 1, on_lost=lost.set)
    old.append("before", "answer")
    await bench.log.flush(old)
    new = bench.log.open(reply_id, 2, on_lost=lambda: None)
    new.append(" after", "answer")
    await bench.log.flush(new)
    old.append(" ghost", "answer")
    async with asyncio.timeout(5):
        await lost.wait()
    answer, _thinking, _sources = replay(await bench.log.read(reply_id))
    assert answer == "before after"


async def test_frame_written_twice_after_a_broken_try_is_kept_once(bench):
    reply_id, lost = uuid.uuid4(), []
    writer = bench.log.open(reply_id, 1, on_lost=lambda: lost.append(True))
    # The first try reached Redis, its answer did not reach us.
    frame = events.encode(events.Delta(str(reply_id), "1-1", "once"))
    await bench.redis.execute_command("XADD", log_key(reply_id), "1-1", "f", frame)
    writer.append("once", "answer")
    await bench.log.flush(writer)
    writer.append(" more", "answer")
    await bench.log.flush(writer)
    answer, _thinking, _sources = replay(await bench.log.read(reply_id))
    assert answer == "once more"
    assert not lost


async def test_log_of_a_finished_reply_expires(bench):
    reply_id = uuid.uuid4()
    writer = bench.log.open(reply_id, 1, on_lost=lambda: None)
    writer.append("text", "answer")
    await bench.log.flush(writer)
    assert await bench.redis.ttl(log_key(reply_id)) > 3600
    say_complete(writer)
    await bench.log.flush(writer)
    assert 0 < await bench.redis.ttl(log_key(reply_id)) <= 600


async def test_thinking_and_answer_stay_apart(bench):
    reply_id = uuid.uuid4()
    writer = bench.log.open(reply_id, 1, on_lost=lambda: None)
    writer.append("hm", "thinking")
    writer.append("yes", "answer")
    await bench.log.flush(writer)
    assert replay(await bench.log.read(reply_id))[:2] == ("yes", "hm")
