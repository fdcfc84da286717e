"""What model servers tell of themselves besides answers: how many requests they batch, how many wait there, how full
their cache is, how much GPU memory a model takes. Read on a clock by a worker, kept in Redis for everybody.

vLLM and KAITO, TGI, and llama.cpp with `--metrics` have a Prometheus page; Ollama lists what is in memory. What a
server does not tell is None, and a server that tells nothing has no reading.
"""

import logging
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import msgspec
import redis
from django.conf import settings
from prometheus_client.parser import text_string_to_metric_families

from inference.endpoints import endpoint_at, own_api
from inference.errors import InferenceError
from inference.models import Server, ServerKind
from inference.net.http import call, place_of
from inference.types import Endpoint

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 5.0
# Four missed turns of the clock; what is older says nothing about now.
FRESH_SECONDS = 60
AT_ONCE = 8

# The measures as each kind names them, in Prometheus' text format.
# https://docs.vllm.ai/en/stable/usage/metrics.html, https://huggingface.co/docs/text-generation-inference/reference/metrics,
# and "metrics" in llama.cpp's tools/server/README.md.
_NAMES = {
    ServerKind.VLLM: ("vllm:num_requests_running", "vllm:num_requests_waiting", "vllm:kv_cache_usage_perc"),
    ServerKind.TGI: ("tgi_batch_current_size", "tgi_queue_size", ""),
    ServerKind.LLAMACPP: (
        "llamacpp:requests_processing",
        "llamacpp:requests_deferred",
        "llamacpp:kv_cache_usage_ratio",
    ),
}
_NAMES[ServerKind.KAITO] = _NAMES[ServerKind.VLLM]


class Reading(msgspec.Struct):
    """A server at one moment; `read_at` is seconds since the epoch."""

    server: str
    server_name: str
    read_at: float
    # Requests that it works on in one batch, and those that wait before it.
    batch_size: float | None = None
    waiting: float | None = None
    # 0 to 1.
    cache_share: float | None = None
    gpu_memory_bytes: int | None = None


class _Loaded(msgspec.Struct):
    size_vram: int = 0


class _Processes(msgspec.Struct):
    models: list[_Loaded] | None = None


_decode = msgspec.json.Decoder(Reading).decode


def read_servers() -> int:
    """Ask every server that has something to tell, and keep what it says; the number that told something."""
    kinds = [*_NAMES, ServerKind.OLLAMA]
    servers = list(Server.objects.filter(is_enabled=True, last_error="", kind__in=kinds))
    if not servers:
        return 0
    with ThreadPoolExecutor(AT_ONCE) as threads:
        readings = [reading for reading in threads.map(_read_one, servers) if reading is not None]
    with _client() as client:
        for reading in readings:
            client.set(_key(reading.server), msgspec.json.encode(reading), ex=FRESH_SECONDS)
    return len(readings)


def list_readings() -> list[Reading]:
    """The readings that are still fresh, by server name."""
    with _client() as client:
        keys = list(client.scan_iter(_key("*"), count=500))
        raw = client.mget(keys) if keys else []
    return sorted((_decode(each) for each in raw if each), key=lambda reading: reading.server_name)


def parse_metrics(text: str, kind: str) -> tuple[float | None, float | None, float | None]:
    """Batch size, waiting and share of the cache out of a metrics page; None for what it lacks.

    A server with several models or engines has a series for each: requests add up, the fullest cache counts.
    """
    names = _NAMES[ServerKind(kind)]
    found: dict[str, list[float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name in names:
                found.setdefault(sample.name, []).append(sample.value)
    running, waiting, cache = (found.get(name) for name in names)
    return _sum(running), _sum(waiting), max(cache) if cache else None


def _read_one(server: Server) -> Reading | None:
    reading = Reading(str(server.pk), server.name, time.time())
    try:
        endpoint = own_api(endpoint_at(server, ""))
        if server.kind == ServerKind.OLLAMA:
            models = msgspec.json.decode(_get(endpoint, "/api/ps"), type=_Processes).models or []
            reading.gpu_memory_bytes = sum(model.size_vram for model in models)
        else:
            page = _get(endpoint, "/metrics").decode(errors="replace")
            reading.batch_size, reading.waiting, reading.cache_share = parse_metrics(page, server.kind)
    except (InferenceError, msgspec.DecodeError, ValueError) as error:
        # Whether it answers at all is found out elsewhere; many have this page switched off.
        logger.debug("No reading of %s: %s", server.name, type(error).__name__)
        return None
    told = (reading.batch_size, reading.waiting, reading.cache_share, reading.gpu_memory_bytes)
    return reading if any(value is not None for value in told) else None


def _get(endpoint: Endpoint, path: str) -> bytes:
    place, path = place_of(endpoint, path)
    return call(place, path, answer_seconds=ANSWER_SECONDS)


def _sum(values: Iterable[float] | None) -> float | None:
    return None if values is None else sum(values)


def _client() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2)


def _key(server_id: str) -> str:
    return f"{settings.REDIS_PREFIX}:reading:{server_id}"
