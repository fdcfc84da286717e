"""Probes: they need no host name, no session and, but for /readyz, no backing service."""

import json
import time

import msgspec
import pytest
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.test import override_settings
from redis.asyncio import Redis

from config.asgi import application
from config.health import HealthEndpoints
from inference.estate.readings import Reading
from inference.models import Model
from inference.routing.desk import key_prefix


async def get(path: str, *headers: tuple[bytes, bytes], served_by: HealthEndpoints = application):
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": list(headers)}
    communicator = ApplicationCommunicator(served_by, scope)
    await communicator.send_input({"type": "http.request", "body": b""})
    start = await communicator.receive_output(timeout=10)
    body = (await communicator.receive_output(timeout=10))["body"]
    return start["status"], body


async def test_probe_of_a_pod_by_its_address_is_answered():
    status, body = await get("/healthz", (b"host", b"10.1.2.3:8000"))
    assert (status, json.loads(body)) == (200, {"status": "ok"})


@pytest.mark.django_db
async def test_probe_is_told_that_every_service_answers():
    status, body = await get("/readyz")
    checks = json.loads(body)["checks"]
    assert status == 200
    assert {checks[name] for name in ("database", "redis", "storage")} == {"ok"}


@pytest.mark.django_db
@override_settings(REDIS_URL="redis://127.0.0.1:1/0")
async def test_probe_is_told_which_service_is_down():
    status, body = await get("/readyz")
    answer = json.loads(body)
    assert (status, answer["status"]) == (503, "not ready")
    assert answer["checks"]["redis"] == "ConnectionError"
    assert answer["checks"]["database"] == "ok"


@pytest.mark.django_db
@override_settings(EMBEDDING_URL="http://127.0.0.1:1/v1")
async def test_lost_embedding_server_is_reported_and_keeps_the_site_up():
    status, body = await get("/readyz")
    assert status == 200
    assert json.loads(body)["checks"]["embeddings"] == "ConnectionRefusedError"


@pytest.mark.django_db
async def test_draining_process_is_not_ready():
    draining = HealthEndpoints(application)
    draining.is_draining = True
    status, body = await get("/readyz", served_by=draining)
    assert (status, json.loads(body)["status"]) == (503, "draining")


@pytest.mark.django_db(transaction=True)
async def test_scraper_beside_us_gets_metrics_and_a_visitor_does_not():
    status, body = await get("/metrics")
    assert status == 200
    assert b"process_resident_memory_bytes" in body
    assert b'queue_length{queue="ingest"} 0.0' in body
    status, _ = await get("/metrics", (b"x-forwarded-for", b"203.0.113.9"))
    assert status == 404


@pytest.mark.django_db(transaction=True)
async def test_scraper_hears_what_waits_for_a_model_and_what_servers_told():
    prefix = key_prefix()
    model = await Model.objects.acreate(name="busy")
    reading = Reading("1", "rack", time.time(), batch_size=12, gpu_memory_bytes=6_000_000_000)
    async with Redis.from_url(settings.REDIS_URL) as client:
        await client.sadd(f"{prefix}:models", str(model.pk))
        await client.zadd(f"{prefix}:line:{model.pk}", {"a": 1, "b": 2})
        await client.set(f"{settings.REDIS_PREFIX}:reading:1", msgspec.json.encode(reading))
    _, body = await get("/metrics")
    assert b'queue_length{model="busy",queue="models"} 2.0' in body
    assert b'batch_size{server="rack"} 12.0' in body
    assert b'gpu_memory_used{server="rack"} 6e+09' in body
