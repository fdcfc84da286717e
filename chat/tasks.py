"""Work that can wait: titles, folders that come in, what characters are used for."""

import uuid

from celery import shared_task

from chat.character_usage import count_usage
from chat.prompting.record import forget_old_records
from chat.sillytavern.reading import run_import
from chat.titles import write_title


@shared_task(expires=120, soft_time_limit=45, time_limit=60, acks_late=False)
def title_conversation(conversation_id: str) -> None:
    """Give a conversation a title that its first exchange suggests. A second run finds nothing to do."""
    write_title(uuid.UUID(conversation_id))


@shared_task(soft_time_limit=3500, time_limit=3600, acks_late=False)
def import_sillytavern(import_id: str) -> None:
    """Read a folder that somebody sent. A second run of one that has begun does nothing."""
    run_import(uuid.UUID(import_id))


@shared_task(expires=3000, soft_time_limit=280, time_limit=300)
def count_character_usage() -> None:
    """Add up the last thirty days of every character. A second run counts the same again."""
    count_usage()


@shared_task(expires=3000, soft_time_limit=280, time_limit=300)
def forget_old_prompts() -> None:
    """Delete what is kept of prompts longer than it should be. A second run finds nothing to do."""
    forget_old_records()
