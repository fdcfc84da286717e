"""`manage.py evaluate_retrieval FOLDER`: upload the folder's documents through the real pipeline, ask its questions,
print the measures that `documents.evaluation.measures` defines. `documents.evaluation.questions` says what a folder
holds; BEIR's are read too. `--answers` also has the built-in `quotes` answer (`documents.evaluation.answering`).
`--save` keeps a run as JSON, and `--against` prints how this run differs from a kept one.
"""

import json
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from django.core.files.base import ContentFile
from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from documents.errors import DocumentError, failure_message
from documents.evaluation.answering import evaluate_answers
from documents.evaluation.measures import DEPTH, RESULTS, evaluate
from documents.evaluation.questions import QuestionSet, read_question_set
from documents.models import Collection, DocumentStatus
from documents.retrieval.hits import Hit
from documents.retrieval.search import search
from documents.services import create_collection, delete_collection, store_upload

# A user of its own, who cannot sign in: nobody's documents are among the results.
EMAIL = "retrieval-evaluation@parlour.invalid"
POLL_SECONDS = 0.25
# A worker that is not there would be waited for in vain.
STALL_SECONDS = 300
# Passages that hold DEPTH distinct documents where several come from one.
DEEP_RESULTS = 3 * DEPTH
# As many as a reply is given (`chat.prompting.grounding`).
ANSWER_RESULTS = 6
LABELS = {
    "questions": "questions",
    "right_first": "right document first",
    "right_among": f"right document among {RESULTS}",
    "recall_10": "recall@10",
    "mrr": "MRR",
    "ndcg_10": "nDCG@10",
    "words_found": "words of the written answer found",
    "p50_ms": "search, p50, ms",
    "p99_ms": "search, p99, ms",
    "false_refusals": "quotes: false refusals",
    "refused_without_document": "quotes: refused without the document",
    "refused_everyday": "quotes: refused everyday questions",
    "refused": "quotes: refused of both",
    "citation_precision": "quotes: citation precision",
}


class Command(BaseCommand):
    help = "Measures retrieval on a folder of documents and questions; a worker must be running."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--fresh", action="store_true", help="upload the documents again, and time it")
        parser.add_argument("--answers", action="store_true", help="measure what `quotes` answers, too")
        parser.add_argument("--save", type=Path, metavar="FILE", help="keep this run as JSON")
        parser.add_argument("--against", type=Path, metavar="FILE", help="compare with a kept run")

    def handle(
        self,
        *,
        folder: Path,
        fresh: bool,
        answers: bool,
        save: Path | None,
        against: Path | None,
        **_: object,
    ) -> None:
        before = _read_run(against) if against else {}
        try:
            questions = read_question_set(folder)
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        user = User.objects.filter(email=EMAIL).first() or User.objects.create_user(EMAIL, is_active=False)
        collection = self._upload(user, questions, fresh=fresh)
        asker = _Asker(user, collection)
        run: dict[str, float | None] = asdict(
            evaluate(questions.questions, asker.ask, search_deep=asker.ask_deep)
        )
        if answers:
            run |= asdict(evaluate_answers(questions.questions, asker.ask_without))
        for name, value in run.items():
            if value is not None:
                self._say(LABELS[name], _show(value) + _show_change(value, before.get(name)))
        if save:
            save.write_text(json.dumps(run, indent=2) + "\n")

    def _say(self, name: str, value: str) -> None:
        self.stdout.write(f"{name:<38}{value}")

    def _upload(self, user: User, questions: QuestionSet, *, fresh: bool) -> Collection:
        """The set's documents in a collection of their own, ready; kept from run to run."""
        collection = Collection.objects.filter(owner=user, name=questions.name).first()
        if collection is not None and (fresh or not _is_complete(collection, questions)):
            delete_collection(actor=user, collection_id=collection.pk)
            collection = None
        if collection is not None:
            return collection
        collection = create_collection(actor=user, name=questions.name)
        started = time.monotonic()
        for source in questions.files:
            try:
                file = ContentFile(source.read(), source.name)
                store_upload(actor=user, file=file, name=source.name, collection_id=collection.pk)
            except DocumentError as error:
                raise CommandError(f"{source.name}: {error}") from error
        _wait_until_ready(collection)
        chunks = sum(collection.documents.values_list("chunk_count", flat=True))
        self._say("documents, chunks", f"{len(questions.files)}, {chunks}")
        self._say("upload to ready", f"{time.monotonic() - started:.1f} s")
        return collection


class _Asker:
    """Searches as the evaluating user, in the set's collection."""

    def __init__(self, user: User, collection: Collection) -> None:
        self._user = user
        self._collection = collection
        self._documents = dict(collection.documents.values_list("name", "pk"))

    def ask(self, question: str) -> list[Hit]:
        return search(user=self._user, query=question, k=RESULTS, collections=[self._collection.pk])

    def ask_deep(self, question: str) -> list[Hit]:
        return search(user=self._user, query=question, k=DEEP_RESULTS, collections=[self._collection.pk])

    def ask_without(self, question: str, names: Sequence[str]) -> list[Hit]:
        kept = [pk for name, pk in self._documents.items() if name not in names]
        return search(user=self._user, query=question, k=ANSWER_RESULTS, documents=kept)


def _read_run(path: Path) -> dict[str, float | None]:
    try:
        run = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise CommandError(f"{path}: {error}") from error
    if not isinstance(run, dict):
        raise CommandError(f"{path} is no kept run.")
    return run


def _show(value: float) -> str:
    return f"{value:.3f}" if value % 1 or value == 1 else f"{value:.0f}"


def _show_change(value: float, before: float | None) -> str:
    return "" if before is None else f"   before {_show(before)}   {value - before:+.3f}"


def _is_complete(collection: Collection, questions: QuestionSet) -> bool:
    ready = collection.documents.filter(status=DocumentStatus.READY)
    return set(ready.values_list("name", flat=True)) == {source.name for source in questions.files}


def _wait_until_ready(collection: Collection) -> None:
    last_change, last_state = time.monotonic(), None
    while True:
        state = list(collection.documents.order_by("id").values_list("status", "progress"))
        if all(status == DocumentStatus.READY for status, _ in state):
            return
        failed = collection.documents.filter(status=DocumentStatus.FAILED).first()
        if failed is not None:
            raise CommandError(f"{failed.name}: {failure_message(failed.error_code)}")
        if state != last_state:
            last_change, last_state = time.monotonic(), state
        elif time.monotonic() - last_change > STALL_SECONDS:
            raise CommandError("Nothing moves. Is a worker running (manage.py start, or celery -Q ingest)?")
        time.sleep(POLL_SECONDS)
