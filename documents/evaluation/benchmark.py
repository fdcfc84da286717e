"""A library of synthetic chunks to time search in: clustered vectors, words as common as words are, many owners.

Everything follows from a seed, so the exact answer can be computed beside the database. What it stands for: a
document's chunks mostly speak of one topic, two chunks of a topic have a cosine of about .5, and one of a hundred
people searches what is theirs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import numpy.typing as npt
from django.db import connection, transaction

from accounts.ids import uuid7
from accounts.models import User
from documents.models import (
    AccessLevel,
    Collection,
    CollectionGrant,
    Document,
    DocumentStatus,
    VectorSpace,
)
from documents.vectors import copy_vectors
from inference.embeddings import Vectors

CHUNKS_PER_DOCUMENT = 20
WORDS_PER_CHUNK = 60
OWNERS = 100
TOPICS = 4000
VOCABULARY = 50_000
# Of a document's chunks, how many speak of its own topic.
ON_TOPIC = 0.7
BATCH_DOCUMENTS = 250
_CONSONANTS, _VOWELS = "bcdfghklmnprstvz", "aeiou"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is made: so many documents of CHUNKS_PER_DOCUMENT chunks, with vectors of so many numbers."""

    documents: int
    dimensions: int
    seed: int = 1

    @property
    def chunks(self) -> int:
        return self.documents * CHUNKS_PER_DOCUMENT


class Library:
    """The synthetic content of a plan; the same for the same plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        random = np.random.default_rng(plan.seed)
        self._topics = _directions(random, TOPICS, plan.dimensions)
        self.words = _make_words(random, VOCABULARY)
        # Zipf's law: the n-th commonest word is 1/n as common as the first.
        shares = 1 / np.arange(1, VOCABULARY + 1)
        self._cumulated = np.cumsum(shares / shares.sum())

    def vectors(self, number: int) -> Vectors:
        """The unit vectors of a document's chunks, as half precision keeps them."""
        random = np.random.default_rng((self.plan.seed, 1, number))
        topics = np.where(
            random.random(CHUNKS_PER_DOCUMENT) < ON_TOPIC,
            random.integers(TOPICS),
            random.integers(TOPICS, size=CHUNKS_PER_DOCUMENT),
        )
        return self._around(random, topics)

    def chunk_words(self, number: int) -> npt.NDArray[np.int64]:
        """The words of a document's chunks as numbers into `words`, a row a chunk."""
        random = np.random.default_rng((self.plan.seed, 2, number))
        return self._draw(random, (CHUNKS_PER_DOCUMENT, WORDS_PER_CHUNK))

    def question(self, number: int) -> tuple[str, Vectors]:
        """A question of eight words, and its vector, near a topic."""
        random = np.random.default_rng((self.plan.seed, 3, number))
        vector = self._around(random, random.integers(TOPICS, size=1))[0]
        return " ".join(self.words[word] for word in self._draw(random, (8,))), vector

    def _around(self, random: np.random.Generator, topics: npt.NDArray[np.int64]) -> Vectors:
        noise = _directions(random, len(topics), self.plan.dimensions)
        points = self._topics[topics] + noise
        points /= np.linalg.norm(points, axis=1, keepdims=True)
        halved: Vectors = points.astype(np.float16).astype(np.float32)
        return halved

    def _draw(self, random: np.random.Generator, shape: tuple[int, ...]) -> npt.NDArray[np.int64]:
        drawn = np.searchsorted(self._cumulated, random.random(shape))
        return np.minimum(drawn, VOCABULARY - 1)


def fill(library: Library, space: VectorSpace) -> Iterator[int]:
    """Write the library into an empty database; yields how many documents are in. Indexes are the caller's."""
    owners = [User.objects.create_user(f"owner-{n}@benchmark.invalid") for n in range(OWNERS)]
    collections = [Collection.objects.create(owner=owner, name="Benchmark") for owner in owners]
    reader = User.objects.create_user("reader@benchmark.invalid")
    CollectionGrant.objects.bulk_create(
        CollectionGrant(collection=collection, user=reader, level=AccessLevel.READ)
        for collection in collections
    )
    for first in range(0, library.plan.documents, BATCH_DOCUMENTS):
        numbers = range(first, min(first + BATCH_DOCUMENTS, library.plan.documents))
        with transaction.atomic():
            _fill_batch(library, space, numbers, collections)
        yield numbers.stop


