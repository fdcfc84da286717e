"""What takes long and needs no test before it (`tests.background`), done in a process of its own from the moment that
the tests are collected: those that need it come late in the run and find it done.

`begin` starts it; who needs a part calls `wait` and then does what it would do anyway, which by then has nothing left
to do, or says why it cannot be done. On a fresh clone this is a minute of installing that nobody waits for. The
processes of one run (pytest-xdist) share what the first of them began: they find its folder in the environment.
"""

import atexit
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from config.stack.process import launch

FOLDER = "PARLOUR_TESTS_AHEAD"
_running: list[subprocess.Popen[bytes]] = []


def share() -> None:
    """Make the folder that this run's processes share; gone with the process that made it."""
    if FOLDER not in os.environ:
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="parlour-ahead-")
        atexit.register(shutil.rmtree, os.environ[FOLDER], ignore_errors=True)


def report() -> Path:
    """Where checkov's report is, or comes to be."""
    return Path(os.environ[FOLDER]) / "checkov.json"


def begin() -> None:
    """Start, politely, what no other process of the run has started; it ends with this one, whatever happens."""
    try:
        lock = os.open(_lock(), os.O_CREAT | os.O_EXCL | os.O_RDWR)
    except FileExistsError:
        return
    fcntl.flock(lock, fcntl.LOCK_EX)
    command = ("nice", sys.executable, "-m", "tests.background", str(report()))
    _running.append(
        subprocess.Popen(
            launch(command, orphan_signal=signal.SIGKILL, account=None),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # The lock is the child's from here on, and opens when the child ends.
            pass_fds=(lock,),
        )
    )
    os.close(lock)
    atexit.register(_end)


def wait() -> None:
    """Return when what was begun has ended, well or not."""
    if _lock().exists():
        with _lock().open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
    while _running:
        _running.pop().wait()


def _end() -> None:
    for process in _running:
        process.terminate()
        process.wait()


def _lock() -> Path:
    return Path(os.environ[FOLDER]) / "lock"
