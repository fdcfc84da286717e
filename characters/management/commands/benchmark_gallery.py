"""`manage.py benchmark_gallery`: how long the gallery's first page takes a house with many characters.

It writes its characters and a person within a transaction that is rolled back at the end, asks for whole pages by
Django's test client, templates and all, and prints milliseconds and queries for each way of asking.
"""

import random
import statistics
import time
import uuid
from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from characters.models import Character, Favourite, Visibility

_FIRST = ("Ada", "Bram", "Cleo", "Dag", "Esra", "Finn", "Greta", "Hugo", "Ines", "Jaro", "Kaya", "Lotte")
_CRAFT = (
    "librarian",
    "gardener",
    "pilot",
    "clockmaker",
    "cook",
    "surveyor",
    "translator",
    "lighthouse keeper",
)
_TAGS = ("stories", "code", "cooking", "history", "travel", "music", "science", "letters", "games", "law")
_WAYS = {
    "first page": {},
    "search": {"query": "clock"},
    "search, two words": {"query": "gar let"},
    "tag": {"tag": "music"},
    "newest": {"sort": "newest"},
    "most talked with": {"sort": "popular"},
    "favourites": {"scope": "favourites"},
    "tenth page": {"page": "10"},
}


class Command(BaseCommand):
    help = "Measure the gallery with many characters."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--characters", type=int, default=10_000)
        parser.add_argument("--rounds", type=int, default=40)

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            person = fill_gallery(options["characters"])
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE characters_character")
            page = Client(headers={"host": "localhost"})
            page.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
            self.stdout.write(f"{options['characters']} characters, {options['rounds']} rounds each")
            for words, query in _WAYS.items():
                self._measure(page, words, query, options["rounds"])
            transaction.set_rollback(True)

    def _measure(self, page: Client, words: str, query: dict[str, str], rounds: int) -> None:
        page.get("/characters/", query)
        milliseconds = []
        for _round in range(rounds):
            began = time.perf_counter()
            page.get("/characters/", query)
            milliseconds.append((time.perf_counter() - began) * 1000)
        with CaptureQueriesContext(connection) as queries:
            page.get("/characters/", query)
        p95 = statistics.quantiles(milliseconds, n=20)[-1]
        p50 = statistics.median(milliseconds)
        self.stdout.write(f"{words:<20} p50 {p50:6.1f} ms   p95 {p95:6.1f} ms   {len(queries)} queries")


def fill_gallery(count: int) -> User:
    """So many characters of several kinds, seven hundred favourites of one person, and that person."""
    # The same gallery every time.
    dice = random.Random(4)  # noqa: S311 (no secret)
    person = User.objects.create_user(f"gallery-{uuid.uuid4().hex}@example.org")
    rows = [
        Character(
            slug=f"benchmark-{number}",
            name=f"{dice.choice(_FIRST)} {number}",
            tagline=f"A {dice.choice(_CRAFT)} with time to talk.",
            description="Words for people, as long as they usually are. " * 6,
            definition="Words for the model, which no card shows. " * 20,
            tags=dice.sample(_TAGS, 3),
            owner=person if number % 50 == 0 else None,
            visibility=Visibility.PRIVATE if number % 25 == 0 else Visibility.EVERYONE,
            popularity=dice.randrange(200),
        )
        for number in range(count)
    ]
    Character.objects.bulk_create(rows, batch_size=1000)
    kept = dice.sample(rows, min(700, count // 2))
    Favourite.objects.bulk_create(Favourite(user=person, character=row) for row in kept)
    return person
