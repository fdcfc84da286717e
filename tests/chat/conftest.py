"""What tests of the chat room start from: a reply log of their own, a scripted model, a web process, people."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.test import Client
from redis.asyncio import Redis

from accounts.models import User
from accounts.services import create_api_key
from chat.running.feed import ReplyFeed
from chat.running.log import LogWriter, connect_redis
from inference.models import Capability, Deployment, Model, Server
from tests.openai_server import ScriptedServer
from tests.processes import Process, start_web, stopped_at_end


@dataclass
class LogBench:
    redis: Redis
    log: LogWriter
    feed: ReplyFeed
    local: set = field(default_factory=set)


@pytest.fixture
async def bench() -> AsyncIterator[LogBench]:
    redis = connect_redis()
    local: set = set()
    feed_redis = connect_redis()
    feed = ReplyFeed(feed_redis, is_local=local.__contains__)
    log = LogWriter(redis, on_written=feed.wake)
    loops = [asyncio.create_task(log.run()), asyncio.create_task(feed.run())]
    yield LogBench(redis, log, feed, local)
    for loop in loops:
        loop.cancel()
    await asyncio.gather(*loops, return_exceptions=True)
    await redis.aclose()
    await feed_redis.aclose()


@pytest.fixture(scope="session")
def shared_model_server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def model_server(shared_model_server: ScriptedServer) -> ScriptedServer:
    """The model server, with no script and no memory of the test before."""
    shared_model_server.forget()
    return shared_model_server


@pytest.fixture
def estate(transactional_db: None, model_server: ScriptedServer) -> Model:
    """One model, `pace-0`, on the scripted server, and it is the default.

    The rows have the same ids in every test: the shared web process remembers them for a few seconds.
    """
    server = Server.objects.create(id=uuid.UUID(int=1), name="scripted", base_url=model_server.url)
    model = Model.objects.create(
        id=uuid.UUID(int=2), name="pace-0", capabilities=[Capability.CHAT], is_default=True
    )
    Deployment.objects.create(id=uuid.UUID(int=3), model=model, server=server, remote_name="pace-0")
    return model


def make_user(email: str) -> User:
    return User.objects.create_user(email, "a long password")


@pytest.fixture
def key(estate: Model) -> str:
    return create_api_key(actor=make_user("ada@example.com"), name="test")[1]


@pytest.fixture
def other_key(estate: Model) -> str:
    return create_api_key(actor=make_user("eve@example.com"), name="test")[1]


@pytest.fixture
def session_cookie(estate: Model, client: Client) -> str:
    client.force_login(make_user("cookie@example.com"))
    return client.cookies["sessionid"].value


@pytest.fixture(scope="session")
def shared_web(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """One web process for all tests that leave it alive: starting one takes seconds."""
    process = start_web(tmp_path_factory.mktemp("web"))
    with stopped_at_end(process):
        yield process


@pytest.fixture
def web(estate: Model, shared_web: Process) -> Process:
    return shared_web


@pytest.fixture
def own_web(estate: Model, tmp_path: Path) -> Iterator[Process]:
    """A web process of this test's own, to be killed."""
    process = start_web(tmp_path)
    with stopped_at_end(process):
        yield process


@pytest.fixture
def redis_client() -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        yield client
