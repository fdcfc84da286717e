"""Work on a clock: keeping the list of servers and models fresh."""

from celery import shared_task

from inference.services import refresh_servers, register_configured_servers
from inference.usage import roll_up_usage

REFRESH_SECONDS = 60


# A run that is late is of no use to anybody: the next one does the same.
@shared_task(expires=REFRESH_SECONDS, soft_time_limit=110, time_limit=120, acks_late=False)
def refresh_estate() -> None:
    """Ask every server for its models. Two runs at once write the same."""
    register_configured_servers()
    refresh_servers()


# Every day is a transaction of its own: what one run does not get to, the next one does.
@shared_task(expires=3600, soft_time_limit=600, time_limit=660, acks_late=False)
def add_up_usage() -> None:
    """Add up the days of usage that are over, for the dashboard."""
    roll_up_usage()
