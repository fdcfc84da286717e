"""What the processes of the local stack have cost so far: processor time and memory, by program, from /proc.

Only a stack on this machine tells; elsewhere there is nothing to read. What ended counts with whoever waited for it.
"""

import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

# By a word of the command line; whatever matches none is a child of the one above it.
_PROGRAMS = (
    ("valkey-server", "Redis"),
    ("bin/postgres", "PostgreSQL"),
    ("inference.model_server.gguf", "language model"),
    ("inference.model_server", "model server"),
    ("manage.py serve", "web"),
    ("config worker", "worker"),
    ("config beat", "beat"),
)
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of processor since the start, and resident bytes now; shared pages count with each process."""

    cpu_seconds: float
    resident_bytes: int


def read_costs(data_dir: Path) -> dict[str, Cost]:
    """By program, for the stack that holds this data folder; empty if none runs here."""
    try:
        root = int((data_dir / "stack.lock").read_text())
        parents = _parents()
    except (OSError, ValueError):
        return {}
    seconds: dict[str, float] = defaultdict(float)
    resident: dict[str, int] = defaultdict(int)
    for process in parents:
        program = _program(process, root, parents)
        if program is None:
            continue
        try:
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        # proc(5): utime, stime, cutime, cstime are the 14th to 17th, the state after the name is the third.
        seconds[program] += sum(map(int, fields[11:15])) / _TICKS
        resident[program] += int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    return {program: Cost(seconds[program], resident[program]) for program in seconds}


def _parents() -> dict[int, int]:
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                found[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    return found


def _program(process: int, root: int, parents: dict[int, int]) -> str | None:
    """What the stack calls the child of its own that this process is, or descends from."""
    while parents.get(process, 0) not in {0, root}:
        process = parents[process]
    if parents.get(process) != root:
        return None
    try:
        command = Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return None
    return next((name for word, name in _PROGRAMS if word in command), None)
