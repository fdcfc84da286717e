"""Numbers of the whole house, read when they are scraped: queues in Redis, documents in PostgreSQL.

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

CELERY_QUEUES = ("ingest", "default")


class HouseCollector(Collector):
    """Reads the backing services once a scrape; what cannot be read is left out, and /readyz says why."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        lengths = GaugeMetricFamily("queue_length", "Tasks and replies that wait.", labels=["queue"])
        documents = GaugeMetricFamily("documents", "Documents, by status.", labels=["status"])
        try:
            for name, length in _queue_lengths().items():
                lengths.add_metric([name], length)
            for status, count in _documents_by_status().items():
                documents.add_metric([status], count)
            lengths.add_metric(["replies"], Reply.objects.unfinished().filter(status="queued").count())
        except (redis.RedisError, DatabaseError, OSError):
            pass
        finally:
            connection.close()
        yield lengths
        yield documents

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Their names, without asking anybody."""
        yield GaugeMetricFamily("queue_length", "Tasks and replies that wait.")
        yield GaugeMetricFamily("documents", "Documents, by status.")


def _queue_lengths() -> dict[str, int]:
    prefix = settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2) as client:
        return {name: int(client.llen(f"{prefix}{name}")) for name in CELERY_QUEUES}


def _documents_by_status() -> dict[str, int]:
    rows = Document.objects.order_by().values_list("status").annotate(count=Count("pk"))
    return dict(rows.values_list("status", "count"))


REGISTRY.register(HouseCollector())
