"""Places, turns and failover: real Redis, scripted servers, one process."""

import asyncio
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, aclosing
from dataclasses import replace

import pytest

from inference.client import stream_chat
from inference.errors import RequestRejected, ServerUnreachable, StreamCut
from inference.routing import breaker
from inference.routing.desk import LEASE_SECONDS, Desk, Plan, plan_of
from inference.types import (
    Admitted,
    AnswerDelta,
    Caller,
    ChatRequest,
    Endpoint,
    Finish,
    ModelTarget,
    Queued,
    StartOver,
    Turn,
    UsageReport,
)
from tests.inference.conftest import PATIENT, answer_of, thinking_of
from tests.openai_server import Answer, Refusal, ScriptedServer

ADA, EVE = (Caller(uuid.UUID(int=number)) for number in (1, 2))
ASKED = ChatRequest(turns=(Turn("user", "Count."),), max_tokens=20)
TOKENS = [f"{number};" for number in range(20)]
NOWHERE = "http://127.0.0.1:9/v1"


@pytest.fixture(autouse=True)
def healthy() -> Iterator[None]:
    """What a test learned of its servers ends with it."""
    breaker._ailing.clear()
    yield
    breaker._ailing.clear()


@pytest.fixture
def servers() -> Iterator[list[ScriptedServer]]:
    with ExitStack() as stack:
        yield [stack.enter_context(ScriptedServer()) for _ in range(2)]


def target_on(*urls: str, kind: str = "llamacpp", slots=None, each=None, weights=(1, 1), can_continue=True):
    endpoints = [
        Endpoint(
            server_id=uuid.uuid4(),
            server_name=url,
            kind=kind,
            base_url=url,
            remote_name="pace-0",
            can_continue=can_continue,
            deployment=str(uuid.uuid4()),
            slots=each,
            weight=weights[at],
        )
        for at, url in enumerate(urls)
    ]
    return ModelTarget(
        id=uuid.uuid4(),
        name="pace-0",
        label="pace-0",
        capabilities=frozenset({"chat"}),
        context_tokens=None,
        endpoints=tuple(endpoints),
        slots=slots,
    )


async def listen(target, request=ASKED, *, caller=ADA, heard=None):
    """The events of an answer; `heard` also has those before an error."""
    heard = [] if heard is None else heard
    async with aclosing(stream_chat(target, request, caller=caller, timeouts=PATIENT)) as stream:
        async for event in stream:
            heard.append(event)
    return heard


async def test_requests_at_once_are_spread_over_the_servers(servers):
    target = target_on(*(server.url for server in servers))
    for server in servers:
        server.script(*[Answer(tokens=TOKENS, pace=100) for _ in range(10)])
    await asyncio.gather(*(listen(target) for _ in range(10)))
    assert [len(server.chats) for server in servers] == [5, 5]


async def test_heavier_server_gets_more_by_its_weight(servers):
    target = target_on(*(server.url for server in servers), weights=(3, 1))
    for server in servers:
        server.script(*[Answer(tokens=TOKENS, pace=100) for _ in range(12)])
    await asyncio.gather(*(listen(target) for _ in range(12)))
    assert [len(server.chats) for server in servers] == [9, 3]


async def test_server_with_the_least_outstanding_tokens_is_asked(servers):
    long, short = ChatRequest(turns=ASKED.turns, max_tokens=3000), ASKED
    target = target_on(*(server.url for server in servers))
    for server in servers:
        server.script(*[Answer(tokens=TOKENS, pace=50) for _ in range(5)])
    stream = stream_chat(target, long, caller=ADA, timeouts=PATIENT)
    await anext(stream)
    busy = next(server for server in servers if server.chats)
    await asyncio.gather(*(listen(target, short) for _ in range(4)))
    await stream.aclose()
    assert len(busy.chats) == 1


@pytest.mark.parametrize("refusal", [Refusal(500), Refusal(401), Refusal(404), Refusal(429)])
async def test_refusal_of_one_server_is_not_noticed(servers, refusal):
    target = target_on(*(server.url for server in servers))
    servers[0].answer_everything = refusal
    results = [await listen(target) for _ in range(4)]
    assert all(isinstance(events[-1], Finish) for events in results)
    assert len(servers[1].chats) == 4


async def test_bad_request_is_not_tried_elsewhere(servers):
    target = target_on(*(server.url for server in servers))
    for server in servers:
        server.answer_everything = Refusal(400)
    with pytest.raises(RequestRejected):
        await listen(target)
    assert sum(len(server.requests) for server in servers) == 1


async def test_server_that_is_gone_is_left_alone_for_a_while(servers):
    target = target_on(NOWHERE, servers[1].url)
    for _ in range(6):
        events = await listen(target)
        assert isinstance(events[-1], Finish)
    gone = breaker._ailing[target.endpoints[0].deployment]
    # Asked once or twice, not six times.
    assert gone.failures <= 2


async def test_all_servers_gone_is_told_as_it_is():
    with pytest.raises(ServerUnreachable):
        await listen(target_on(NOWHERE, NOWHERE))


