"""Where the local stack listens: a small file that `manage.py start` writes and every other command reads."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

FILE_NAME = "stack.json"


@dataclass(frozen=True, slots=True)
class StackDescription:
    """URLs of the backing services that the local stack runs; unset ones point nowhere on purpose."""

    database_url: str = "postgresql://parlour@127.0.0.1:1/parlour"
    redis_url: str = "redis://127.0.0.1:1/0"
    embedding_url: str = ""
    # Where the embedded llama.cpp listens once it has a file to serve.
    model_url: str = ""


def read_description(data_dir: Path) -> StackDescription:
    """What the stack under `data_dir` last wrote, or the defaults if it never ran."""
    try:
        values = json.loads((data_dir / FILE_NAME).read_text())
    except (OSError, ValueError):
        return StackDescription()
    known = StackDescription.__dataclass_fields__
    return StackDescription(**{name: value for name, value in values.items() if name in known})


def write_description(data_dir: Path, description: StackDescription) -> None:
    """Replace the file whole; it holds a password, so only its owner may read it."""
    path = data_dir / FILE_NAME
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(asdict(description)))
    draft.replace(path)


def remove_description(data_dir: Path) -> None:
    """Forget the stack under `data_dir`: nothing listens there any more."""
    (data_dir / FILE_NAME).unlink(missing_ok=True)
