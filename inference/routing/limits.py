"""What somebody may use in a period: asked before a request, counted after it.

Counts live in Redis, one number per rule, subject and period, so that all processes see the same at once. Requests
count when they are let in; tokens and cost when the answer has ended, so what runs at that moment may exceed a
limit once. A day's or a month's count that Redis has lost is added up anew from the rows of usage. A caller whom no
rule concerns costs nothing here.
"""

import asyncio
import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache

from django.conf import settings
from django.db import connections
from django.db.models import Q, QuerySet, Sum
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import RedisError

from inference.errors import LimitReached
from inference.models import Usage
from inference.routing.rules import MICRO
from inference.types import Caller, LimitRule

logger = logging.getLogger(__name__)

# Longer than the window, so that a clock that is behind still finds its count.
SPARE_SECONDS = 120

# KEYS: counts. ARGV: for each its limit, and 1 where it counts requests. Returns how many stand (0) or the number
# of the first one that is used up, or minus the number of the first one that is missing. Lets in all or none.
_ADMIT = """
for at, key in ipairs(KEYS) do
  local used = redis.call('GET', key)
  if not used then return -at end
  if tonumber(used) >= tonumber(ARGV[2 * at - 1]) then return at end
end
for at, key in ipairs(KEYS) do
  if ARGV[2 * at] == '1' then redis.call('INCR', key) end
end
return 0
"""
# A count that is not there is added up from rows when it is asked for, this use included.
_CHARGE = """
for at, key in ipairs(KEYS) do
  if redis.call('EXISTS', key) == 1 then redis.call('INCRBY', key, ARGV[at]) end
end
"""


@dataclass(frozen=True, slots=True)
class Window:
    """One period of the calendar."""

    begins_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class _Count:
    """A rule as it concerns one caller now."""

    rule: LimitRule
    subject: str
    window: Window

    @property
    def key(self) -> str:
        return (
            f"{settings.REDIS_PREFIX}:limit:{self.rule.id}:{self.subject}:{self.window.begins_at:%Y%m%d%H%M}"
        )

    @property
    def seconds_left(self) -> float:
        return max(1.0, (self.window.ends_at - timezone.now()).total_seconds())


async def admit(rules: Sequence[LimitRule], caller: Caller) -> None:
    """Count one request of the caller, or raise `LimitReached` and count nothing."""
    counts = _counts_of(rules, caller)
    if not counts:
        return
    arguments = [value for count in counts for value in _admission(count)]
    keys = [count.key for count in counts]
    try:
        async with AsyncRedis.from_url(settings.REDIS_URL) as redis:
            while (answer := int(await redis.eval(_ADMIT, len(keys), *keys, *arguments))) < 0:
                missing = counts[-answer - 1]
                used = await asyncio.to_thread(_add_up_in_thread, missing)
                await redis.set(missing.key, used, nx=True, ex=int(missing.seconds_left) + SPARE_SECONDS)
    except (RedisError, OSError) as error:
        # Without Redis no reply can be told either; what little gets through is counted from the rows later.
        logger.warning("Limits cannot be asked: %s", type(error).__name__)
        return
    if answer > 0:
        raise _refusal(counts[answer - 1])


def charge(rules: Sequence[LimitRule], caller: Caller, *, tokens: int, cost: Decimal) -> None:
    """Count what an answer took. To be called once its row of usage is committed."""
    amounts = {"tokens": tokens, "cost": int(cost * MICRO)}
    counts = [count for count in _counts_of(rules, caller) if amounts.get(count.rule.measure)]
    if not counts:
        return
    used = [amounts[count.rule.measure] for count in counts]
    try:
        _redis().eval(_CHARGE, len(counts), *(count.key for count in counts), *used)
    except (RedisError, OSError) as error:
        logger.warning("An answer is not counted yet: %s", type(error).__name__)


def used_now(rule: LimitRule) -> int | None:
    """How much of the rule is used in the running period; None for a rule under which everybody has their own."""
    match rule.scope:
        case "user":
            subject = str(rule.user_id)
        case "group":
            subject = f"group-{rule.group_id}"
        case "key":
            subject = f"key-{rule.api_key_id}"
        case _:
            return None
    count = _Count(rule, subject, window_of(rule.period, timezone.now()))
    used = _redis().get(count.key)
    return int(used) if used is not None else _add_up(count)


