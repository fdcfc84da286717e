"""The Celery application: queue `ingest` for documents, `default` for the rest."""

import ctypes
import os
import signal
from pathlib import Path

from celery import Celery, Task
from celery.signals import (
    before_task_publish,
    heartbeat_sent,
    task_postrun,
    task_prerun,
    worker_process_init,
    worker_process_shutdown,
)
from django.conf import settings

from inference import tracing

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("parlour")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# linux/prctl.h
PR_SET_PDEATHSIG = 1


@worker_process_init.connect  # type: ignore[untyped-decorator]
def end_with_parent(**_: object) -> None:
    """A pool process whose worker was killed would go on with its task beside the one that takes over."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


@worker_process_init.connect  # type: ignore[untyped-decorator]
def begin_tracing(**_: object) -> None:
    """In each pool process, since the threads that send spans do not survive a fork."""
    from config.tracing import start_tracing

    start_tracing("worker")


@worker_process_shutdown.connect  # type: ignore[untyped-decorator]
def end_tracing(**_: object) -> None:
    from config.tracing import stop_tracing

    stop_tracing()


@before_task_publish.connect  # type: ignore[untyped-decorator]
def send_trace(headers: dict[str, object], **_: object) -> None:
    """What is queued within a trace is part of it."""
    headers.update(tracing.current_headers())


@task_prerun.connect  # type: ignore[untyped-decorator]
def enter_task(task: Task, **_: object) -> None:
    if tracing.is_tracing():
        parent = getattr(task.request, "traceparent", None)
        task.request.span = tracing.span(task.name, headers={"traceparent": parent} if parent else None)
        task.request.span.__enter__()


@task_postrun.connect  # type: ignore[untyped-decorator]
def leave_task(task: Task, **_: object) -> None:
    if span := getattr(task.request, "span", None):
        span.__exit__(None, None, None)


@heartbeat_sent.connect  # type: ignore[untyped-decorator]
def touch_heartbeat_file(**_: object) -> None:
    """Leave a sign of life whose age an orchestrator's probe can read without a process or a question of its own.
    Heartbeats go on under any load, and end when the worker's loop hangs or has lost the broker."""
    if settings.WORKER_HEARTBEAT_FILE:
        Path(settings.WORKER_HEARTBEAT_FILE).touch()
