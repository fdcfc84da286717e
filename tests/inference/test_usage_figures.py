"""The dashboard's figures are those of the calls, whether days are added up yet or not."""

import random
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from accounts.models import User
from inference.figures.usage import (
    Figures,
    Period,
    UsageQuestion,
    list_used_models,
    read_usage,
    roll_up_usage,
)
from inference.models import Model, Usage, UsageDay
from inference.services import record_usage
from inference.types import Call

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 20, 15, 30, tzinfo=UTC)


def add_call(when: datetime, user: User | None = None, *, model: str = "talker", **fields: object) -> Usage:
    known = {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "first_token_seconds": 0.5,
        "duration_seconds": 3.0,
        "cost": Decimal("0.25"),
    }
    return Usage.objects.create(created_at=when, user=user, model_name=model, **{**known, **fields})


@pytest.fixture
def people() -> list[User]:
    return [User.objects.create_user(f"person{n}@example.com", None) for n in range(3)]


@pytest.fixture
def calls(people: list[User]) -> list[Usage]:
    """Some hundred calls of 40 days, of all sorts."""
    dice = random.Random(7)
    made = []
    for _ in range(300):
        has_failed, is_kept = dice.random() < 0.1, dice.random() < 0.1
        made.append(
            add_call(
                NOW - timedelta(days=dice.random() * 40),
                dice.choice([*people, None]),
                model=dice.choice(["talker", "thinker"]),
                prompt_tokens=dice.randrange(2000),
                completion_tokens=dice.randrange(500),
                first_token_seconds=None if has_failed else dice.random() * 2,
                duration_seconds=2 + dice.random() * 10,
                cost=dice.choice([None, Decimal("0.5")]),
                error_code="stream_cut" if has_failed else "",
                is_cached=is_kept and not has_failed,
            )
        )
    return made


def sums(figures: Figures) -> tuple[object, ...]:
    return (
        *(figures.answers, figures.failed, figures.kept, figures.prompt_tokens, figures.completion_tokens),
        *(figures.cost, round(figures.speaking_seconds, 6), figures.spoken_tokens),
    )


@pytest.mark.parametrize("period", list(Period))
@pytest.mark.parametrize("model", ["", "thinker"])
@pytest.mark.parametrize("is_of_one", [False, True])
def test_days_added_up_change_no_figure(
    calls: list[Usage], people: list[User], period: Period, model: str, is_of_one: bool
) -> None:
    question = UsageQuestion(period, model, people[0].pk if is_of_one else None)
    before = read_usage(question, NOW)
    assert roll_up_usage(NOW) > 30
    after = read_usage(question, NOW)
    assert before.total.answers > 0
    assert sums(after.total) == sums(before.total)
    assert after.total.first_token_counts == before.total.first_token_counts
    assert [(p.start, sums(p.figures)) for p in after.points] == [
        (p.start, sums(p.figures)) for p in before.points
    ]
    assert [(name, sums(f)) for name, f in after.models] == [(name, sums(f)) for name, f in before.models]
    assert {(p.user_id, sums(p.figures)) for p in after.people} == {
        (p.user_id, sums(p.figures)) for p in before.people
    }
    assert after.errors == before.errors


def test_figures_are_those_of_the_calls(calls: list[Usage]) -> None:
    since = datetime(2026, 2, 19, tzinfo=UTC)
    chosen = [call for call in calls if since <= call.created_at <= NOW]
    roll_up_usage(NOW)
    total = read_usage(UsageQuestion(Period.MONTH), NOW).total
    assert total.answers == len(chosen)
    assert total.failed == sum(1 for call in chosen if call.error_code)
    assert total.tokens == sum(call.prompt_tokens + call.completion_tokens for call in chosen)
    assert total.cost == sum(call.cost for call in chosen if call.cost is not None)
    times = sorted(c.first_token_seconds for c in chosen if c.first_token_seconds and not c.is_cached)
    assert total.first_token_median == pytest.approx(times[len(times) // 2], rel=0.15)


def test_points_have_no_gap(people: list[User]) -> None:
    add_call(NOW - timedelta(days=3))
    days = read_usage(UsageQuestion(Period.WEEK), NOW).points
    assert [point.figures.answers for point in days] == [0, 0, 0, 1, 0, 0, 0]
    assert len(read_usage(UsageQuestion(Period.DAY), NOW).points) == 24


def test_day_that_is_not_over_is_not_added_up() -> None:
    add_call(NOW - timedelta(hours=1))
    add_call(NOW - timedelta(days=1))
    assert roll_up_usage(NOW) == 1
    assert set(UsageDay.objects.values_list("day", flat=True)) == {(NOW - timedelta(days=1)).date()}
    assert roll_up_usage(NOW) == 0


def test_speed_leaves_out_kept_answers_and_failures() -> None:
    add_call(NOW, duration_seconds=2.5, first_token_seconds=0.5, completion_tokens=80)
    add_call(NOW, is_cached=True, duration_seconds=0.02, first_token_seconds=0.01, completion_tokens=80)
    add_call(NOW, error_code="stream_cut", duration_seconds=60, completion_tokens=1)
    assert read_usage(UsageQuestion(Period.DAY), NOW).total.tokens_per_second == pytest.approx(40)


def test_people_with_the_most_tokens_come_first_and_the_rest_are_counted() -> None:
    for n in range(25):
        add_call(NOW, User.objects.create_user(f"u{n}@example.com", None), prompt_tokens=n * 10)
    answer = read_usage(UsageQuestion(Period.DAY), NOW)
    assert [person.email for person in answer.people[:2]] == ["u24@example.com", "u23@example.com"]
    assert (len(answer.people), answer.other_people) == (20, 5)


def test_models_ever_called_are_listed() -> None:
    add_call(NOW - timedelta(days=200), model="old")
    add_call(NOW, model="New")
    roll_up_usage(NOW)
    assert list_used_models() == ["New", "old"]


def test_call_costs_what_its_model_is_priced_at() -> None:
    Model.objects.create(name="dear", prompt_price=Decimal("2.5"), completion_price=Decimal(10))
    Model.objects.create(name="free")
    spent = {
        name: record_usage(
            [
                Call(
                    user_id=None,
                    model_name=name,
                    prompt_tokens=1000,
                    completion_tokens=200,
                    first_token_seconds=0.1,
                    duration_seconds=1,
                )
            ]
        )[0].cost
        for name in ("dear", "free", uuid.uuid4().hex)
    }
    assert list(spent.values()) == [Decimal("0.0045"), None, None]