def window_of(period: str, now: datetime) -> Window:
    """The window of the calendar, in the house's time zone, that `now` is in."""
    now = timezone.localtime(now)
    match period:
        case "minute":
            begins_at = now.replace(second=0, microsecond=0)
            return Window(begins_at, begins_at + timedelta(minutes=1))
        case "hour":
            begins_at = now.replace(minute=0, second=0, microsecond=0)
            return Window(begins_at, begins_at + timedelta(hours=1))
        case "day":
            begins_at = now.replace(hour=0, minute=0, second=0, microsecond=0)
            return Window(begins_at, _midnight_after(begins_at, days=1))
        case _:
            begins_at = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
            next_month = _midnight_after(begins_at, days=32)
            return Window(begins_at, next_month.replace(day=1))


def _midnight_after(day: datetime, *, days: int) -> datetime:
    # By the calendar: a day on which clocks change has 23 or 25 hours.
    naive = (day + timedelta(days=days)).replace(tzinfo=None, hour=0)
    return timezone.make_aware(naive)


@cache
def _redis() -> Redis:
    # redis-py opens new connections after a fork by itself.
    return Redis.from_url(settings.REDIS_URL)


def _counts_of(rules: Sequence[LimitRule], caller: Caller) -> list[_Count]:
    concerned = [(rule, rule.subject_for(caller)) for rule in rules]
    now = timezone.now()
    return [
        _Count(rule, subject, window_of(rule.period, now))
        for rule, subject in concerned
        if subject is not None
    ]


def _admission(count: _Count) -> tuple[int, int]:
    return count.rule.amount, int(count.rule.measure == "requests")


def _add_up_in_thread(count: _Count) -> int:
    try:
        return _add_up(count)
    finally:
        connections.close_all()


def _add_up(count: _Count) -> int:
    """What the rows of usage say was used in this window."""
    rows = _rows_of(count).filter(created_at__gte=count.window.begins_at)
    if count.rule.measure == "requests":
        return rows.exclude(error_code=LimitReached.code).count()
    fresh = rows.filter(is_cached=False)
    if count.rule.measure == "cost":
        return int((fresh.aggregate(sum=Sum("cost"))["sum"] or 0) * MICRO)
    sums = fresh.aggregate(prompt=Sum("prompt_tokens"), completion=Sum("completion_tokens"))
    return (sums["prompt"] or 0) + (sums["completion"] or 0)


def _rows_of(count: _Count) -> QuerySet[Usage]:
    rule = count.rule
    of_model = Q() if rule.model_id is None else Q(model_id=rule.model_id)
    match rule.scope:
        case "group":
            return Usage.objects.filter(of_model, user_id__in=rule.members)
        case "key":
            return Usage.objects.filter(of_model, api_key_id=rule.api_key_id)
        case _:
            return Usage.objects.filter(of_model, user_id=uuid.UUID(count.subject))


def _refusal(count: _Count) -> LimitReached:
    seconds = count.seconds_left
    sentence = f"{_describe(count.rule)} {_describe_reset(count.window, seconds)}"
    return LimitReached(sentence, retry_after_seconds=seconds)


def _describe(rule: LimitRule) -> str:
    period = {
        "minute": _("this minute"),
        "hour": _("this hour"),
        "day": _("today"),
        "month": _("this month"),
    }[rule.period]
    if rule.measure == "cost":
        amount = _("%(amount)s of cost") % {"amount": f"{Decimal(rule.amount) / MICRO:f}"}
    elif rule.measure == "tokens":
        amount = ngettext("%(count)s token", "%(count)s tokens", rule.amount) % {"count": f"{rule.amount:,}"}
    else:
        amount = ngettext("%(count)s request", "%(count)s requests", rule.amount) % {
            "count": f"{rule.amount:,}"
        }
    values = {"amount": amount, "period": period, "group": rule.group_name}
    if rule.scope == "group":
        return _("The group “%(group)s” has used its limit for %(period)s, %(amount)s.") % values
    if rule.scope == "key":
        return _("This API key has used its limit for %(period)s, %(amount)s.") % values
    return _("You have used your limit for %(period)s, %(amount)s.") % values


def _describe_reset(window: Window, seconds: float) -> str:
    if seconds < 90:
        count = round(seconds)
        return ngettext(
            "It begins anew in %(count)s second.", "It begins anew in %(count)s seconds.", count
        ) % {"count": count}
    if seconds < 3600:
        count = round(seconds / 60)
        return ngettext(
            "It begins anew in %(count)s minute.", "It begins anew in %(count)s minutes.", count
        ) % {"count": count}
    ends_at = timezone.localtime(window.ends_at)
    when = date_format(ends_at, "j F, H:i")
    return _("It begins anew on %(when)s.") % {"when": when}
