"""The scripted model server in a process of its own, which a test can kill as a machine that loses power.

python -m tests.model_server_process PORT
"""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from config.stack.process import free_port
from tests.openai_server import ScriptedServer

START_SECONDS = 20


class ModelServerProcess:
    """A model server to be killed. `url` ends in /v1."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}/v1"
        self.popen = subprocess.Popen([sys.executable, "-m", __name__, str(port)])

    def await_ready(self) -> "ModelServerProcess":
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with (
                suppress(urllib.error.URLError, OSError),
                urllib.request.urlopen(f"{self.url}/models", timeout=2),
            ):
                return self
            time.sleep(0.05)
        raise AssertionError("The model server did not start.")

    def kill(self) -> None:
        self.popen.kill()
        self.popen.wait()


@contextmanager
def model_servers(count: int) -> Iterator[list[ModelServerProcess]]:
    """So many servers, listening; those still alive are ended afterwards."""
    servers = [ModelServerProcess(free_port()) for _ in range(count)]
    try:
        yield [server.await_ready() for server in servers]
    finally:
        for server in servers:
            server.kill()


def _main(port: int) -> None:
    server = ScriptedServer()
    server.port = port
    server.start()
    server._thread.join()


if __name__ == "__main__":
    _main(int(sys.argv[1]))
