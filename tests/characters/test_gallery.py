"""The gallery of a large house: the same queries for ten characters and for ten thousand, by index."""

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from characters.gallery.queries import LAST_PAGE, PAGE_SIZE, Wish, list_gallery
from characters.management.commands.benchmark_gallery import fill_gallery
from characters.models import Character, Visibility

pytestmark = pytest.mark.django_db
WAYS = [{}, {"query": "clock"}, {"tag": "music"}, {"scope": "favourites"}, {"sort": "newest"}, {"page": "2"}]


def count_queries(person: User) -> list[int]:
    client = Client()
    client.force_login(person)
    client.get("/characters/")
    counts = []
    for way in WAYS:
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/characters/", way).status_code == 200
        counts.append(len(queries))
    return counts


def test_ten_thousand_characters_cost_the_queries_of_a_hundred():
    few = count_queries(fill_gallery(100))
    Character.objects.all().delete()
    person = fill_gallery(10_000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE characters_character")

    assert count_queries(person) == few
    assert max(few) <= 6
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    search = Character.objects.matching("clock").explain()
    first = Character.objects.order_by(*_featured())[:PAGE_SIZE].explain()
    assert "character_search" in search
    assert "character_featured_first" in first


def _featured() -> tuple[object, ...]:
    from characters.gallery.queries import _ORDERS, Sort

    return _ORDERS[Sort.FEATURED]


def test_person_leafs_meets_everybody_once(page: Client, bo: User):
    Character.objects.bulk_create(
        Character(slug=f"c-{n}", name=f"Same name {n % 7}") for n in range(PAGE_SIZE * 2 + 5)
    )

    seen, address = [], "/characters/"
    while address:
        answer = page.get(address)
        seen += [row.slug for row in answer.context["characters"]]
        following = answer.context["next_page"]
        address = f"/characters/?page={following}" if following else ""

    assert len(seen) == len(set(seen)) == PAGE_SIZE * 2 + 5
    assert page.get("/characters/?page=99999").status_code == 200
    assert list_gallery(user=bo, wish=Wish(page=LAST_PAGE + 5)).characters == []


@pytest.mark.parametrize(
    "query", ["a & b", "!x", "' OR 1=1 --", "<->", ":*", "\\", "日本", "%", "a" * 100, "é", "()", "x:*y"]
)
def test_any_words_can_be_searched_for(page: Client, query: str):
    Character.objects.create(slug="x", name="x y", visibility=Visibility.EVERYONE)

    assert page.get("/characters/", {"query": query}).status_code == 200


def test_search_finds_beginnings_of_words_the_name_first(page: Client):
    Character.objects.create(slug="a", name="Archivist", description="Knows a clockmaker.")
    Character.objects.create(slug="b", name="Clockmaker", tags=["brass"])

    found = page.get("/characters/", {"query": "clock"}).context["characters"]

    assert [row.name for row in found] == ["Clockmaker", "Archivist"]
    assert [row.name for row in page.get("/characters/", {"query": "bra"}).context["characters"]] == [
        "Clockmaker"
    ]


def test_gallery_has_no_model_words(page: Client):
    Character.objects.create(slug="b", name="Clockmaker", system_prompt="A secret.", definition="Another.")

    shown = page.get("/characters/", {"query": "secret"})

    assert not shown.context["characters"]
    assert "A secret." not in page.get("/characters/").content.decode()


def test_benchmark_prints_every_way_and_leaves_nothing(capsys: pytest.CaptureFixture[str]):
    call_command("benchmark_gallery", characters=60, rounds=3)

    shown = capsys.readouterr().out
    assert shown.count("p95") == 8
    assert not Character.objects.exists()
