"""Asking for long work on model servers (`inference.estate.jobs`), and calling it off."""

import uuid

from accounts.errors import NotAllowed, NotFound
from accounts.models import User
from inference.errors import ModelNameRefused, OperationUnsupported
from inference.estate import jobs
from inference.estate.operations import can_manage
from inference.models import Server, ServerKind
from inference.tasks import work_jobs

LONGEST_NAME = 200


def start_job(*, actor: User, verb: str, server_id: uuid.UUID, model_name: str) -> jobs.Job:
    """Ask for a model to be pulled ("pull") or brought into memory ("load") by a worker."""
    if not actor.is_staff:
        raise NotAllowed
    server = Server.objects.filter(pk=server_id).first()
    if server is None:
        raise NotFound
    if not can_manage(server):
        raise OperationUnsupported(server.name, ServerKind(server.kind).label)
    name = model_name.strip()
    if not name or len(name) > LONGEST_NAME or any(letter.isspace() for letter in name):
        raise ModelNameRefused
    job = jobs.add_job(verb=verb, server_id=server.pk, model_name=name, actor_id=actor.pk)
    work_jobs.delay()
    return job


def cancel_job(*, actor: User, job_id: str) -> None:
    """End a job as soon as may be; harmless when it is over."""
    if not actor.is_staff:
        raise NotAllowed
    jobs.end_job(job_id)
