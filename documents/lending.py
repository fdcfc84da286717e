"""Collections that another room lends: a character's knowledge is read by whoever may talk to the character.

The rooms above know who may do that and say so here when they are loaded; this room knows none of them.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db.models import Q, QuerySet

if TYPE_CHECKING:
    from accounts.models import User

Lender = Callable[["User"], "QuerySet[Any]"]

_lenders: list[Lender] = []


def add_lender(lender: Lender) -> None:
    """From now on the collections (or their ids) that `lender` gives for a user are lent to that user."""
    _lenders.append(lender)


def lent_to(user: "User") -> Q:
    """The condition on collections that somebody lends to this user; none is met without a lender."""
    condition = Q(pk__in=[])
    for lender in _lenders:
        condition |= Q(pk__in=lender(user))
    return condition
