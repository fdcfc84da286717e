"""What the local stack consists of: the settings it takes and the programs they lead to.

A backing service whose URL is set belongs to somebody else: it is used and never started. Nothing is started
here; `config.stack.supervisor` does that.
"""

import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config.env import Env
from config.stack.errors import StackError
from config.stack.process import Program
from inference.model_server.choice import ModelChoice

ROOT = Path(__file__).resolve().parents[2]
# Ctrl-C on a laptop: a reply that is nearly done ends well, a long one is taken up at the next start.
WEB_GRACE_SECONDS = 3
# Somebody waits for the web and for embeddings, nobody for the worker's next page.
NICENESS = 5


@dataclass(frozen=True, slots=True)
class StackSettings:
    """The environment as far as the supervisor reads it; an empty URL means that the stack runs its own."""

    host: str
    port: int
    data_dir: Path
    database_url: str
    redis_url: str
    embedding_url: str
    # The file that the embedded llama.cpp serves whatever an administrator chooses.
    model_gguf: Path | None = None

    @property
    def page_url(self) -> str:
        host = "localhost" if self.host in {"127.0.0.1", "0.0.0.0"} else self.host  # noqa: S104
        return f"http://{host}:{self.port}/"


def read_settings(values: Mapping[str, str] = os.environ) -> StackSettings:
    """The settings in the environment; StackError names everything that is wrong with them."""
    env = Env(values)
    gguf = env.path("MODEL_GGUF", Path()) if env.text("MODEL_GGUF") else None
    if gguf is not None and not gguf.is_file():
        env.problems.append(f"MODEL_GGUF must name a GGUF file; there is none at {gguf}.")
    settings = StackSettings(
        host=env.text("HOST", "127.0.0.1"),
        port=env.number("PORT", 8000, at_least=1),
        data_dir=env.path("DATA_DIR", ROOT / ".data"),
        database_url=env.text("DATABASE_URL"),
        redis_url=env.text("REDIS_URL"),
        embedding_url=env.text("EMBEDDING_URL"),
        model_gguf=gguf,
    )
    if env.problems:
        raise StackError("The environment needs mending: " + " ".join(env.problems))
    return settings


def check_port(settings: StackSettings) -> None:
    """StackError if the page's port cannot be had."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise StackError(
                f"Port {settings.port} cannot be used: {(error.strerror or '').lower()}. "
                f"Free it, or choose another one: PORT={settings.port + 1} make run"
            ) from error


def model_server(settings: StackSettings, port: int) -> Program:
    """The embedded model server on `port`; it knows neither Django nor the database."""
    return _python(
        settings,
        "model server",
        *("-m", "inference.model_server", "--port", str(port), "--data-dir", str(settings.data_dir)),
    )


def language_model(settings: StackSettings, port: int, choice: ModelChoice) -> Program:
    """The embedded llama.cpp with one file on `port`."""
    return _python(
        settings,
        "language model",
        *("-m", "inference.model_server.gguf", "--port", str(port)),
        *("--model", choice.path, "--name", choice.name),
        stop_seconds=3,
    )


def web(settings: StackSettings) -> Program:
    """HTTP, sockets and replies. It brings the schema up to date before it listens: a process of its own for
    that would boot Django once more, which takes three of the seconds a newcomer waits."""
    return _python(
        settings,
        "web",
        *("manage.py", "serve", "--host", settings.host, "--port", str(settings.port)),
        *("--grace-seconds", str(WEB_GRACE_SECONDS), "--prepare"),
        stop_seconds=WEB_GRACE_SECONDS + 7,
    )


def worker(settings: StackSettings) -> Program:
    """Celery's worker. Two tasks at least, so that one may read a file while another waits for embeddings;
    beyond four the one model server is what they wait for."""
    cores = len(os.sched_getaffinity(0))
    return _python(
        settings,
        "worker",
        *("-m", "celery", "--app", "config", "worker", "--queues", "ingest,default"),
        *("--concurrency", str(max(2, min(4, cores)))),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        stop_seconds=5,  # a task cut short is delivered again at the next start
        niceness=NICENESS,
    )


def beat(settings: StackSettings) -> Program:
    """Celery's clock."""
    schedule = settings.data_dir / "beat" / "schedule"
    schedule.parent.mkdir(exist_ok=True)
    command = ("-m", "celery", "--app", "config", "beat", "--schedule", str(schedule), "--pidfile", "")
    return _python(settings, "beat", *command, stop_seconds=3, niceness=NICENESS)


def _python(
    settings: StackSettings,
    name: str,
    *arguments: str,
    stop_seconds: float = 10,
    niceness: int = 0,
) -> Program:
    return Program(
        name=name,
        argv=(*(("nice", "-n", str(niceness)) if niceness else ()), sys.executable, *arguments),
        log=settings.data_dir / "logs" / f"{name.replace(' ', '-')}.log",
        env=_environment(settings),
        folder=ROOT,
        stop_seconds=stop_seconds,
    )


def _environment(settings: StackSettings) -> dict[str, str]:
    """Ours, with the data folder made absolute. Bytecode is always kept: without it every start compiles all
    of Django and its friends again, which doubles the time to the first page."""
    values = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**values, "DATA_DIR": str(settings.data_dir)}
