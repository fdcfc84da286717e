"""The Celery application: queue `ingest` for documents, `default` for the rest."""

import ctypes
import os
import signal
from pathlib import Path

from celery import Celery
from celery.signals import heartbeat_sent, worker_process_init
from django.conf import settings

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


@heartbeat_sent.connect  # type: ignore[untyped-decorator]
def touch_heartbeat_file(**_: object) -> None:
    """Leave a sign of life whose age an orchestrator's probe can read without a process or a question of its own.
    Heartbeats go on under any load, and end when the worker's loop hangs or has lost the broker."""
    if settings.WORKER_HEARTBEAT_FILE:
        Path(settings.WORKER_HEARTBEAT_FILE).touch()
