"""The rows of limits as plain rules, read together with the estate."""

import uuid
from collections.abc import Iterable
from typing import cast

from accounts.models import User
from inference.models import Limit, Measure
from inference.types import Counted, LimitRule, Scope, Span

# Amounts of money are counted in millionths, so that Redis adds whole numbers.
MICRO = 1_000_000


def read_rules() -> tuple[LimitRule, ...]:
    """Every limit that is on; one query, and one more where a group has limits."""
    rows = list(Limit.objects.filter(is_enabled=True).select_related("group").order_by("created_at"))
    members = _members(row.group_id for row in rows if row.group_id is not None)
    return tuple(_rule(row, members) for row in rows)


def rules_for_model(rules: Iterable[LimitRule], model_id: uuid.UUID) -> tuple[LimitRule, ...]:
    """Those that count the use of this model."""
    return tuple(rule for rule in rules if rule.model_id in (None, model_id))


def _members(group_ids: Iterable[int]) -> dict[int, frozenset[uuid.UUID]]:
    wanted = set(group_ids)
    if not wanted:
        return {}
    found: dict[int, set[uuid.UUID]] = {group_id: set() for group_id in wanted}
    pairs = User.objects.filter(groups__in=wanted).values_list("groups", "pk")
    for group_id, user_id in pairs:
        found[group_id].add(user_id)
    return {group_id: frozenset(users) for group_id, users in found.items()}


def rule_of(row: Limit) -> LimitRule:
    """One row as a rule."""
    return _rule(row, _members([row.group_id] if row.group_id is not None else []))


def _rule(row: Limit, members: dict[int, frozenset[uuid.UUID]]) -> LimitRule:
    return LimitRule(
        id=row.pk,
        # The rows' choices are the rule's words.
        scope=cast(Scope, row.scope),
        measure=cast(Counted, row.measure),
        period=cast(Span, row.period),
        amount=int(row.amount * MICRO) if row.measure == Measure.COST else int(row.amount),
        model_id=row.model_id,
        user_id=row.user_id,
        group_id=row.group_id,
        group_name=row.group.name if row.group else "",
        members=members.get(row.group_id, frozenset()) if row.group_id is not None else frozenset(),
        api_key_id=row.api_key_id,
    )
