"""The measures of retrieval, and the command that prints them."""

import io
import json
import math
import re
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from documents.evaluation.measures import content_words, evaluate, ndcg, share_of_words_found
from documents.evaluation.questions import Question, read_question_set, read_questions
from documents.ingest.pipeline import ingest_next
from documents.models import Document
from documents.retrieval.hits import Hit
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
    questions = [Question("q1", {"a.txt": 1}, "cats"), Question("q2", {"b.txt": 1}, "dogs")]
    answers = {"q1": [hit("cats")], "q2": [hit("cats"), hit("dogs", "b.txt")]}
    report = evaluate(questions, answers.__getitem__)
    assert (report.questions, report.right_first, report.right_among, report.words_found) == (
        2,
        0.5,
        1.0,
        1.0,
    )
    assert (report.recall_10, report.mrr) == (1.0, 0.75)
    assert report.ndcg_10 == pytest.approx((1 + 1 / math.log2(3)) / 2)
    assert 0 <= report.p50_ms <= report.p99_ms


def test_ndcg_weighs_grades_and_places() -> None:
    grades = {"a": 2, "b": 1}
    assert ndcg(["a", "b"], grades) == 1.0
    assert ndcg(["b", "x", "a"], grades) == pytest.approx((1 + 2 / 2) / (2 + 1 / math.log2(3)))
    assert ndcg(["x"], grades) == 0.0


def write_beir(folder: Path) -> None:
    (folder / "qrels").mkdir(parents=True)
    corpus = [
        {"_id": "p/1", "title": "Harbours", "text": "The ferry to the island leaves every second hour."},
        {"_id": "p2", "title": "", "text": "Tomatoes want sun and little water once they are ripe."},
    ]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, corpus)))
    queries = [
        {"_id": "q1", "text": "When does the ferry leave?"},
        {"_id": "q2", "text": "nobody judged this"},
    ]
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\tp/1\t2\nq1\tp2\t0\n")


def test_developer_reads_a_beir_folder(tmp_path: Path) -> None:
    write_beir(tmp_path)
    found = read_question_set(tmp_path)
    assert [source.name for source in found.files] == ["1-p_1.txt", "2-p2.txt"]
    assert found.files[0].read() == b"Harbours\n\nThe ferry to the island leaves every second hour."
    assert found.questions == [Question("When does the ferry leave?", {"1-p_1.txt": 2, "2-p2.txt": 0})]


def test_reader_of_a_judgement_of_an_unknown_document_learns_which_line(tmp_path: Path) -> None:
    write_beir(tmp_path)
    with (tmp_path / "qrels" / "test.tsv").open("a") as judgements:
        judgements.write("q1\tp9\t1\n")
    with pytest.raises(ValueError, match=r"test.tsv, line 4"):
        read_question_set(tmp_path)


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


@pytest.mark.django_db(transaction=True)
def test_developer_evaluates_a_beir_folder_with_answers_and_compares_two_runs(
    embedder: ScriptedServer, tmp_path: Path
) -> None:
    write_beir(tmp_path / "set")
    run, output = tmp_path / "run.json", io.StringIO()
    with working():
        call_command(
            "evaluate_retrieval", str(tmp_path / "set"), save=run, answers=True, stdout=io.StringIO()
        )
    kept = json.loads(run.read_text())
    assert kept["ndcg_10"] == 1.0
    assert kept["words_found"] is None
    assert 0 <= kept["refused"] <= 1
    run.write_text(json.dumps(kept | {"mrr": 0.5}))
    call_command("evaluate_retrieval", str(tmp_path / "set"), against=run, stdout=output)
    (row,) = [line for line in output.getvalue().splitlines() if line.startswith("MRR")]
    assert row.split() == ["MRR", "1.000", "before", "0.500", "+0.500"]


@pytest.mark.django_db
def test_developer_evaluates_a_folder_that_is_none_and_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="documents"):
        call_command("evaluate_retrieval", str(tmp_path / "absent"))
