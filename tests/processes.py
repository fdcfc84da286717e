"""Real processes of Parlour on the test's database and Redis: web servers and workers that can be killed."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dj_database_url
from django.conf import settings
from django.db import connection

from config.stack.process import launch

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 90
STOP_SECONDS = 20


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def child_environment(**changes: str) -> dict[str, str]:
    """The environment of a child that shares this test's database, Redis and files."""
    url = dj_database_url.parse(settings.DATABASE_URL)
    address = f"{url['USER']}:{url['PASSWORD']}@{url['HOST']}:{url['PORT']}"
    database_url = f"postgresql://{address}/{connection.settings_dict['NAME']}"
    return {**os.environ, "DATABASE_URL": database_url, "EMBEDDING_URL": settings.EMBEDDING_URL, **changes}


@dataclass
class Process:
    """A child with the end of its log at hand."""

    popen: subprocess.Popen[bytes]
    log: Path
    url: str = ""

    def kill(self) -> None:
        """As when the machine loses power."""
        self.popen.send_signal(signal.SIGKILL)
        self.popen.wait()

    def terminate(self) -> None:
        """As an orderly restart does; returns when the process is gone."""
        self.popen.terminate()
        self.popen.wait(STOP_SECONDS + 20)

    @property
    def log_text(self) -> str:
        return self.log.read_text(errors="replace")

    def await_ready(self) -> "Process":
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.popen.poll() is not None:
                raise AssertionError(f"The web process ended at its start:\n{self.log_text[-3000:]}")
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=2):
                    return self
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        raise AssertionError(f"The web process did not answer in time:\n{self.log_text[-3000:]}")


def start_web(
    folder: Path, *, port: int | None = None, grace_seconds: float = 2, **environment: str
) -> Process:
    """A web process, listening."""
    port = port or free_port()
    command = ["serve", "--port", str(port), "--grace-seconds", str(grace_seconds)]
    process = _start(folder / f"web-{port}-{time.monotonic_ns()}.log", ["manage.py", *command], environment)
    process.url = f"http://127.0.0.1:{port}"
    return process.await_ready()


def start_worker(folder: Path, *, queues: str = "ingest,default", **environment: str) -> Process:
    """A Celery worker; it takes tasks when it is up, whenever that is."""
    command = ["-m", "celery", "-A", "config", "worker", "-Q", queues, "--concurrency", "1"]
    return _start(folder / f"worker-{time.monotonic_ns()}.log", command, environment)


@contextmanager
def stopped_at_end(*processes: Process) -> Iterator[None]:
    """Ends what is still alive, also when the test fails."""
    try:
        yield
    finally:
        for process in processes:
            if process.popen.poll() is None:
                process.popen.terminate()
        for process in processes:
            try:
                process.popen.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _start(log: Path, arguments: list[str], environment: dict[str, str]) -> Process:
    with log.open("wb") as output:
        popen = subprocess.Popen(
            launch((sys.executable, *arguments), orphan_signal=signal.SIGKILL, account=None),
            cwd=ROOT,
            env=child_environment(**environment),
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
    return Process(popen, log)
