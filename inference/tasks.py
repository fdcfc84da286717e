"""Work on a clock: keeping the list of servers and models fresh."""

import uuid

from celery import shared_task

from inference.estate import readings
from inference.estate.jobs import run_jobs
from inference.figures.usage import roll_up_usage
from inference.model_files.fetching import abandoned_fetches, run_create, run_fetch
from inference.services import refresh_servers, register_configured_servers

REFRESH_SECONDS = 60


# A run that is late is of no use to anybody: the next one does the same.
@shared_task(expires=REFRESH_SECONDS, soft_time_limit=110, time_limit=120, acks_late=False)
def refresh_estate() -> None:
    """Ask every server for its models. Two runs at once write the same."""
    register_configured_servers()
    refresh_servers()
    for file_id in abandoned_fetches():
        begin_fetch(file_id)


# Gigabytes over a slow line; a run beside another one leaves at once.
@shared_task(acks_late=False, time_limit=24 * 3600)
def fetch_model_file(file_id: str) -> None:
    """Fetch a model file, and serve it where that was asked."""
    run_fetch(uuid.UUID(file_id))


def begin_fetch(file_id: uuid.UUID) -> None:
    """Hand a file to a worker."""
    fetch_model_file.delay(str(file_id))


@shared_task(acks_late=False, time_limit=24 * 3600)
def create_model(actor_id: str, file_id: str, server_id: str) -> None:
    """Give a model file to an Ollama server."""
    run_create(uuid.UUID(actor_id), uuid.UUID(file_id), uuid.UUID(server_id))


def begin_create(*, actor_id: uuid.UUID, file_id: uuid.UUID, server_id: uuid.UUID) -> None:
    """Hand that to a worker."""
    create_model.delay(str(actor_id), str(file_id), str(server_id))


# Every day is a transaction of its own: what one run does not get to, the next one does.
@shared_task(expires=3600, soft_time_limit=600, time_limit=660, acks_late=False)
def add_up_usage() -> None:
    """Add up the days of usage that are over, for the dashboard."""
    roll_up_usage()


# A large model takes hours over a slow line. One that comes while another is at work returns at once, so beat may
# ask as often as it likes: that is how the jobs of a worker that died are taken up again.
@shared_task(expires=60, acks_late=False)
def work_jobs() -> None:
    """Do the jobs that people asked of model servers."""
    run_jobs()


@shared_task(expires=15, soft_time_limit=50, time_limit=60, acks_late=False)
def read_servers() -> None:
    """Ask the servers how busy they are."""
    readings.read_servers()
