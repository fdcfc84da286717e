"""What the supervisor says on the terminal: a line per part as it comes up, then only what needs a look.

A child's own output goes to its log; `LogWatch` picks the warnings and errors out of it.
"""

import contextlib
import re
import time
from pathlib import Path

NAME_WIDTH = 14
# Enough to recognise the matter; the whole of it is in the log.
LONGEST_LINE = 160
# A failing part may write thousands of lines; one every few seconds tells the same.
SECONDS_BETWEEN_LINES = 5.0
NOTABLE = re.compile(r"\b(WARNING|ERROR|CRITICAL|FATAL|PANIC)\b")
# What is said at every ordinary start or stop.
ORDINARY = re.compile(
    r"terminating connection due to administrator command"
    r"|WARNING Memory overcommit|the database system is (starting up|shutting down)"
    r"|running the worker with superuser privileges|\. logfile -> "
)


class Console:
    """Prints lines with the time since the start; never fails, even when the terminal is gone."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def say(self, text: str = "") -> None:
        with contextlib.suppress(OSError):
            print(text, flush=True)  # noqa: T201

    def came_up(self, name: str, detail: str) -> None:
        seconds = time.monotonic() - self._began
        self.say(f"  {name:<{NAME_WIDTH}} {detail:<44} {seconds:5.1f} s")

    def warn(self, name: str, text: str) -> None:
        self.say(f"{time.strftime('%H:%M:%S')} {name}: {text[:LONGEST_LINE]}")


class LogWatch:
    """Reads what was added to a log since the last look and returns the line worth showing, if any."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._offset = log.stat().st_size if log.exists() else 0
        self._quiet_until = 0.0

    def next_notable_line(self) -> str:
        """The first new line that names a warning or an error; empty if none, or if one was shown just now."""
        try:
            with self._log.open("rb") as log:
                log.seek(self._offset)
                added = log.read()
        except OSError:
            return ""
        complete, newline, _ = added.rpartition(b"\n")
        self._offset += len(complete) + len(newline)
        if time.monotonic() < self._quiet_until:
            return ""
        for line in complete.decode(errors="replace").splitlines():
            if NOTABLE.search(line) and not ORDINARY.search(line):
                self._quiet_until = time.monotonic() + SECONDS_BETWEEN_LINES
                return line.strip()
        return ""
