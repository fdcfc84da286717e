"""Long work on model servers, for people who need not wait on a page: pulling a model, bringing one into memory.

A job lives in Redis: asked for by a web process, done by a worker, seen and cancelled from any page. One job runs at
a time, so that downloads leave the workers to other work; a job whose worker died is begun again, and a pull goes on
where it stopped. What is over stays to be read for `KEPT_SECONDS`. Who may ask is the business of `work`.
"""

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import Callable
from contextlib import aclosing

import msgspec
import redis
from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings
from django.db import connection
from django.utils.translation import gettext_lazy as _

from accounts.errors import ParlourError
from accounts.models import User
from inference.estate.operations import load_model, pull_model

logger = logging.getLogger(__name__)

# The lock of the worker that does the jobs; a dead one's jobs are begun again after it.
LEASE_SECONDS = 15.0
BEAT_SECONDS = 1.0
# Between two writes of progress: often enough for a bar that moves.
PROGRESS_SECONDS = 0.4
KEPT_SECONDS = 3600
ACTIVE = frozenset({"waiting", "running"})


class Job(msgspec.Struct):
    """One piece of work. Times are seconds since the epoch; `error` is a sentence for people."""

    id: str
    verb: str
    server: str
    model_name: str
    actor: str
    asked_at: float
    state: str = "waiting"
    step: str = ""
    done_bytes: int = 0
    total_bytes: int = 0
    started_at: float = 0.0
    ended_at: float = 0.0
    error: str = ""

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE

    @property
    def seconds_left(self) -> float | None:
        """By the speed so far; None while that says nothing."""
        elapsed = time.time() - self.started_at
        if self.state != "running" or not self.total_bytes or self.done_bytes <= 0 or elapsed < 2:
            return None
        return (self.total_bytes - self.done_bytes) * elapsed / self.done_bytes


_decode = msgspec.json.Decoder(Job).decode


def list_jobs(server_id: uuid.UUID) -> list[Job]:
    """A server's jobs, the newest first; those that ended an hour ago are forgotten."""
    with _client() as client:
        jobs = [job for job in _read_all(client) if job.server == str(server_id)]
    return sorted(jobs, key=lambda job: -job.asked_at)


def add_job(*, verb: str, server_id: uuid.UUID, model_name: str, actor_id: uuid.UUID) -> Job:
    """Note down what is to be done; the same work asked for twice is one job."""
    wanted = (verb, str(server_id), model_name)
    with _client() as client:
        for known in _read_all(client):
            if known.is_active and (known.verb, known.server, known.model_name) == wanted:
                return known
        job = Job(
            id=uuid.uuid4().hex,
            verb=verb,
            server=str(server_id),
            model_name=model_name,
            actor=str(actor_id),
            asked_at=time.time(),
        )
        _write(client, job)
    return job


def end_job(job_id: str) -> None:
    """Have a job end as cancelled: now if it waits, within `BEAT_SECONDS` if it runs."""
    with _client() as client:
        job = _read(client, job_id)
        if job is not None and job.state == "waiting":
            _end(client, job, "cancelled")
        elif job is not None and job.state == "running":
            client.set(_cancel_key(job_id), 1, ex=KEPT_SECONDS)


def run_jobs() -> None:
    """Do what is asked for, one job after another; returns at once while another worker is at it."""
    token = uuid.uuid4().hex
    with _client() as client:
        if not client.set(_lock_key(), token, nx=True, px=int(LEASE_SECONDS * 1000)):
            return
        try:
            while (job := _next(client)) is not None:
                async_to_sync(_run)(client, job, token)
        finally:
            if client.get(_lock_key()) == token.encode():
                client.delete(_lock_key())


async def _run(client: redis.Redis, job: Job, token: str) -> None:
    job.state, job.started_at, job.error = "running", time.time(), ""
    _write(client, job)
    work = asyncio.create_task(_pull(client, job) if job.verb == "pull" else _load(job))
    beat = asyncio.create_task(_beat(client, job, token, work.cancel))
    try:
        await work
    except asyncio.CancelledError:
        _end(client, job, "cancelled")
    except ParlourError as error:
        _end(client, job, "failed", str(error.user_message))
    except Exception:
        logger.exception("A job on a model server failed", extra={"job": job.id, "verb": job.verb})
        _end(client, job, "failed", str(_("Parlour could not finish this. Try again; the log says more.")))
    else:
        _end(client, job, "done")
    finally:
        beat.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beat


async def _beat(client: redis.Redis, job: Job, token: str, cancel: Callable[[], bool]) -> None:
    """Keep the lock, and hear of a cancellation. The calls are short, and nothing else runs on this loop."""
    while True:
        client.set(_lock_key(), token, px=int(LEASE_SECONDS * 1000))
        if client.getdel(_cancel_key(job.id)):
            cancel()
            return
        await asyncio.sleep(BEAT_SECONDS)


async def _pull(client: redis.Redis, job: Job) -> None:
    actor = await sync_to_async(User.objects.get)(pk=job.actor)
    # A model comes in several files; each step tells of one of them.
    parts: dict[str, tuple[int, int]] = {}
    written_at = 0.0
    steps = pull_model(actor=actor, server_id=uuid.UUID(job.server), name=job.model_name)
    async with aclosing(steps):
        async for progress in steps:
            job.step = progress.step
            if progress.total_bytes:
                parts[progress.step] = (progress.done_bytes, progress.total_bytes)
                job.done_bytes = sum(done for done, _total in parts.values())
                job.total_bytes = sum(total for _done, total in parts.values())
            if time.monotonic() - written_at >= PROGRESS_SECONDS:
                written_at = time.monotonic()
                _write(client, job)


async def _load(job: Job) -> None:
    def load() -> None:
        try:
            actor = User.objects.get(pk=job.actor)
            load_model(actor=actor, server_id=uuid.UUID(job.server), remote_name=job.model_name)
        finally:
            connection.close()

    # A thread of its own, so that the beat goes on beside it.
    await sync_to_async(load, thread_sensitive=False)()


def _next(client: redis.Redis) -> Job | None:
    active = [job for job in _read_all(client) if job.is_active]
    return min(active, key=lambda job: job.asked_at, default=None)


def _end(client: redis.Redis, job: Job, state: str, error: str = "") -> None:
    job.state, job.ended_at, job.error = state, time.time(), error
    _write(client, job)


def _read_all(client: redis.Redis) -> list[Job]:
    jobs, old = [], []
    for raw in client.hvals(_jobs_key()):
        job = _decode(raw)
        if not job.is_active and time.time() - job.ended_at > KEPT_SECONDS:
            old.append(job.id)
        else:
            jobs.append(job)
    if old:
        client.hdel(_jobs_key(), *old)
    return jobs


def _read(client: redis.Redis, job_id: str) -> Job | None:
    raw = client.hget(_jobs_key(), job_id)
    return _decode(raw) if raw else None


def _write(client: redis.Redis, job: Job) -> None:
    client.hset(_jobs_key(), job.id, msgspec.json.encode(job))


def _client() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5)


def _jobs_key() -> str:
    return f"{settings.REDIS_PREFIX}:jobs"


def _lock_key() -> str:
    return f"{settings.REDIS_PREFIX}:jobs:lock"


def _cancel_key(job_id: str) -> str:
    return f"{settings.REDIS_PREFIX}:jobs:cancel:{job_id}"
