"""Who runs which reply: one lease per process, not per reply.

Every process owns a set of reply ids in Redis and a heartbeat key with a short life. A process whose heartbeat
has ended owns nothing any more: whoever moves a reply from its set to their own (SMOVE, so only one can) runs it
from then on. Should the old owner still be alive, the log's epoch keeps it from writing (`chat.running.log`).
"""

import asyncio
import uuid
from collections.abc import Iterable

from django.conf import settings
from redis.asyncio import Redis
from redis.exceptions import RedisError

# Three missed heartbeats. A takeover begins at most this long after a process died.
LEASE_SECONDS = 4.5
HEARTBEAT_SECONDS = 1.5


class Leases:
    """This process's replies, and the way to those of dead processes."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self.process_id = uuid.uuid4().hex
        prefix = settings.REDIS_PREFIX
        self._processes = f"{prefix}:processes"
        self._heartbeat = f"{prefix}:process:{{}}:alive"
        self._replies = f"{prefix}:process:{{}}:replies"
        # Reply → whether this process holds it; what Redis has not been told yet.
        self._changes: dict[str, bool] = {}
        self._changed = asyncio.Event()

    async def beat(self) -> None:
        """Say that this process lives."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.set(self._heartbeat.format(self.process_id), 1, px=int(LEASE_SECONDS * 1000))
        pipeline.sadd(self._processes, self.process_id)
        await pipeline.execute()

    def hold(self, reply_id: uuid.UUID) -> None:
        """This process runs the reply from now on; Redis learns of it in a moment, from `run`."""
        self._changes[str(reply_id)] = True
        self._changed.set()

    def drop(self, reply_id: uuid.UUID) -> None:
        """The reply has ended here."""
        self._changes[str(reply_id)] = False
        self._changed.set()

    async def run(self) -> None:
        """Write what `hold` and `drop` said, whatever came together in one go, until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self.write()

    async def write(self) -> None:
        """Returns when Redis knows everything that `hold` and `drop` said."""
        changes, self._changes = self._changes, {}
        held = [member for member, is_held in changes.items() if is_held]
        dropped = [member for member, is_held in changes.items() if not is_held]
        replies = self._replies.format(self.process_id)
        try:
            if held:
                await self._redis.sadd(replies, *held)
            if dropped:
                await self._redis.srem(replies, *dropped)
        except (RedisError, OSError):
            self._changes = changes | self._changes
            self._changed.set()
            raise

    async def release_all(self) -> None:
        """Give every reply of this process to whoever takes it."""
        await self.write()
        await self._redis.delete(self._heartbeat.format(self.process_id))

    async def claim_abandoned(self, most: int) -> list[uuid.UUID]:
        """Take over up to `most` replies of processes that died; each goes to exactly one claimer."""
        claimed: list[uuid.UUID] = []
        for process_id in await self._dead_processes():
            replies = self._replies.format(process_id)
            for member in await self._members(replies):
                if len(claimed) >= most:
                    return claimed
                if await self._redis.smove(replies, self._replies.format(self.process_id), member):
                    claimed.append(uuid.UUID(member))
            # An empty set is no key in Redis; only then is the dead process forgotten.
            if not await self._redis.exists(replies):
                await self._redis.srem(self._processes, process_id)
        return claimed

    async def unowned(self, reply_ids: list[uuid.UUID]) -> list[uuid.UUID]:
        """Those of `reply_ids` that no process, dead or alive, has in its set: Redis has lost them."""
        owned: set[str] = set()
        for process_id in await self._process_ids():
            owned |= set(await self._members(self._replies.format(process_id)))
        return [reply_id for reply_id in reply_ids if str(reply_id) not in owned]

    async def claim_unowned(self, reply_id: uuid.UUID) -> bool:
        """Take a reply that is in no set; of several claimers one gets it."""
        won = await self._redis.set(f"{self._processes}:claim:{reply_id}", 1, nx=True, ex=30)
        if won:
            self.hold(reply_id)
        return bool(won)

    async def _process_ids(self) -> list[str]:
        return await self._members(self._processes)

    async def _members(self, key: str) -> list[str]:
        members: Iterable[bytes | str] = await self._redis.smembers(key)
        return [member.decode() if isinstance(member, bytes) else member for member in members]

    async def _dead_processes(self) -> list[str]:
        process_ids = [pid for pid in await self._process_ids() if pid != self.process_id]
        if not process_ids:
            return []
        pipeline = self._redis.pipeline(transaction=False)
        for process_id in process_ids:
            pipeline.exists(self._heartbeat.format(process_id))
        alive = await pipeline.execute()
        return [pid for pid, is_alive in zip(process_ids, alive, strict=True) if not is_alive]
