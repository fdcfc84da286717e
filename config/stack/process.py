"""Child processes that cannot outlive us: how the local stack starts and stops a program.

Every child runs in a session of its own, so that Ctrl-C in the terminal reaches the supervisor alone and the
order of stopping is ours, and under `setpriv --pdeathsig`, so that the kernel ends it should we die without a
word (`kill -9`). Watching, restarting and reporting are `config.stack.supervisor`'s business.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from config.stack.accounts import Account
from config.stack.errors import StackError

# From util-linux, which Debian marks essential. It keeps the pid: setpriv replaces itself with the program.
LAUNCHER = "setpriv"
READY_SECONDS = 60
# Looked at when a program starts; one older log is kept.
LARGEST_LOG_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Program:
    """What to run and how to end it.

    `stop_signal` asks for an orderly end and is followed by `kill_signal`, to the whole group, after
    `stop_seconds`; `orphan_signal` is what the kernel sends when this process dies first. `account` is who
    runs it where we are root, `folder` where it works.
    """

    name: str
    argv: tuple[str, ...]
    log: Path
    env: Mapping[str, str] | None = None
    folder: Path = Path("/")
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10
    orphan_signal: signal.Signals = signal.SIGKILL
    kill_signal: signal.Signals = signal.SIGKILL
    account: Account | None = None


def launch(argv: tuple[str, ...], *, orphan_signal: signal.Signals, account: Account | None) -> list[str]:
    """`argv` behind the launcher that ties it to this process and drops root where `account` is given."""
    drop = account.launcher_options if account else ()
    return [LAUNCHER, "--pdeathsig", orphan_signal.name.removeprefix("SIG"), *drop, "--", *argv]


def start(program: Program) -> subprocess.Popen[bytes]:
    """Start `program` with its output appended to its log.

    Call it from the main thread: the kernel's death signal follows the thread that forked, not the process.
    """
    program.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    command = launch(program.argv, orphan_signal=program.orphan_signal, account=program.account)
    if program.log.exists() and program.log.stat().st_size > LARGEST_LOG_BYTES:
        program.log.replace(program.log.with_suffix(".old.log"))
    try:
        with program.log.open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=program.env,
                cwd=program.folder,
                start_new_session=True,
            )
    except FileNotFoundError as error:
        raise StackError(
            f"The command {LAUNCHER!r} is missing. It comes with the package util-linux."
        ) from error


def stop(program: Program, process: subprocess.Popen[bytes]) -> None:
    """End the process in the program's own way, by force when that takes too long; wait until it is gone."""
    if process.poll() is not None:
        return
    process.send_signal(program.stop_signal)
    try:
        process.wait(program.stop_seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, program.kill_signal)
        process.wait()


def wait_until(is_ready: Callable[[], bool], *, process: subprocess.Popen[bytes], program: Program) -> None:
    """Return once `is_ready`; raise StackError when the process ends first or a minute has passed.

    A minute: PostgreSQL replays its log after a crash before it answers.
    """
    deadline = time.monotonic() + READY_SECONDS
    while not is_ready():
        if process.poll() is not None:
            raise StackError(
                f"{program.name} ended at once: {last_line(program.log)} (more in {program.log})"
            )
        if time.monotonic() > deadline:
            raise StackError(
                f"{program.name} did not answer within {READY_SECONDS} seconds. See {program.log}."
            )
        time.sleep(0.02)


def last_line(log: Path) -> str:
    """The last line of text in a log file, without surrounding blanks; empty if there is none."""
    try:
        lines = log.read_text(errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def free_port() -> int:
    """A loopback TCP port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_listening(host: str, port: int) -> bool:
    """Whether a TCP connection to the port is accepted."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def is_alive(pid: int) -> bool:
    """Whether a process with this number exists, whoever owns it."""
    return Path(f"/proc/{pid}").exists()


def plain_environment() -> dict[str, str]:
    """The environment for servers that take their settings from us alone: nothing of PGHOST, LC_* or TZ."""
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}
