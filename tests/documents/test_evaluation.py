"""The measures of retrieval, and the command that prints them."""

import io
import json
import re
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from documents.evaluation import Question, content_words, evaluate, read_questions, share_of_words_found
from documents.ingest import ingest_next
from documents.models import Document
from documents.retrieval import Hit
from tests.documents import files
from tests.openai_server import ScriptedServer


def hit(text: str, name: str = "a.txt") -> Hit:
    return Hit(uuid.uuid4(), name, 1, text, 0, len(text), 1.0)


def test_words_found_counts_each_content_word_once_and_stops_at_4000_characters() -> None:
    assert content_words("The BERT-base model, and THE 2 models: x 110M") == {
        "bert",
        "base",
        "model",
        "models",
        "110m",
    }
    assert share_of_words_found("Cats, cats and lighthouses", [hit("Cats!")]) == 0.5
    assert share_of_words_found("lighthouse", [hit("x" * 4000), hit("lighthouse")]) == 0.0
    assert share_of_words_found("The of and", []) == 1.0
    assert share_of_words_found("sixth", [*[hit("no")] * 5, hit("sixth")]) == 0.0


def test_evaluation_reports_means_over_all_questions() -> None:
    questions = [Question("q1", "cats", "a.txt"), Question("q2", "dogs", "b.txt")]
    answers = {"q1": [hit("cats")], "q2": [hit("cats"), hit("dogs", "b.txt")]}
    report = evaluate(questions, answers.__getitem__)
    assert (report.questions, report.right_first, report.right_among, report.words_found) == (
        2,
        0.5,
        1.0,
        1.0,
    )
    assert 0 <= report.p50_ms <= report.p99_ms


def test_reader_of_a_malformed_question_learns_which_line(tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text('{"question": "a", "answer": "b", "document": "c"}\n\n{"question": 1}\n')
    with pytest.raises(ValueError, match=r"questions.jsonl, line 3"):
        read_questions(path)


@contextmanager
def working() -> Iterator[None]:
    """A worker's loop on a thread of this process, for a command that waits for one."""
    is_over = threading.Event()

    def work() -> None:
        while not is_over.wait(0.05):
            ingest_next()
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def write_folder(folder: Path) -> None:
    (folder / "documents").mkdir(parents=True)
    (folder / "documents" / "harbour.txt").write_text("\n\n".join(files.SENTENCES))
    question = {
        "question": "Who keeps the lighthouse?",
        "answer": "Captain Moreau",
        "document": "harbour.txt",
    }
    (folder / "questions.jsonl").write_text(json.dumps(question))


@pytest.mark.django_db(transaction=True)
def test_developer_evaluates_a_folder_and_a_second_run_uploads_nothing(
    embedder: ScriptedServer, tmp_path: Path
) -> None:
    write_folder(tmp_path / "set")
    output = io.StringIO()
    with working():
        call_command("evaluate_retrieval", str(tmp_path / "set"), stdout=output)
    printed = dict(re.split(r"\s{2,}", line) for line in output.getvalue().splitlines())
    assert printed["right document first"] == "1.000"
    assert printed["words of the written answer found"] == "1.000"
    assert printed["documents, chunks"] == "1, 1"
    again = io.StringIO()
    call_command("evaluate_retrieval", str(tmp_path / "set"), stdout=again)
    assert "upload to ready" not in again.getvalue()
    assert Document.objects.count() == 1


@pytest.mark.django_db
def test_developer_evaluates_a_folder_that_is_none_and_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="documents"):
        call_command("evaluate_retrieval", str(tmp_path / "absent"))
