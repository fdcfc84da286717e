"""The channel layer: messages sent at once arrive, in their order, in few round trips; and what Redis refuses."""

import asyncio

import pytest
from channels.layers import get_channel_layer
from redis.asyncio.client import Pipeline
from redis.exceptions import ConnectionError as RedisConnectionError


async def test_messages_sent_at_once_arrive_in_order_in_few_round_trips(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    layer = get_channel_layer()
    assert layer is not None
    channels = [await layer.new_channel() for _ in range(3)]
    for channel in channels:
        await layer.group_add("everybody", channel)
    trips = 0
    execute = Pipeline.execute

    async def count(self: Pipeline, *args: bool, **kwargs: bool) -> object:
        nonlocal trips
        trips += 1
        return await execute(self, *args, **kwargs)

    monkeypatch.setattr(Pipeline, "execute", count)
    await asyncio.gather(*(layer.group_send("everybody", {"type": "news", "n": n}) for n in range(100)))
    async with asyncio.timeout(10):
        for channel in channels:
            assert [(await layer.receive(channel))["n"] for _ in range(100)] == list(range(100))
    assert trips <= 2
    await layer.flush()


async def test_every_sender_learns_that_redis_is_away_and_the_next_message_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    layer = get_channel_layer()
    assert layer is not None
    channel = await layer.new_channel()
    execute = Pipeline.execute

    async def refuse(self: Pipeline) -> object:
        raise RedisConnectionError("away")

    monkeypatch.setattr(Pipeline, "execute", refuse)
    sent = [layer.send(channel, {"type": "news", "n": n}) for n in range(5)]
    outcomes = await asyncio.gather(*sent, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [RedisConnectionError] * 5
    monkeypatch.setattr(Pipeline, "execute", execute)
    await layer.send(channel, {"type": "news", "n": 5})
    async with asyncio.timeout(10):
        assert (await layer.receive(channel))["n"] == 5
    await layer.flush()
