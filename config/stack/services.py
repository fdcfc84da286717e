"""PostgreSQL and Redis without a supervisor: for the tests, and for anything else that lives briefly."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.stack.postgres import Postgres
from config.stack.process import free_port, start, stop, wait_until
from config.stack.valkey import Valkey


@dataclass(frozen=True, slots=True)
class Services:
    """Where the two listen; the URLs hold their passwords."""

    database_url: str
    redis_url: str


@contextmanager
def running_services(
    data_dir: Path, *, postgres_settings: Mapping[str, str] | None = None
) -> Iterator[Services]:
    """Both servers under `data_dir` on free ports, ready, until the block ends or this process dies."""
    postgres = Postgres(data_dir, free_port(), postgres_settings or {})
    valkey = Valkey(data_dir, free_port())
    with ExitStack() as stack:
        started = []
        for server in (valkey, postgres):
            server.prepare()
            program = server.program
            process = start(program)
            stack.callback(stop, program, process)
            started.append((server, program, process))
        for server, program, process in started:
            wait_until(server.is_ready, process=process, program=program)
        yield Services(database_url=postgres.url, redis_url=valkey.url)
