"""Celery's entry points to the ingest. A task names no document: it is a wake-up call, and `claims` decides
whose turn it is, which keeps the queue fair and a lost or doubled message harmless.
"""

from celery import shared_task
from django.core.files.storage import default_storage

from documents import claims, ingest

# Longer than any document should take; beyond it the worker's child is ended and the sweep calls again.
INGEST_SECONDS_MAX = 3500
# Beat's interval, and how many workers one sweep may wake.
SWEEP_SECONDS = 10
SWEEP_WAKES_MAX = 8


# Its queue is `ingest`, see CELERY_TASK_ROUTES: minutes of reading must not hold up the quick tasks.
@shared_task(time_limit=INGEST_SECONDS_MAX)
def ingest_next_document() -> None:
    """Ingest whichever document is next, if any waits."""
    ingest.ingest_next()


@shared_task(expires=SWEEP_SECONDS)
def wake_ingest() -> None:
    """Call for every document that nobody works on: its worker was killed, its message lost, or its wait is over.

    Calls nobody takes within the interval expire, so a long queue does not fill up with them.
    """
    waiting = claims.claimable()[:SWEEP_WAKES_MAX].count()
    for _ in range(waiting):
        ingest_next_document.apply_async(expires=SWEEP_SECONDS)


@shared_task(autoretry_for=(Exception,), retry_backoff=5, max_retries=8)
def delete_blob(name: str) -> None:
    """Remove a deleted document's file; one that is gone already is fine."""
    default_storage.delete(name)
