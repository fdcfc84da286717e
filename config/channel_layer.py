"""The channel layer: Redis, where messages that are sent at the same time go in one round trip.

`channels_redis` sends one message after another and waits for Redis each time. On an event loop that is busy with a
hundred streams a round trip takes some 5 ms, so that the last of a hundred messages was half a second late, and with
it the next speaker of a group.
"""

import asyncio
from typing import Any

from channels_redis.pubsub import RedisPubSubChannelLayer, RedisPubSubLoopLayer, RedisSingleShardConnection


class PipelinedChannelLayer(RedisPubSubChannelLayer):  # type: ignore[misc]
    """Redis' publish and subscribe; settings.CHANNEL_LAYERS names it."""

    def _get_layer(self) -> RedisPubSubLoopLayer:
        layer = super()._get_layer()
        layer._shards = [
            shard if isinstance(shard, PipelinedConnection) else PipelinedConnection(shard.host, layer)
            for shard in layer._shards
        ]
        return layer


class PipelinedConnection(RedisSingleShardConnection):  # type: ignore[misc]
    """One Redis server of the layer, on one event loop."""

    def __init__(self, host: dict[str, Any], channel_layer: RedisPubSubLoopLayer) -> None:
        super().__init__(host, channel_layer)
        self._waiting: list[tuple[str, bytes, asyncio.Future[None]]] = []
        self._publishing: asyncio.Task[None] | None = None

    async def publish(self, channel: str, message: bytes) -> None:
        """Returns when Redis has the message. Those of one sender arrive in their order."""
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((channel, message, sent))
        if self._publishing is None:
            self._publishing = asyncio.create_task(self._publish_waiting())
        await sent

    async def _publish_waiting(self) -> None:
        try:
            while self._waiting:
                await self._publish_batch()
        finally:
            self._publishing = None

    async def _publish_batch(self) -> None:
        async with self._lock:
            batch, self._waiting = self._waiting, []
            error = await self._publish_all(batch)
        for _channel, _message, sent in batch:
            if sent.done():
                continue
            if error is None:
                sent.set_result(None)
            else:
                sent.set_exception(error)

    async def _publish_all(self, batch: list[tuple[str, bytes, asyncio.Future[None]]]) -> Exception | None:
        try:
            self._ensure_redis()
            pipeline = self._redis.pipeline(transaction=False)
            for channel, message, _sent in batch:
                pipeline.publish(channel, message)
            await pipeline.execute()
        except Exception as error:  # noqa: BLE001 - it reaches every sender
            return error
        return None
