"""One stack per data folder: an advisory lock that the kernel gives back when its holder dies, however it dies."""

import fcntl
import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.stack.errors import StackError


@contextmanager
def hold_data_folder(data_dir: Path) -> Iterator[None]:
    """Make the folder and keep it for this process alone until the block ends."""
    try:
        # Others may pass through (PostgreSQL's own account must), not look around.
        data_dir.mkdir(mode=0o711, parents=True, exist_ok=True)
        lock = (data_dir / "stack.lock").open("a+")
    except OSError as error:
        raise StackError(
            f"The data folder {data_dir} cannot be used by {_who()}: {error.strerror}. "
            "Start as its owner, or name another folder with DATA_DIR."
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise StackError(
                f"Parlour is already running on {data_dir} (process {holder}). "
                "Use that one, stop it, or name another folder with DATA_DIR."
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _who() -> str:
    try:
        return f"user {pwd.getpwuid(os.geteuid()).pw_name}"
    except KeyError:
        return f"user number {os.geteuid()}"
