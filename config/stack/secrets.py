"""The laptop's own secrets, made once and kept in DATA_DIR, each readable by its owner alone."""

import os
import secrets
from pathlib import Path


def read_or_create_secret_key(data_dir: Path) -> str:
    """Django's key in `data_dir`/secret_key; a new one the first time. Where the folder cannot be written, a
    passing one, so that commands such as `check` still run."""
    try:
        return read_or_create_secret(data_dir / "secret_key")
    except OSError:
        return secrets.token_urlsafe(50)


def read_or_create_secret(path: Path) -> str:
    """The secret in the file `path`, URL-safe; a new one if there is none. Two processes that come at the same
    time agree: the file appears whole or not at all, and the first one stays."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(50))
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
