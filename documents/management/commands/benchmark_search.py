"""`manage.py benchmark_search`: how good and how fast search is among a million chunks, in a database of its own.

It makes the library of `documents.evaluation.benchmark`, builds the indexes, and asks as a person who may see
1 % of it, 10 %, and all of it: recall@10 of the vectors against the exact answer, and the times of that stage and of
a whole search (permission, vectors, full text, fusion, passages; all but embedding the question).
"""

import time
from argparse import ArgumentParser
from functools import partial
from pathlib import Path

import numpy as np
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from accounts.models import User
from documents.evaluation.benchmark import (
    CHUNKS_PER_DOCUMENT,
    OWNERS,
    Library,
    Plan,
    fill,
    find_exactly,
    percentile_ms,
)
from documents.models import Chunk, Collection, Document, VectorSpace
from documents.retrieval.nearest import rank_by_vector
from documents.retrieval.scope import Scope, scope_for
from documents.retrieval.search import Meaning, find_passages
from documents.vectors import build_index

K = 10
SPACE = "benchmark"
# The first searches read the tables and indexes into memory; a house in use has them there.
WARMING = 20


class Command(BaseCommand):
    help = "Measures search among many synthetic chunks, in a database of its own that is dropped at the end."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--chunks", type=int, default=1_000_000)
        parser.add_argument("--dimensions", type=int, default=384)
        parser.add_argument("--questions", type=int, default=200)
        parser.add_argument("--keep", action="store_true", help="keep the database, and use a kept one")

    def handle(self, *, chunks: int, dimensions: int, questions: int, keep: bool, **_: object) -> None:
        if chunks < OWNERS * CHUNKS_PER_DOCUMENT:
            raise CommandError(
                f"At least {OWNERS * CHUNKS_PER_DOCUMENT} chunks, {CHUNKS_PER_DOCUMENT} an owner."
            )
        usual = connection.settings_dict["NAME"]
        connection.settings_dict["TEST"]["NAME"] = f"{usual}_benchmark"
        connection.creation.create_test_db(verbosity=0, autoclobber=True, keepdb=keep, serialize=False)
        try:
            library = Library(Plan(documents=chunks // CHUNKS_PER_DOCUMENT, dimensions=dimensions))
            space = VectorSpace.objects.filter(name=SPACE, dimensions=dimensions).first()
            if space is None or Chunk.objects.count() != library.plan.chunks:
                space = self._make(library)
            for share, scope, owners in self._scopes():
                self._measure(library, space, share, scope, owners, questions)
        finally:
            connection.creation.destroy_test_db(usual, verbosity=0, keepdb=keep)

    def _make(self, library: Library) -> VectorSpace:
        if Document.objects.exists():
            raise CommandError("The kept database holds another library. Run once without --keep.")
        space = VectorSpace.objects.create(name=SPACE, dimensions=library.plan.dimensions)
        with connection.cursor() as cursor:
            cursor.execute("SET synchronous_commit = off")
            cursor.execute("SELECT pg_get_indexdef('chunk_search'::regclass)")
            (full_text_index,) = cursor.fetchone()
            cursor.execute("DROP INDEX chunk_search")
        started = time.monotonic()
        for done in fill(library, space):
            if done % 5000 == 0:
                self._say("documents written", f"{done:,} in {time.monotonic() - started:.0f} s")
        with connection.cursor() as cursor:
            started = time.monotonic()
            cursor.execute("SET maintenance_work_mem = '1GB'")
            cursor.execute(full_text_index)
            self._say("full-text index", f"{(time.monotonic() - started) / 60:.1f} minutes")
            started = time.monotonic()
            build_index(space)
            self._say("vector index", f"{(time.monotonic() - started) / 60:.1f} minutes")
            cursor.execute("SELECT pg_relation_size(%s::regclass)", [f"documents_embedding_space_{space.pk}"])
            self._say("vector index, on disk", f"{cursor.fetchone()[0] / 2**20:,.0f} MB")
            cursor.execute("SELECT pg_backend_pid()")
            self._say("session that built it, most memory", _peak_memory(cursor.fetchone()[0]))
            cursor.execute("VACUUM ANALYZE")
        return space

    def _scopes(self) -> list[tuple[str, Scope, list[int]]]:
        """Who asks: the share of the chunks that they may see, as SQL, and as the owners' numbers."""
        first = User.objects.get(email="owner-0@benchmark.invalid")
        reader = User.objects.get(email="reader@benchmark.invalid")
        tenth = list(Collection.objects.order_by("id").values_list("id", flat=True)[: OWNERS // 10])
        scopes = [
            ("1 %", scope_for(first), [0]),
            ("10 %", scope_for(reader, collections=tenth), list(range(OWNERS // 10))),
            ("100 %", scope_for(reader), list(range(OWNERS))),
        ]
        return [(share, scope, owners) for share, scope, owners in scopes if scope is not None]

    def _measure(
        self,
        library: Library,
        space: VectorSpace,
        share: str,
        scope: Scope,
        owners: list[int],
        questions: int,
    ) -> None:
        asked = [library.question(number) for number in range(questions)]
        numbers = [n for n in range(library.plan.documents) if n % OWNERS in owners]
        exact = find_exactly(library, numbers, np.stack([vector for _, vector in asked]), K)
        first_id = Chunk.objects.order_by("id").values_list("id", flat=True)[0]
        vector_seconds, whole_seconds, found = [], [], 0
        warming = asked[:WARMING]
        for index, (text, vector) in enumerate([*warming, *asked]):
            started = time.perf_counter()
            ranked = rank_by_vector(space, vector, scope)
            between = time.perf_counter()
            find_passages(text, partial(Meaning, space, vector), scope, k=5)
            if index >= len(warming):
                vector_seconds.append(between - started)
                whole_seconds.append(time.perf_counter() - between)
                # Chunks were numbered as they were written.
                places = {
                    divmod(entry.place.chunk_id - first_id, CHUNKS_PER_DOCUMENT) for entry in ranked[:K]
                }
                found += len(places & exact[index - len(warming)])
        self._say(f"{share}: chunks permitted", f"{scope.chunks:,}")
        self._say(f"{share}: recall@{K}", f"{found / (K * questions):.3f}")
        for name, seconds in (("nearest vectors", vector_seconds), ("whole search", whole_seconds)):
            times = f"{percentile_ms(seconds, 0.5):.1f} / {percentile_ms(seconds, 0.99):.1f} ms"
            self._say(f"{share}: {name}, p50 / p99", times)

    def _say(self, name: str, value: str) -> None:
        self.stdout.write(f"{name:<40}{value}")
        self.stdout.flush()


def _peak_memory(pid: int) -> str:
    """The most memory the process has had resident, shared pages among it; only a database on this machine tells."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return "unknown: the database is on another machine"
    (kilobytes,) = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
    return f"{int(kilobytes) / 1024:,.0f} MB"
