"""Numbers of the whole house, read when they are scraped: queues in Redis, documents in PostgreSQL, and what model
servers told last of themselves.

Every web process answers with the same ones, so that autoscalers see a queue grow while no worker runs at all.
"""

from collections.abc import Iterator

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Count
from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from chat.models import Reply
from documents.models import Document
from inference.estate.health import read_queue_lengths
from inference.estate.readings import list_readings

CELERY_QUEUES = ("ingest", "default")


class HouseCollector(Collector):
    """Reads the backing services once a scrape; what cannot be read is left out, and /readyz says why."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        lengths, documents, batches, memory = self.describe()
        try:
            for name, length in _queue_lengths().items():
                lengths.add_metric([name], length)
            for status, count in _documents_by_status().items():
                documents.add_metric([status], count)
            lengths.add_metric(["replies"], Reply.objects.unfinished().filter(status="queued").count())
            for model, length in read_queue_lengths().items():
                lengths.add_sample("queue_length", {"queue": "models", "model": model}, length)
            for reading in list_readings():
                if reading.batch_size is not None:
                    batches.add_metric([reading.server_name], reading.batch_size)
                if reading.gpu_memory_bytes is not None:
                    memory.add_metric([reading.server_name], reading.gpu_memory_bytes)
        except (redis.RedisError, DatabaseError, OSError):
            pass
        finally:
            connection.close()
        yield from (lengths, documents, batches, memory)

    def describe(self) -> list[GaugeMetricFamily]:
        """Their names, without asking anybody."""
        return [
            GaugeMetricFamily("queue_length", "Tasks, replies and requests that wait.", labels=["queue"]),
            GaugeMetricFamily("documents", "Documents, by status.", labels=["status"]),
            GaugeMetricFamily("batch_size", "Requests in a server's batch, as it tells.", labels=["server"]),
            GaugeMetricFamily(
                "gpu_memory_used",
                "Bytes of GPU memory that models take, as the server tells.",
                labels=["server"],
            ),
        ]


def _queue_lengths() -> dict[str, int]:
    prefix = settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2) as client:
        return {name: int(client.llen(f"{prefix}{name}")) for name in CELERY_QUEUES}


def _documents_by_status() -> dict[str, int]:
    rows = Document.objects.order_by().values_list("status").annotate(count=Count("pk"))
    return dict(rows.values_list("status", "count"))


REGISTRY.register(HouseCollector())
