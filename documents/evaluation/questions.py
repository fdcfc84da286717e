"""Questions with known answers, as folders hold them: Parlour's own form, and BEIR's (https://github.com/beir-cellar).

Own: `documents/` with files and `questions.jsonl` with {question, answer, document} a line. BEIR: `corpus.jsonl`
({_id, title, text} a line), `queries.jsonl` ({_id, text}), `qrels/*.tsv` (query-id, corpus-id, score; a header).
"""

import csv
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec

Line = TypeVar("Line", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Question:
    """A question, the right documents' names with their grades, and the written answer where there is one."""

    question: str
    grades: Mapping[str, int]
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A document to be uploaded under `name`; `read` gives its bytes."""

    name: str
    read: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """A collection of documents with the questions asked of it."""

    name: str
    files: list[SourceFile] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)


class _OwnLine(msgspec.Struct, frozen=True):
    question: str
    answer: str
    document: str


class _Text(msgspec.Struct, frozen=True):
    id: str = msgspec.field(name="_id")
    text: str = ""
    title: str = ""


def read_question_set(folder: Path) -> QuestionSet:
    """The folder's documents and questions; raises ValueError or OSError saying what is amiss, and where."""
    name = folder.resolve().name
    if (folder / "corpus.jsonl").exists():
        found = QuestionSet(name, *_read_beir(folder))
    else:
        files = sorted(path for path in (folder / "documents").iterdir() if path.is_file())
        found = QuestionSet(
            name,
            [SourceFile(path.name, path.read_bytes) for path in files],
            read_questions(folder / "questions.jsonl"),
        )
    if not found.files or not found.questions:
        raise ValueError(f"{folder} holds no documents, or no questions about them.")
    return found


def read_questions(path: Path) -> list[Question]:
    """The questions of a `questions.jsonl`; raises ValueError naming the line that is none."""
    return [Question(line.question, {line.document: 1}, line.answer) for line in _read_lines(path, _OwnLine)]


def _read_beir(folder: Path) -> tuple[list[SourceFile], list[Question]]:
    texts = list(_read_lines(folder / "corpus.jsonl", _Text))
    # A name may not hold everything that an id may; the number keeps two alike apart.
    names = {
        text.id: f"{number}-{re.sub(r'[^A-Za-z0-9._-]', '_', text.id)[:60]}.txt"
        for number, text in enumerate(texts, start=1)
    }
    files = [
        SourceFile(
            names[text.id], "\n\n".join(part for part in (text.title, text.text) if part.strip()).encode
        )
        for text in texts
        if text.title.strip() or text.text.strip()
    ]
    grades: dict[str, dict[str, int]] = defaultdict(dict)
    paths = sorted((folder / "qrels").glob("test*.tsv")) or sorted((folder / "qrels").glob("*.tsv"))
    for path in paths:
        with path.open(newline="") as stream:
            for number, row in enumerate(csv.reader(stream, delimiter="\t"), start=1):
                if number == 1 and not row[-1].lstrip("-").isdigit():
                    continue
                try:
                    query, document, grade = row
                    grades[query][names[document]] = int(grade)
                except (ValueError, KeyError) as error:
                    raise ValueError(f"{path.name}, line {number}: {error}") from error
    asked = _read_lines(folder / "queries.jsonl", _Text)
    questions = [
        Question(query.text, grades[query.id])
        for query in asked
        if any(grade > 0 for grade in grades.get(query.id, {}).values())
    ]
    return files, questions


def _read_lines(path: Path, form: type[Line]) -> Iterator[Line]:
    with path.open(encoding="utf-8") as stream:
        for number, line in enumerate(stream, start=1):
            if line.strip():
                try:
                    yield msgspec.convert(json.loads(line), form)
                except (ValueError, msgspec.ValidationError) as error:
                    raise ValueError(f"{path.name}, line {number}: {error}") from error
