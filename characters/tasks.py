"""Celery tasks of the room, one call each."""

from celery import shared_task

from characters.assets.sweeping import remove_unnamed_files


@shared_task(soft_time_limit=1800, time_limit=1860)
def sweep_pictures() -> None:
    """Remove files that no character, version or persona names any more."""
    remove_unnamed_files()
