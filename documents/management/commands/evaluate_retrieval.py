"""`manage.py evaluate_retrieval DIR`: upload DIR/documents through the real pipeline, ask DIR/questions.jsonl, print
how often the right document and the answer's words were found. `documents.evaluation` defines the measures.
"""

import time
from argparse import ArgumentParser
from functools import partial
from pathlib import Path

from django.core.files import File
from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from documents.errors import DocumentError, failure_message
from documents.evaluation import RESULTS, Question, evaluate, read_questions
from documents.models import Collection, DocumentStatus
from documents.retrieval import Hit, search
from documents.services import create_collection, delete_collection, store_upload

# A user of its own, who cannot sign in: nobody's documents are among the results.
EMAIL = "retrieval-evaluation@parlour.invalid"
POLL_SECONDS = 0.25
# A worker that is not there would be waited for in vain.
STALL_SECONDS = 300


class Command(BaseCommand):
    help = "Measures retrieval on a folder with documents/ and questions.jsonl; a worker must be running."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--fresh", action="store_true", help="upload the documents again, and time it")

    def handle(self, *, folder: Path, fresh: bool, **_: object) -> None:
        files, questions = _read_folder(folder)
        user = User.objects.filter(email=EMAIL).first() or User.objects.create_user(EMAIL, is_active=False)
        collection = Collection.objects.filter(owner=user, name=folder.resolve().name).first()
        if collection is not None and (fresh or not _is_complete(collection, files)):
            delete_collection(actor=user, collection_id=collection.pk)
            collection = None
        if collection is None:
            collection = create_collection(actor=user, name=folder.resolve().name)
            self._ingest(user, collection, files)
        report = evaluate(questions, partial(_ask, user, collection))
        rows = {
            "questions": f"{report.questions}",
            "right document first": f"{report.right_first:.3f}",
            f"right document among {RESULTS}": f"{report.right_among:.3f}",
            "words of the written answer found": f"{report.words_found:.3f}",
            "search, p50 / p99": f"{report.p50_ms:.1f} / {report.p99_ms:.1f} ms",
        }
        for name, value in rows.items():
            self.stdout.write(f"{name:<36}{value}")

    def _ingest(self, user: User, collection: Collection, files: list[Path]) -> None:
        started = time.monotonic()
        for path in files:
            with path.open("rb") as stream:
                try:
                    store_upload(
                        actor=user, file=File(stream, path.name), name=path.name, collection=collection
                    )
                except DocumentError as error:
                    raise CommandError(f"{path.name}: {error}") from error
        _wait_until_ready(collection)
        seconds = time.monotonic() - started
        chunks = sum(collection.documents.values_list("chunk_count", flat=True))
        self.stdout.write(f"{'documents, chunks':<36}{len(files)}, {chunks}")
        self.stdout.write(f"{'upload to ready':<36}{seconds:.1f} s")


def _read_folder(folder: Path) -> tuple[list[Path], list[Question]]:
    try:
        files = sorted(path for path in (folder / "documents").iterdir() if path.is_file())
        questions = read_questions(folder / "questions.jsonl")
    except (OSError, ValueError) as error:
        raise CommandError(str(error)) from error
    if not files or not questions:
        raise CommandError(f"{folder} needs files in documents/ and lines in questions.jsonl.")
    return files, questions


def _is_complete(collection: Collection, files: list[Path]) -> bool:
    ready = collection.documents.filter(status=DocumentStatus.READY)
    return set(ready.values_list("name", flat=True)) >= {path.name for path in files}


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


def _ask(user: User, collection: Collection, question: str) -> list[Hit]:
    return search(user=user, query=question, k=RESULTS, collections=[collection.pk])
