"""Who takes over whose replies."""

import asyncio
import uuid

import pytest

from chat.running.leases import Leases


@pytest.fixture(autouse=True)
def own_prefix(settings):
    """A web process of another test may still be there, and would take over what these leave."""
    settings.REDIS_PREFIX = "leases"


async def test_replies_of_a_dead_process_go_to_exactly_one_claimer(bench):
    dead, first, second = (Leases(bench.redis) for _ in range(3))
    replies = {uuid.uuid4() for _ in range(30)}
    for leases in (dead, first, second):
        await leases.beat()
    for reply_id in replies:
        dead.hold(reply_id)
    await dead.release_all()
    claims = await asyncio.gather(first.claim_abandoned(100), second.claim_abandoned(100))
    assert sorted([*claims[0], *claims[1]]) == sorted(replies)


async def test_replies_of_a_living_process_stay_with_it(bench):
    alive, other = Leases(bench.redis), Leases(bench.redis)
    await alive.beat()
    alive.hold(uuid.uuid4())
    await alive.write()
    assert await other.claim_abandoned(100) == []


async def test_reply_that_no_process_holds_is_found_and_claimed_once(bench):
    first, second = Leases(bench.redis), Leases(bench.redis)
    await first.beat()
    held, forgotten = uuid.uuid4(), uuid.uuid4()
    first.hold(held)
    await first.write()
    assert await second.unowned([held, forgotten]) == [forgotten]
    assert await second.claim_unowned(forgotten)
    assert not await first.claim_unowned(forgotten)


async def test_reply_that_ended_before_redis_heard_of_it_is_nobodys(bench):
    leases, other = Leases(bench.redis), Leases(bench.redis)
    await leases.beat()
    ended, running = uuid.uuid4(), uuid.uuid4()
    leases.hold(running)
    leases.hold(ended)
    leases.drop(ended)
    await leases.release_all()
    assert await other.claim_abandoned(100) == [running]
