"""What administrators write about limits."""

import uuid
from collections.abc import Sequence

from django.db import transaction

from accounts import audit
from accounts.errors import NotAllowed
from accounts.models import User
from inference.models import Limit
from inference.queries import forget_estate


def save_limit(*, actor: User, limit: Limit) -> Limit:
    """Write a new or changed limit; it counts at once here, and within seconds in other processes."""
    if not actor.has_perm("inference.add_limit" if limit._state.adding else "inference.change_limit"):
        raise NotAllowed
    with transaction.atomic():
        limit.save()
        audit.record(actor=actor, verb="save_limit", target=limit)
        transaction.on_commit(forget_estate)
    return limit


def delete_limits(*, actor: User, limit_ids: Sequence[uuid.UUID]) -> None:
    """Lift limits for good."""
    if not actor.has_perm("inference.delete_limit"):
        raise NotAllowed
    with transaction.atomic():
        for limit in Limit.objects.filter(pk__in=limit_ids):
            audit.record(actor=actor, verb="delete_limit", target=limit)
            limit.delete()
        transaction.on_commit(forget_estate)
