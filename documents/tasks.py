"""Celery's entry points to the ingest. A task names no document: it is a wake-up call, and `claims` decides
whose turn it is, which keeps the queue fair and a lost or doubled message harmless.
"""

from functools import cache

from celery import shared_task
from django.conf import settings
from redis import Redis

from documents import blobs, removal
from documents.ingest import claims, reembedding
from documents.ingest import pipeline as ingest
from documents.intake import watching

# Longer than any document should take; beyond it the worker's child is ended and the sweep calls again.
INGEST_SECONDS_MAX = 3500
# Beat's interval, and how many workers one sweep may wake.
SWEEP_SECONDS = 10
SWEEP_WAKES_MAX = 8
# Stands in Redis from a call until somebody answers it.
_CALL = f"{settings.REDIS_PREFIX}:documents:call"


@cache
def _redis() -> Redis:
    """One pool for the process: Django's cache has one for each thread, and every request is a thread of its own."""
    return Redis.from_url(settings.REDIS_URL, socket_timeout=5)


def call_for_ingest() -> None:
    """Have somebody take up what was just queued; call on commit.

    A call that nobody has answered yet will find it, so a thousand uploads at once need no thousand calls.
    """
    if _redis().set(_CALL, "", nx=True, ex=SWEEP_SECONDS):
        ingest_next_document.delay()


# Its queue is `ingest`, see CELERY_TASK_ROUTES: minutes of reading must not hold up the quick tasks.
@shared_task(time_limit=INGEST_SECONDS_MAX)
def ingest_next_document() -> None:
    """Ingest whichever documents are next, if any wait, and call for the next if others do."""
    # Before the claim: whatever is queued from now on calls again.
    _redis().delete(_CALL)
    if ingest.ingest_next() is None:
        return
    wait_seconds = claims.next_wait_seconds()
    if wait_seconds is not None and wait_seconds < SWEEP_SECONDS:
        ingest_next_document.apply_async(countdown=wait_seconds, expires=wait_seconds + SWEEP_SECONDS)


@shared_task(expires=SWEEP_SECONDS, time_limit=INGEST_SECONDS_MAX)
def continue_reembedding() -> None:
    """Go on with the vectors of a newly chosen embedding model, if there are any to make."""
    reembedding.continue_reembedding()


@shared_task(expires=SWEEP_SECONDS)
def wake_ingest() -> None:
    """Call for every document that nobody works on: its worker was killed, its message lost, or its wait is over.

    Calls nobody takes within the interval expire, so a long queue does not fill up with them.
    """
    waiting = claims.claimable()[:SWEEP_WAKES_MAX].count()
    for _ in range(waiting):
        ingest_next_document.apply_async(expires=SWEEP_SECONDS)


@shared_task
def sweep_blobs() -> None:
    """Remove the files of deleted documents, of people who are gone and of uploads that were given up."""
    blobs.drop_stale_uploads()
    blobs.remove_orphans()


@shared_task
def remove_unsent() -> None:
    """Remove the files that were put into a chat's composer and never sent."""
    removal.remove_unsent()


@shared_task(expires=60)
def watch_container() -> None:
    """See what is new in the watched container, where there is one."""
    watching.look_at_container()
