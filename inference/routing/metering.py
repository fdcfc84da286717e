"""Questions to documents that programs ask: each is a request of the embedding model, within the limits of its key.

A person's searches on the pages are the house's own and cost them nothing.
"""

import uuid

from asgiref.sync import async_to_sync
from django.conf import settings

from inference.queries import limits_on
from inference.routing.limits import admit
from inference.services import record_usage
from inference.types import Call, Caller


def count_query(*, user_id: uuid.UUID, api_key_id: uuid.UUID | None) -> None:
    """Count one question, or raise `LimitReached`. Free where no key asks, or no limit concerns its caller."""
    if api_key_id is None:
        return
    name, caller = settings.EMBEDDING_MODEL, Caller(user_id, api_key_id)
    rules = [rule for rule in limits_on(name) if rule.subject_for(caller) is not None]
    if not rules:
        return
    async_to_sync(admit)(rules, caller)
    # What Redis counts is added up from rows where it is lost.
    question = Call(
        user_id=user_id,
        api_key_id=api_key_id,
        model_name=name,
        prompt_tokens=0,
        completion_tokens=0,
        first_token_seconds=None,
        duration_seconds=0.0,
    )
    record_usage([question])
