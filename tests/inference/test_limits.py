"""Limits: who is concerned, what counts, what a refusal says, and that nothing is forgotten with Redis."""

import uuid
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.services import create_api_key
from inference.errors import LimitReached
from inference.models import Limit, LimitScope, Measure, Period, Usage
from inference.queries import forget_estate, limits_on
from inference.routing import limits
from inference.routing.limits import used_now, window_of
from inference.routing.metering import count_query
from inference.routing.rules import rule_of
from inference.services import record_usage
from inference.types import Call, Caller
from tests.inference.conftest import add_model

# Counts that Redis has lost are added up on a thread of its own, which sees only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada() -> User:
    add_model("talker", prompt_price=Decimal(1000), completion_price=Decimal(2000))
    return User.objects.create_user("ada@example.com", "a long password")


@pytest.fixture
def bo() -> User:
    return User.objects.create_user("bo@example.com", "a long password")


def limit(amount: int | str, **fields: object) -> Limit:
    return Limit.objects.create(amount=Decimal(amount), **fields)


def ask(user: User, key: uuid.UUID | None = None, model: str = "talker") -> None:
    """One request, as far as limits see it."""
    async_to_sync(limits.admit)(limits_on(model), Caller(user.pk, key))


def use(user: User, *, tokens: int = 0, key: uuid.UUID | None = None, **more: object) -> None:
    call = Call(
        user_id=user.pk,
        model_name="talker",
        prompt_tokens=tokens,
        completion_tokens=0,
        first_token_seconds=None,
        duration_seconds=1.0,
        api_key_id=key,
        **more,
    )
    record_usage([call])


def test_requests_beyond_the_limit_are_refused_and_told_until_when(ada, bo):
    limit(2)
    ask(ada)
    ask(ada)
    with pytest.raises(LimitReached) as refused:
        ask(ada)
    assert "today, 2 requests" in str(refused.value.user_message)
    assert 0 < refused.value.retry_after_seconds <= 25 * 3600
    # Everyone has a count of their own.
    ask(bo)


def test_tokens_and_cost_count_when_an_answer_has_ended(ada):
    limit(100, measure=Measure.TOKENS)
    limit("0.5", measure=Measure.COST, period=Period.MONTH)
    ask(ada)
    use(ada, tokens=60)
    ask(ada)
    use(ada, tokens=60)
    with pytest.raises(LimitReached, match="100 tokens"):
        ask(ada)


def test_cost_is_counted_at_the_models_prices(ada):
    limit("0.1", measure=Measure.COST, period=Period.MONTH)
    ask(ada)
    use(ada, tokens=100)
    with pytest.raises(LimitReached, match=r"this month, 0\.1 of cost"):
        ask(ada)


def test_kept_answers_cost_nothing(ada):
    limit(100, measure=Measure.TOKENS)
    ask(ada)
    use(ada, tokens=500, is_cached=True)
    ask(ada)


def test_limit_of_one_person_concerns_nobody_else(ada, bo):
    limit(0, scope=LimitScope.USER, user=ada)
    with pytest.raises(LimitReached):
        ask(ada)
    ask(bo)


def test_group_shares_one_limit_and_members_have_their_own(ada, bo):
    group = Group.objects.create(name="writers")
    group.user_set.add(ada, bo)
    shared = limit(2, scope=LimitScope.GROUP, group=group)
    ask(ada)
    ask(bo)
    with pytest.raises(LimitReached, match="The group “writers”"):
        ask(ada)
    assert used_now(rule_of(shared)) == 2
    shared.delete()
    limit(1, scope=LimitScope.MEMBERS, group=group)
    forget_estate()
    ask(ada)
    ask(bo)
    with pytest.raises(LimitReached):
        ask(bo)


def test_limit_of_a_key_counts_only_that_key(ada):
    row, _key = create_api_key(actor=ada, name="script")
    limit(1, scope=LimitScope.KEY, api_key=row)
    ask(ada, row.pk)
    with pytest.raises(LimitReached, match="This API key"):
        ask(ada, row.pk)
    ask(ada)


def test_try_of_a_character_over_the_limit_is_told_when_to_come_back(client: Client, ada):
    limit(1)
    forget_estate()
    client.force_login(ada, backend="allauth.account.auth_backends.AuthenticationBackend")
    body = {"fields": {"name": "Mira"}, "messages": [{"role": "user", "text": "Hello"}]}
    answers = [client.post("/characters/preview", body, "application/json") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].json()["error"]["code"] == "limit_reached"
    assert 0 < int(answers[1]["Retry-After"]) <= 25 * 3600


