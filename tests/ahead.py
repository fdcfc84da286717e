"""What takes long and needs no test before it (`tests.background`), done in a process of its own from the moment that
the tests are collected: those that need it come late in the run and find it done.

`begin` starts it; who needs a part calls `wait` and then does what it would do anyway, which by then has nothing left
to do, or says why it cannot be done. On a fresh clone this is a minute of installing that nobody waits for.
"""

import atexit
import shutil
import signal
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from config.stack.process import launch

_running: list[subprocess.Popen[bytes]] = []


@cache
def report() -> Path:
    """Where checkov's report is, or comes to be; gone with the session."""
    folder = Path(tempfile.mkdtemp(prefix="parlour-ahead-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder / "checkov.json"


def begin() -> None:
    """Start, politely; the process ends with this one, whatever happens."""
    command = ("nice", sys.executable, "-m", "tests.background", str(report()))
    _running.append(
        subprocess.Popen(
            launch(command, orphan_signal=signal.SIGKILL, account=None),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    )


def wait() -> None:
    """Return when what was begun has ended, well or not."""
    while _running:
        _running.pop().wait()
