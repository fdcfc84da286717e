"""How the estate does at this moment: servers, the models on them, what runs and what waits. Reads only.

Rows from PostgreSQL, places and breakers from Redis (`inference.routing.script` has the keys), and what the servers
tell of themselves (`inference.estate.readings`). Where Redis cannot be asked the rows are told alone.
"""

import uuid
from dataclasses import dataclass, field

import redis
from django.conf import settings

from inference.estate.readings import Reading, list_readings
from inference.models import Deployment, Model, Server, ServerKind
from inference.routing.desk import key_prefix


@dataclass(frozen=True, slots=True)
class DeploymentHealth:
    """One model on one server. `running` is None where nothing bounds it, so that nobody counts."""

    deployment: Deployment
    running: int | None
    # The breaker: left alone for so long, or tried with one request at a time.
    paused_seconds: float
    is_ailing: bool

    @property
    def state(self) -> str:
        """One of: missing, off, paused, ailing, ready."""
        if self.deployment.missing_since:
            return "missing"
        if not (self.deployment.is_enabled and self.deployment.model.is_enabled):
            return "off"
        if self.paused_seconds:
            return "paused"
        return "ailing" if self.is_ailing else "ready"


@dataclass(frozen=True, slots=True)
class ServerHealth:
    server: Server
    deployments: tuple[DeploymentHealth, ...]
    reading: Reading | None

    @property
    def state(self) -> str:
        """One of: off, failing, silent, ready."""
        if not self.server.is_enabled:
            return "off"
        if self.server.last_error:
            return "failing"
        if self.server.last_seen_at is None and self.server.kind != ServerKind.QUOTES:
            return "silent"
        return "ready"


@dataclass(frozen=True, slots=True)
class QueueHealth:
    """A model with a limit of answers at once, over all its servers."""

    model: Model
    running: int
    waiting: int


@dataclass(frozen=True, slots=True)
class EstateHealth:
    servers: tuple[ServerHealth, ...]
    queues: tuple[QueueHealth, ...]

    @property
    def ready(self) -> int:
        return sum(1 for server in self.servers if server.state == "ready")

    @property
    def running(self) -> int:
        return sum(queue.running for queue in self.queues)

    @property
    def waiting(self) -> int:
        return sum(queue.waiting for queue in self.queues)


@dataclass(slots=True)
class _Places:
    running: dict[str, int] = field(default_factory=dict)
    waiting: dict[str, int] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    paused_ms: dict[str, int] = field(default_factory=dict)
    ailing: set[str] = field(default_factory=set)


def read_health(server_id: uuid.UUID | None = None) -> EstateHealth:
    """The whole estate, or one server of it."""
    servers = list(Server.objects.filter(pk=server_id) if server_id else Server.objects.all())
    deployments = list(
        Deployment.objects.filter(server__in=servers)
        .select_related("model")
        .order_by("model__name", "remote_name")
    )
    models = {deployment.model_id: deployment.model for deployment in deployments}
    places, readings = _Places(), list[Reading]()
    try:
        places = _read_places([str(key) for key in models], [str(each.pk) for each in deployments])
        readings = list_readings()
    except (redis.RedisError, OSError):
        # The page says nothing about queues then, and /readyz says why.
        pass
    by_server = {reading.server: reading for reading in readings}
    return EstateHealth(
        servers=tuple(
            ServerHealth(
                server,
                tuple(_health(each, places) for each in deployments if each.server_id == server.pk),
                by_server.get(str(server.pk)),
            )
            for server in servers
        ),
        queues=tuple(
            QueueHealth(model, places.held.get(str(key), 0), places.waiting.get(str(key), 0))
            for key, model in sorted(models.items(), key=lambda item: item[1].name.lower())
            if str(key) in places.held
        ),
    )


def read_queue_lengths() -> dict[str, int]:
    """How many requests wait for each model that has waiting ones or could have, by its name."""
    with _client() as client:
        ids = [raw.decode() for raw in client.smembers(f"{key_prefix()}:models")]
        pipeline = client.pipeline(transaction=False)
        for model in ids:
            pipeline.zcard(f"{key_prefix()}:line:{model}")
        lengths = dict(zip(ids, pipeline.execute(), strict=True))
    names = Model.objects.filter(pk__in=ids).values_list("pk", "name")
    return {name: lengths[str(key)] for key, name in names}


def _health(deployment: Deployment, places: _Places) -> DeploymentHealth:
    key = str(deployment.pk)
    return DeploymentHealth(
        deployment,
        places.running.get(key),
        places.paused_ms.get(key, 0) / 1000,
        key in places.ailing,
    )


def _read_places(models: list[str], deployments: list[str]) -> _Places:
    prefix, places = key_prefix(), _Places()
    with _client() as client:
        routed = {raw.decode() for raw in client.smembers(f"{prefix}:models")}
        models = [model for model in models if model in routed]
        pipeline = client.pipeline(transaction=False)
        for model in models:
            pipeline.hgetall(f"{prefix}:load:{model}").hlen(f"{prefix}:held:{model}").zcard(
                f"{prefix}:line:{model}"
            )
        for deployment in deployments:
            pipeline.pttl(f"{prefix}:open:{deployment}").exists(f"{prefix}:ailing:{deployment}")
        answers = iter(pipeline.execute())
    for model in models:
        load, places.held[model], places.waiting[model] = next(answers), next(answers), next(answers)
        for name, value in load.items():
            kind, _colon, deployment = name.decode().partition(":")
            if kind == "n":
                places.running[deployment] = max(0, int(value))
    for deployment in deployments:
        left_ms, is_ailing = next(answers), next(answers)
        if left_ms > 0:
            places.paused_ms[deployment] = left_ms
        if is_ailing:
            places.ailing.add(deployment)
    return places


def _client() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2)