async def test_answer_cut_in_the_middle_is_carried_on_elsewhere(servers):
    target = target_on(*(server.url for server in servers))
    servers[0].script(Answer(tokens=TOKENS, mishap="cut", after=7))
    servers[1].script(Answer(tokens=TOKENS, usage=(10, 13)))
    events = await listen(target)
    assert answer_of(events) == "".join(TOKENS)
    assert servers[1].chats[0].body["messages"][-1] == {"role": "assistant", "content": "".join(TOKENS[:7])}
    usage = next(event for event in events if isinstance(event, UsageReport))
    assert usage.completion_tokens == 13 + len("".join(TOKENS[:7])) // 4


async def test_server_that_cannot_continue_leaves_the_answer_broken_with_what_it_had(servers):
    target = target_on(*(server.url for server in servers), kind="openai", can_continue=False)
    servers[0].script(Answer(tokens=TOKENS, mishap="cut", after=7))
    heard = []
    with pytest.raises(StreamCut):
        await listen(target, heard=heard)
    assert answer_of(heard) == "".join(TOKENS[:7])
    assert not servers[1].chats


async def test_model_cut_while_thinking_thinks_anew_elsewhere(servers):
    target = target_on(*(server.url for server in servers), kind="openai", can_continue=False)
    servers[0].script(Answer(thinking=["Hm, ", "well, "], tokens=TOKENS, mishap="cut", after=2))
    servers[1].script(Answer(thinking=["Right."], tokens=TOKENS))
    events = await listen(target)
    again = next(at for at, event in enumerate(events) if isinstance(event, StartOver))
    assert thinking_of(events[again:]) == "Right."
    assert answer_of(events) == "".join(TOKENS)


async def test_model_with_slots_writes_no_more_answers_at_once(servers):
    server = servers[0]
    target = target_on(server.url, slots=3)
    server.script(*[Answer(tokens=TOKENS, pace=200) for _ in range(12)])
    most = 0
    running = asyncio.gather(*(listen(target) for _ in range(12)))
    while not running.done():
        most = max(most, server.open_streams)
        await asyncio.sleep(0.005)
    assert most == 3
    assert all(isinstance(events[-1], Finish) for events in await running)


async def test_deployments_with_slots_fill_up_and_the_rest_waits(servers):
    target = target_on(*(server.url for server in servers), each=2)
    for server in servers:
        server.script(*[Answer(tokens=TOKENS, pace=200) for _ in range(8)])
    most = [0, 0]
    running = asyncio.gather(*(listen(target) for _ in range(8)))
    while not running.done():
        most = [max(seen, server.open_streams) for seen, server in zip(most, servers, strict=True)]
        await asyncio.sleep(0.005)
    assert most == [2, 2]


async def test_waiting_request_is_told_its_place_as_it_moves_up(servers):
    target = target_on(servers[0].url, slots=1)
    servers[0].script(*[Answer(tokens=TOKENS, pace=12) for _ in range(4)])
    results = await asyncio.gather(*(listen(target) for _ in range(4)))
    last = max(results, key=lambda events: sum(isinstance(event, Queued) for event in events))
    positions = [event.position for event in last if isinstance(event, Queued)]
    assert positions == [3, 2, 1]
    assert isinstance(last[3], Admitted)
    assert answer_of(last) == "".join(TOKENS)


async def test_request_that_gives_up_leaves_the_line(servers):
    target = target_on(servers[0].url, slots=1)
    servers[0].script(Answer(tokens=TOKENS, pace=20), Answer(text="Yes."))
    first = stream_chat(target, ASKED, caller=ADA, timeouts=PATIENT)
    while not isinstance(await anext(first), AnswerDelta):
        pass
    impatient = asyncio.create_task(listen(target))
    patient = asyncio.create_task(listen(target, caller=EVE))
    await asyncio.sleep(0.1)
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    await first.aclose()
    assert answer_of(await patient) == "Yes."
    assert len(servers[0].chats) == 2


class Line:
    """Places at a model with slots, without any server: who gets one is seen by name."""

    def __init__(self, desk: Desk, slots: int) -> None:
        self.desk = desk
        self.plan: Plan = plan_of(target_on(NOWHERE, slots=slots))
        self.served: list[str] = []
        self.held: list = []

    async def ask(self, name: str) -> None:
        place = self.desk.enter(self.plan, user=name, tokens=1, tried=[])
        try:
            while await place.next_position() is not None:
                pass
            self.served.append(name)
            self.held.append(place)
        except asyncio.CancelledError:
            self.desk.leave(place)
            raise

    async def serve_one(self) -> None:
        """The place held longest becomes free, and its next holder has taken it."""
        count = len(self.served)
        self.desk.leave(self.held.pop(0))
        async with asyncio.timeout(10):
            while len(self.served) == count:
                await asyncio.sleep(0.001)


@pytest.fixture
async def desk():
    desk = Desk()
    desk.start()
    yield desk
    await desk.close()


async def until(is_so) -> None:
    async with asyncio.timeout(20):
        while not is_so():
            await asyncio.sleep(0.005)


