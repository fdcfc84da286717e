"""The page of one server: whether it answers, what is on it, and what is being done to it. Views only.

Every change is a form that works without a script; what takes long is a job (`inference.estate.jobs`), whose
progress the page fetches again while it is open.
"""

import uuid
from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from accounts.errors import ParlourError
from accounts.models import User
from inference.admin.estate import actor_of
from inference.estate.health import ServerHealth, read_health
from inference.estate.jobs import Job, list_jobs
from inference.estate.operations import can_manage, delete_model, list_loaded_models, unload_model
from inference.estate.work import cancel_job, start_job
from inference.figures.words import say_seconds
from inference.services import diagnose_server, refresh_models

# While something moves, and while nothing does.
BUSY_SECONDS, CALM_SECONDS = 1, 10


@dataclass(frozen=True, slots=True)
class JobShown:
    """A job in words; `value` of `most` is the bar, None where it is not known how far it is."""

    job: Job
    title: str
    sentence: str
    value: int | None
    most: int


def care_context(request: HttpRequest, server_id: uuid.UUID) -> dict[str, object]:
    """What the page of a server shows."""
    health = _health_of(server_id)
    jobs = [_shown(job) for job in list_jobs(server_id)]
    manages = can_manage(health.server)
    return {
        "health": health,
        "server": health.server,
        "manages": manages,
        "loaded": _loaded(actor_of(request), health) if manages else frozenset(),
        "jobs": jobs,
        "every": BUSY_SECONDS if any(shown.job.is_active for shown in jobs) else CALM_SECONDS,
    }


def act_on_server(request: HttpRequest, server_id: uuid.UUID) -> HttpResponse:
    """Do what a button of the page says, and show the page again with what came of it."""
    actor, verb, name = actor_of(request), request.POST.get("verb", ""), request.POST.get("name", "")
    try:
        is_ok, sentence = _act(actor, server_id, verb, name)
    except ParlourError as error:
        is_ok, sentence = False, str(error.user_message)
    if sentence:
        messages.add_message(request, messages.SUCCESS if is_ok else messages.ERROR, sentence)
    return redirect(request.path)


def _act(actor: User, server_id: uuid.UUID, verb: str, name: str) -> tuple[bool, str]:
    match verb:
        case "test":
            diagnosis = diagnose_server(actor=actor, server_id=server_id)
            return diagnosis.is_ok, str(diagnosis.sentence)
        case "refresh":
            diagnosis = refresh_models(actor=actor, server_id=server_id)
            return diagnosis.is_ok, str(diagnosis.sentence)
        case "pull" | "load":
            start_job(actor=actor, verb=verb, server_id=server_id, model_name=name)
            return True, ""
        case "cancel":
            cancel_job(actor=actor, job_id=name)
            return True, ""
        case "unload":
            unload_model(actor=actor, server_id=server_id, remote_name=name)
            return True, _("%(model)s no longer takes memory.") % {"model": name}
        case "delete":
            delete_model(actor=actor, server_id=server_id, remote_name=name)
            return True, _("%(model)s is deleted from the server.") % {"model": name}
    raise Http404


def _health_of(server_id: uuid.UUID) -> ServerHealth:
    for server in read_health(server_id).servers:
        return server
    raise Http404


def _loaded(actor: User, health: ServerHealth) -> frozenset[str]:
    if health.state != "ready":
        return frozenset()
    try:
        return list_loaded_models(actor=actor, server_id=health.server.pk)
    except ParlourError:
        # The page says already that the server does not answer, or will at the next look.
        return frozenset()


def _shown(job: Job) -> JobShown:
    titles = {"pull": _("Pull %(model)s"), "load": _("Load %(model)s")}
    is_known = job.state == "running" and job.total_bytes > 0
    return JobShown(
        job=job,
        title=titles[job.verb] % {"model": job.model_name},
        sentence=_sentence(job),
        value=job.done_bytes if is_known else None,
        most=max(1, job.total_bytes),
    )


def _sentence(job: Job) -> str:
    match job.state:
        case "waiting":
            return _("Waits for a worker.")
        case "failed":
            return job.error
        case "cancelled":
            return (
                _("Cancelled. Pulled again, it goes on where it stopped.")
                if job.verb == "pull"
                else _("Cancelled.")
            )
        case "done":
            return _("Done.")
    if not job.total_bytes:
        return job.step or _("Under way.")
    sentence = _("%(done)s of %(total)s") % {
        "done": filesizeformat(job.done_bytes),
        "total": filesizeformat(job.total_bytes),
    }
    left = job.seconds_left
    return (
        _("%(done)s, about %(time)s left") % {"done": sentence, "time": say_seconds(max(1.0, round(left)))}
        if left
        else sentence
    )
