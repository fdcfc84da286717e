"""Work that can wait: titles."""

import uuid

from celery import shared_task

from chat.titles import write_title


@shared_task(expires=120, soft_time_limit=45, time_limit=60, acks_late=False)
def title_conversation(conversation_id: str) -> None:
    """Give a conversation a title that its first exchange suggests. A second run finds nothing to do."""
    write_title(uuid.UUID(conversation_id))
