"""A local stack as a newcomer runs it: `manage.py start` in a folder of its own, watched from outside."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.stack.process import free_port, launch

ROOT = Path(__file__).resolve().parents[2]
# Generous: two busy cores and a whole stack that boots.
START_SECONDS = 90
STOP_SECONDS = 45
NOT_OURS = ("DATABASE_URL", "REDIS_URL", "EMBEDDING_URL", "INFERENCE_URL", "DATA_DIR", "PORT")
# An ordinary user, who may yet read the clone and its Python, wherever root keeps them; but not write.
AS_NOBODY = (
    *("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"),
    *("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search", "--"),
)


@dataclass
class Stack:
    """The supervisor's process and what it has said so far."""

    popen: subprocess.Popen[bytes]
    output: Path
    data_dir: Path
    url: str

    @property
    def text(self) -> str:
        return self.output.read_text()

    def await_text(self, pattern: str, *, seconds: float = START_SECONDS) -> str:
        """What the supervisor said once `pattern` is in it; fails if it ends or takes too long."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if re.search(pattern, self.text):
                return self.text
            if self.popen.poll() is not None:
                time.sleep(0.1)
                assert re.search(pattern, self.text), f"ended without saying {pattern!r}:\n{self.text}"
            time.sleep(0.05)
        raise AssertionError(f"did not say {pattern!r} in time:\n{self.text}")

    def await_page(self) -> "Stack":
        self.await_text(r"Open http://")
        return self

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def await_ready(self, status: int) -> dict[str, str]:
        """The checks of /readyz once it answers with `status`."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            code, body = self.get("/readyz")
            if code == status:
                return json.loads(body)["checks"]
            time.sleep(0.1)
        raise AssertionError(f"/readyz did not come to {status}: {body}")

    def interrupt(self) -> int:
        """Ctrl-C; the exit status."""
        self.popen.send_signal(signal.SIGINT)
        return self.popen.wait(STOP_SECONDS)

    def kill(self) -> None:
        self.popen.kill()
        self.popen.wait()

    def processes(self) -> dict[str, int]:
        """The living processes that work for this stack, by a word of their command line: the servers work in
        its folder, the others have it in their environment."""
        words = (
            "postgres -D",
            "postgres: ",
            "valkey-server",
            "model_server",
            "manage.py serve",
            "celery",
            "manage.py prepare",
        )
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                environment = (entry / "environ").read_bytes().decode(errors="replace")
                folder = (entry / "cwd").readlink()
            except OSError:
                continue
            is_ours = folder.is_relative_to(self.data_dir) or f"DATA_DIR={self.data_dir}\0" in environment
            if is_ours and int(entry.name) != self.popen.pid:
                name = next((word for word in words if word in command), command)
                found.setdefault("beat" if " beat " in command else name, int(entry.name))
        return found

    def await_nothing_left(self) -> None:
        deadline = time.monotonic() + STOP_SECONDS
        while left := self.processes():
            assert time.monotonic() < deadline, f"still running: {left}"
            time.sleep(0.1)


@contextmanager
def starting(folder: Path, *, as_nobody: bool = False, **environment: str) -> Iterator[Stack]:
    """`manage.py start` with its data in `folder`/data; stopped at the end whatever happened."""
    port = environment.pop("PORT", "") or str(free_port())
    data_dir = Path(environment.pop("DATA_DIR", "") or folder / "data")
    values = {name: value for name, value in os.environ.items() if name not in NOT_OURS}
    values |= {"PORT": port, "DATA_DIR": str(data_dir), **environment}
    output = folder / f"start-{time.monotonic_ns()}.log"
    command = (*(AS_NOBODY if as_nobody else ()), sys.executable, "manage.py", "start")
    with output.open("wb") as log:
        popen = subprocess.Popen(
            launch(command, orphan_signal=signal.SIGTERM, account=None),
            cwd=ROOT,
            env=values,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    stack = Stack(popen, output, data_dir, f"http://127.0.0.1:{port}")
    try:
        yield stack
    finally:
        if popen.poll() is None:
            popen.terminate()
            popen.wait(STOP_SECONDS)
