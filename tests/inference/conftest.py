"""What tests of inference start from: a scripted server, a target that leads to it, an administrator."""

import uuid
from collections.abc import Iterator

import pytest
import redis
from django.conf import settings

from accounts.models import User
from config.stack.plan import language_model, read_settings
from config.stack.process import free_port, start, stop, wait_until
from inference.client import stream_chat
from inference.estate.discovery import is_answering
from inference.model_server.choice import choice_of
from inference.models import Capability, Deployment, Model, Server
from inference.net.transport import Timeouts
from inference.types import AnswerDelta, ChatRequest, Endpoint, ModelTarget, StreamEvent, ThinkingDelta, Turn
from tests.openai_server import ScriptedServer
from tests.tiny_gguf import write_tiny_gguf

ASKED = ChatRequest(turns=(Turn("system", "Be brief."), Turn("user", "What is the capital of France?")))
PATIENT = Timeouts(connect_seconds=30, first_event_seconds=30, between_events_seconds=30)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def administrator(db: None) -> User:
    return User.objects.create_user("admin@example.com", "a long password", is_staff=True, is_superuser=True)


@pytest.fixture
def visitor(db: None) -> User:
    return User.objects.create_user("visitor@example.com", "a long password")


@pytest.fixture(scope="package")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real llama.cpp with a tiny model, `tiny`."""
    folder = tmp_path_factory.mktemp("llama")
    port = free_port()
    choice = choice_of(write_tiny_gguf(folder / "tiny.gguf"))
    program = language_model(read_settings(), port, choice)
    process = start(program)
    url = f"http://127.0.0.1:{port}/v1"
    try:
        wait_until(lambda: is_answering(url, "tiny"), process=process, program=program)
        yield url
    finally:
        stop(program, process)


def target_at(
    base_url: str, *, kind: str = "openai", api_key: str = "", can_continue: bool = False
) -> ModelTarget:
    endpoint = Endpoint(
        server_id=uuid.uuid4(),
        server_name="test server",
        kind=kind,
        base_url=base_url,
        remote_name="pace-0",
        api_key=api_key,
        can_continue=can_continue,
    )
    return ModelTarget(
        id=uuid.uuid4(),
        name="pace-0",
        label="pace-0",
        capabilities=frozenset({"chat"}),
        context_tokens=None,
        endpoints=(endpoint,),
    )


async def collect(
    target: ModelTarget, request: ChatRequest = ASKED, *, timeouts: Timeouts = PATIENT
) -> list[StreamEvent]:
    return [event async for event in stream_chat(target, request, timeouts=timeouts)]


def answer_of(events: list[StreamEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, AnswerDelta))


def thinking_of(events: list[StreamEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, ThinkingDelta))


def add_model(
    name: str,
    *,
    server: Server | None = None,
    base_url: str = "http://127.0.0.1:1/v1",
    capability: str = Capability.CHAT,
    **fields: object,
) -> Model:
    server = server or Server.objects.create(name=f"server of {name}", base_url=base_url)
    model = Model.objects.create(name=name, capabilities=[capability], **fields)
    Deployment.objects.create(model=model, server=server, remote_name=name)
    return model


@pytest.fixture
def redis_client() -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        yield client