def test_search_by_a_key_is_a_request_of_that_key(client: Client, ada):
    row, key = create_api_key(actor=ada, name="script")
    ask_documents = {"path": "/api/v1/search", "data": {"query": "tide"}, "content_type": "application/json"}
    count_query(user_id=ada.pk, api_key_id=row.pk)
    assert not Usage.objects.exists()
    limit(1, scope=LimitScope.KEY, api_key=row)
    forget_estate()
    count_query(user_id=ada.pk, api_key_id=row.pk)
    answer = client.post(**ask_documents, headers={"Authorization": f"Bearer {key}"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "limit_reached")
    assert int(answer["Retry-After"]) > 0
    # A person's own search on the pages is free.
    count_query(user_id=ada.pk, api_key_id=None)
    assert Usage.objects.count() == 1


def test_limit_of_one_model_leaves_the_others_free(ada):
    other = add_model("other")
    limit(0, model=other)
    ask(ada)
    with pytest.raises(LimitReached):
        ask(ada, model="other")


def test_one_refusal_counts_in_no_other_limit(ada):
    wide, narrow = limit(10, scope=LimitScope.USER, user=ada), limit(0)
    with pytest.raises(LimitReached):
        ask(ada)
    narrow.delete()
    forget_estate()
    assert used_now(rule_of(wide)) == 0


def test_counts_lost_by_redis_are_added_up_from_the_rows(ada, redis_client):
    requests, tokens = limit(3), limit(1000, measure=Measure.TOKENS)
    for _ in range(2):
        ask(ada)
        use(ada, tokens=10)
    use(ada, error_code=LimitReached.code)
    redis_client.flushdb()
    ask(ada)
    with pytest.raises(LimitReached):
        ask(ada)
    redis_client.flushdb()
    assert rule_of(requests).subject_for(Caller(ada.pk)) == str(ada.pk)
    requests.delete()
    Limit.objects.filter(pk=tokens.pk).update(amount=20)
    forget_estate()
    with pytest.raises(LimitReached):
        ask(ada)


def test_person_whom_no_limit_concerns_costs_nothing(ada, bo, redis_client):
    limit(5, scope=LimitScope.USER, user=ada)
    ask(bo)
    before = redis_client.info("stats")["total_commands_processed"]
    ask(bo)
    use(bo, tokens=10)
    assert redis_client.info("stats")["total_commands_processed"] - before <= 2


@pytest.mark.parametrize(
    ("period", "length"),
    [("minute", timedelta(minutes=1)), ("hour", timedelta(hours=1)), ("day", timedelta(days=1))],
)
def test_windows_are_those_of_the_calendar(period, length):
    now = timezone.make_aware(datetime(2026, 2, 28, 13, 37, 21))
    window = window_of(period, now)
    assert window.begins_at <= now < window.ends_at
    assert window.ends_at - window.begins_at == length


def test_month_ends_with_the_month():
    window = window_of("month", timezone.make_aware(datetime(2026, 1, 31, 13, 37)))
    assert (window.begins_at.day, window.ends_at.month, window.ends_at.day) == (1, 2, 1)
    window = window_of("month", timezone.make_aware(datetime(2026, 12, 2)))
    assert (window.ends_at.year, window.ends_at.month, window.ends_at.day) == (2027, 1, 1)


def test_administrator_sets_a_limit_and_sees_what_is_used(client: Client, administrator: User, ada: User):
    client.force_login(administrator)
    add = reverse("admin:inference_limit_add")
    fields = {"measure": "requests", "period": "day", "amount": "3", "is_enabled": "on"}
    page = client.post(add, {**fields, "scope": "user"})
    assert "Choose whom this limit is for." in page.content.decode()
    page = client.post(add, {**fields, "scope": "everyone", "amount": "1.5"})
    assert "Enter a whole number." in page.content.decode()
    client.post(add, {**fields, "scope": "user", "user": str(ada.pk)})
    ask(ada)
    page = client.get(reverse("admin:inference_limit_changelist")).content.decode()
    assert "3 Requests / Day" in page
    assert '<td class="field-used">1</td>' in page


def test_somebody_without_the_right_sets_no_limit(client: Client, ada: User):
    ada.is_staff = True
    ada.save()
    client.force_login(ada)
    assert client.get(reverse("admin:inference_limit_add")).status_code == 403
