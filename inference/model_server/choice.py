"""Which GGUF file this machine serves: a small file that an administrator's choice writes and the local stack reads.

Without Django, since `config.stack` reads it before there is any.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

FILE_NAME = "serve.json"


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A file and what its model is called."""

    path: str
    name: str


def choice_of(path: Path) -> ModelChoice:
    """The choice of a file as it lies, called by its name without the ending."""
    return ModelChoice(path=str(path), name=path.stem)


def read_choice(data_dir: Path) -> ModelChoice | None:
    """What was chosen last, or None; also where the file that was chosen is gone."""
    try:
        values = json.loads((data_dir / "models" / FILE_NAME).read_text())
        choice = ModelChoice(path=str(values["path"]), name=str(values["name"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return choice if Path(choice.path).is_file() else None


def write_choice(data_dir: Path, choice: ModelChoice | None) -> None:
    """Replace the choice whole; None serves nothing any more."""
    path = data_dir / "models" / FILE_NAME
    if choice is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.draft")
    draft.write_text(json.dumps(asdict(choice)))
    draft.replace(path)