async def test_turns_go_round_by_person_and_not_by_request(desk):
    line = Line(desk, slots=2)
    asking = [asyncio.create_task(line.ask("noisy")) for _ in range(30)]
    await until(lambda: len(line.served) == 2)
    asking += [asyncio.create_task(line.ask(f"person {number}")) for number in range(5)]
    await asyncio.sleep(0.1)
    for _ in range(6):
        await line.serve_one()
    # Two were being served; then everybody else once, before the third of the noisy one.
    assert line.served[2:7] == [f"person {number}" for number in range(5)]
    assert line.served[7] == "noisy"
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)


async def test_busy_neighbours_do_not_starve_the_noisy_one(desk):
    line = Line(desk, slots=2)
    asking = [asyncio.create_task(line.ask("noisy")) for _ in range(10)]
    await until(lambda: len(line.served) == 2)
    asking += [asyncio.create_task(line.ask(name)) for name in ("a", "b", "c") for _ in range(20)]
    await asyncio.sleep(0.1)
    for _ in range(24):
        await line.serve_one()
    counts = Counter(line.served)
    # After the start everybody gets the same share.
    assert counts["noisy"] >= 6
    assert max(counts.values()) - min(counts.values()) <= 2
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)


async def test_places_of_a_dead_process_are_free_again(desk):
    dead, line = Desk(), Line(desk, slots=1)
    dead.start()
    place = dead.enter(line.plan, user="ghost", tokens=1, tried=[])
    assert await place.next_position() is None
    # It neither leaves nor beats any more.
    for loop in dead._loops:
        loop.cancel()
    async with asyncio.timeout(15):
        await line.ask("heir")
    assert line.served == ["heir"]
    await dead._redis.aclose()


async def test_place_that_redis_keeps_in_vain_after_a_break_is_free_again(desk):
    # It was given while the connection broke: nobody here knows of it, and this process goes on beating.
    unheard, line = Desk(), Line(desk, slots=1)
    unheard.process_id = desk.process_id
    unheard.start()
    assert await unheard.enter(line.plan, user="ghost", tokens=1, tried=[]).next_position() is None
    for loop in unheard._loops:
        loop.cancel()
    desk._is_unsure = True
    async with asyncio.timeout(LEASE_SECONDS - 1):
        await line.ask("heir")
    await unheard._redis.aclose()


async def test_request_that_redis_hears_twice_has_one_place(desk, redis_client):
    line = Line(desk, slots=None)
    line.plan = plan_of(target_on(NOWHERE, each=1))
    await line.ask("first")
    desk._ask_for(line.held[0], "first", 1, "")
    waiting = asyncio.create_task(line.ask("second"))
    await asyncio.sleep(0.1)
    assert line.served == ["first"]
    await line.serve_one()
    await waiting
    assert line.served == ["first", "second"]


async def test_server_that_is_back_is_soon_trusted_with_all_it_can_do(servers, redis_client):
    target = target_on(*(server.url for server in servers), each=8)
    open_key = f"{breaker.key_prefix()}:open:{target.endpoints[0].deployment}"
    servers[0].answer_everything = Refusal(500)
    while not redis_client.exists(open_key):
        await listen(target)
    servers[0].answer_everything = None
    # Another process than the one that saw it fail.
    breaker._ailing.clear()
    await until(lambda: not redis_client.exists(open_key))
    for server in servers:
        server.script(*[Answer(tokens=TOKENS, pace=15) for _ in range(16)])
    running = asyncio.gather(*(listen(target) for _ in range(16)))
    await until(lambda: [server.open_streams for server in servers] == [8, 8])
    await running


async def test_redis_that_forgot_everything_holds_nobody_up(desk, redis_client):
    line = Line(desk, slots=1)
    await line.ask("first")
    waiting = asyncio.create_task(line.ask("second"))
    await asyncio.sleep(0.2)
    redis_client.flushdb()
    async with asyncio.timeout(15):
        await waiting


async def test_model_without_limits_asks_nothing_of_redis(servers, redis_client):
    target = target_on(servers[0].url)
    before = redis_client.info("stats")["total_commands_processed"]
    await listen(target)
    # The two are this test's own questions.
    assert redis_client.info("stats")["total_commands_processed"] - before <= 2


async def test_repeatable_request_is_answered_from_what_was_kept(servers):
    target = target_on(servers[0].url)
    kept = replace(target, cache_seconds=60)
    request = ChatRequest(turns=ASKED.turns, max_tokens=20, temperature=0)
    servers[0].script(Answer(thinking=["Hm."], text="Four words of text.", usage=(5, 4)))
    first, second = await listen(kept, request), await listen(kept, request)
    assert (answer_of(first), thinking_of(first)) == (answer_of(second), thinking_of(second))
    assert len(servers[0].chats) == 1
    assert [event.is_cached for event in (*first, *second) if isinstance(event, UsageReport)] == [False, True]
    # Another word, a temperature, or a model that keeps nothing: asked anew.
    await listen(kept, ChatRequest(turns=(Turn("user", "Count!"),), max_tokens=20, temperature=0))
    await listen(kept, ChatRequest(turns=ASKED.turns, max_tokens=20, temperature=0.1))
    await listen(target, request)
    assert len(servers[0].chats) == 4