def _fill_batch(
    library: Library, space: VectorSpace, numbers: Sequence[int], collections: Sequence[Collection]
) -> None:
    ids = [uuid7() for _ in numbers]
    Document.objects.bulk_create(
        Document(
            pk=document_id,
            collection=collections[number % OWNERS],
            name=f"{number}.txt",
            media_type="text/plain",
            size_bytes=1,
            status=DocumentStatus.READY,
            progress=1,
            title="",
            language="english",
            page_count=1,
            chunk_count=CHUNKS_PER_DOCUMENT,
        )
        for document_id, number in zip(ids, numbers, strict=True)
    )
    pages, spans = [], []
    for document_id, number in zip(ids, numbers, strict=True):
        texts = [" ".join(library.words[word] for word in row) for row in library.chunk_words(number)]
        pages.append((document_id, "\n".join(texts)))
        position = 0
        for ordinal, text in enumerate(texts):
            spans.append((document_id, ordinal, position, position + len(text), text))
            position += len(text) + 1
    chunk_ids = _write_texts(pages, spans)
    owners_of_chunks = [document_id for document_id in ids for _ in range(CHUNKS_PER_DOCUMENT)]
    copy_vectors(
        space, owners_of_chunks, chunk_ids, np.concatenate([library.vectors(number) for number in numbers])
    )


def _write_texts(
    pages: Sequence[tuple[UUID, str]], spans: Sequence[tuple[UUID, int, int, int, str]]
) -> list[int]:
    """Pages and chunks; the chunks' ids in their order."""
    with connection.cursor() as cursor:
        with cursor.copy("COPY documents_page (document_id, number, label, text) FROM STDIN") as copy:
            for document_id, text in pages:
                copy.write_row((document_id, 1, "", text))
        cursor.execute(
            "INSERT INTO documents_chunk"
            ' (document_id, ordinal, page, start, "end", heading, is_reference, language, search)'
            " SELECT document_id, ordinal, 1, start, stop, '', false, 'english',"
            " to_tsvector('english'::regconfig, body)"
            " FROM unnest(%s::uuid[], %s::int[], %s::int[], %s::int[], %s::text[])"
            " AS span (document_id, ordinal, start, stop, body) RETURNING id",
            [list(column) for column in zip(*spans, strict=True)],
        )
        return sorted(row[0] for row in cursor.fetchall())


def find_exactly(
    library: Library, numbers: Sequence[int], vectors: Vectors, k: int
) -> list[set[tuple[int, int]]]:
    """For each of the vectors the `k` nearest chunks (document's number, ordinal) among those documents."""
    best: list[list[tuple[float, tuple[int, int]]]] = [[] for _ in vectors]
    for first in range(0, len(numbers), 500):
        some = numbers[first : first + 500]
        cosines = vectors @ np.concatenate([library.vectors(number) for number in some]).T
        for row, found in zip(cosines, best, strict=True):
            for index in np.argpartition(-row, min(k, len(row) - 1))[:k]:
                document, ordinal = divmod(int(index), CHUNKS_PER_DOCUMENT)
                found.append((float(row[index]), (some[document], ordinal)))
    return [{place for _, place in sorted(found, reverse=True)[:k]} for found in best]


def _directions(random: np.random.Generator, count: int, dimensions: int) -> Vectors:
    drawn = random.standard_normal((count, dimensions), dtype=np.float32)
    unit: Vectors = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return unit


def _make_words(random: np.random.Generator, count: int) -> list[str]:
    words: dict[str, None] = {}
    while len(words) < count:
        syllables = random.integers(2, 5)
        letters = (
            _CONSONANTS[random.integers(len(_CONSONANTS))] + _VOWELS[random.integers(len(_VOWELS))]
            for _ in range(syllables)
        )
        words["".join(letters)] = None
    return list(words)


def percentile_ms(seconds: Sequence[float], share: float) -> float:
    """The time that this share of the searches stayed under, in milliseconds."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000
