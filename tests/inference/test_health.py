"""What operators see of the estate: places, breakers, and what servers tell of themselves."""

import pytest
import redis
from django.conf import settings
from django.test import Client
from django.urls import reverse

from accounts.models import User
from inference.estate.health import read_health, read_queue_lengths
from inference.estate.readings import list_readings, parse_metrics, read_servers
from inference.models import Deployment, Server
from inference.routing.desk import key_prefix
from tests.inference.conftest import add_model
from tests.inference.ollama_library import OllamaLibrary
from tests.openai_server import Response, ScriptedServer

pytestmark = pytest.mark.django_db

VLLM_PAGE = """\
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="a"} 7.0
vllm:num_requests_running{engine="1",model_name="a"} 5.0
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="a"} 2.0
# TYPE vllm:kv_cache_usage_perc gauge
vllm:kv_cache_usage_perc{engine="0",model_name="a"} 0.43
vllm:kv_cache_usage_perc{engine="1",model_name="a"} 0.61
"""
TGI_PAGE = """\
# TYPE tgi_queue_size gauge
tgi_queue_size 3
# TYPE tgi_batch_current_size gauge
tgi_batch_current_size 8
"""
LLAMA_PAGE = """\
# TYPE llamacpp:requests_processing gauge
llamacpp:requests_processing 1
# TYPE llamacpp:requests_deferred gauge
llamacpp:requests_deferred 4
"""


@pytest.fixture
def admin_client(client: Client, administrator: User) -> Client:
    client.force_login(administrator)
    return client


@pytest.mark.parametrize(
    ("kind", "page", "told"),
    [
        ("vllm", VLLM_PAGE, (12, 2, 0.61)),
        ("kaito", VLLM_PAGE, (12, 2, 0.61)),
        ("tgi", TGI_PAGE, (8, 3, None)),
        ("llamacpp", LLAMA_PAGE, (1, 4, None)),
        ("vllm", "process_open_fds 4\n", (None, None, None)),
    ],
)
def test_metrics_page_of_each_kind_is_understood(
    kind: str, page: str, told: tuple[float | None, ...]
) -> None:
    assert parse_metrics(page, kind) == told


def test_servers_are_read_on_a_clock_and_those_that_tell_nothing_are_left_out(server: ScriptedServer) -> None:
    server.routes["GET", "/metrics"] = lambda request: Response(VLLM_PAGE.encode(), content_type="text/plain")
    Server.objects.create(name="rack", kind="vllm", base_url=server.url)
    Server.objects.create(name="mute", kind="llamacpp", base_url=f"{server.root_url}/below/v1")
    with ScriptedServer() as other:
        OllamaLibrary(other).loaded.update({"a", "b"})
        Server.objects.create(name="shelf", kind="ollama", base_url=other.url)
        assert read_servers() == 2
    rack, shelf = list_readings()
    assert (rack.server_name, rack.batch_size, rack.waiting, rack.cache_share) == ("rack", 12, 2, 0.61)
    assert (shelf.server_name, shelf.gpu_memory_bytes) == ("shelf", 1_200_000_000)


def test_health_tells_places_queues_and_breakers() -> None:
    model = add_model("busy", slots=2)
    deployment = Deployment.objects.get()
    other = Deployment.objects.create(
        model=model, server=Server.objects.create(name="z", base_url="http://127.0.0.1:2/v1"), remote_name="b"
    )
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        prefix = key_prefix()
        client.sadd(f"{prefix}:models", str(model.pk))
        client.hset(f"{prefix}:load:{model.pk}", mapping={f"n:{deployment.pk}": 2, f"t:{deployment.pk}": 900})
        client.hset(f"{prefix}:held:{model.pk}", mapping={"a": "x", "b": "x"})
        client.zadd(f"{prefix}:line:{model.pk}", {"c": 1, "d": 2, "e": 3})
        client.set(f"{prefix}:open:{other.pk}", 1, px=8000)
        client.set(f"{prefix}:ailing:{other.pk}", 1, px=8000)
    estate = read_health()
    assert (estate.running, estate.waiting) == (2, 3)
    busy, left_alone = (server.deployments[0] for server in estate.servers)
    assert (busy.running, busy.state) == (2, "ready")
    assert left_alone.state == "paused"
    assert 6 < left_alone.paused_seconds <= 8
    assert read_queue_lengths() == {"busy": 3}


def test_states_of_servers_are_told_apart() -> None:
    for name, fields in {
        "a off": {"is_enabled": False},
        "b failing": {"last_error": "refused"},
        "c silent": {},
        "d ready": {"last_seen_at": "2026-01-01T00:00Z"},
    }.items():
        Server.objects.create(name=name, base_url="http://127.0.0.1:2/v1", **fields)
    assert [server.state for server in read_health().servers] == ["off", "failing", "silent", "ready"]


def test_administrator_sees_health_as_a_page_and_as_its_part(admin_client: Client) -> None:
    add_model("talker")
    Server.objects.create(name="attic", base_url="http://127.0.0.1:3/v1", last_error="refused the connection")
    page = admin_client.get(reverse("admin:inference_health")).content.decode()
    part = admin_client.get(reverse("admin:inference_health") + "?part").content.decode()
    for text in (page, part):
        assert "refused the connection" in text
        assert "talker" in text
    assert "<html" in page
    assert "<html" not in part


@pytest.fixture
def shelf(server: ScriptedServer) -> Server:
    OllamaLibrary(server)
    return Server.objects.create(name="shelf", kind="ollama", base_url=server.url)


def act(client: Client, server: Server, verb: str, name: str = "") -> str:
    url = reverse("admin:inference_care", args=[server.pk])
    return client.post(url, {"verb": verb, "name": name}, follow=True).content.decode()


def test_administrator_looks_after_a_server_without_a_script(
    admin_client: Client, shelf: Server, server: ScriptedServer
) -> None:
    assert "answers: Ollama, 1 model." in act(admin_client, shelf, "test")
    assert not shelf.deployments.exists()
    assert "qwen2.5:0.5b" in act(admin_client, shelf, "refresh")
    page = act(admin_client, shelf, "load", "qwen2.5:0.5b")
    assert "Load qwen2.5:0.5b" in page
    assert "Waits for a worker." in page
    assert "no longer takes memory" in act(admin_client, shelf, "unload", "qwen2.5:0.5b")
    assert "is deleted from the server" in act(admin_client, shelf, "delete", "qwen2.5:0.5b")
    assert not shelf.deployments.filter(missing_since=None).exists()


def test_administrator_is_told_what_stands_in_the_way(
    admin_client: Client, shelf: Server, server: ScriptedServer
) -> None:
    assert "no model’s name" in act(admin_client, shelf, "pull", "not a name")
    server.stop()
    assert "cannot be reached" in act(admin_client, shelf, "test")


def test_who_may_only_look_cannot_act(client: Client, visitor: User, shelf: Server) -> None:
    client.force_login(visitor)
    url = reverse("admin:inference_care", args=[shelf.pk])
    assert client.post(url, {"verb": "delete", "name": "qwen2.5:0.5b"}, follow=True).status_code == 403
