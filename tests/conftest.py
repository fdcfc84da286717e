"""The ground all tests stand on: this run's own PostgreSQL and Redis, never shared with another run.

Both start when pytest loads this file, before Django reads its settings, on free ports in a temporary folder,
and end with the session; should pytest be killed, the kernel ends them (`config.stack.process`).
"""

import fcntl
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import django
import pytest
import redis

from config.stack import plan
from config.stack.process import free_port, is_listening, start, stop, wait_until
from config.stack.services import running_services
from tests import ahead

FOLDER_PREFIX = "parlour-tests-"
# Nothing here outlives the session, so nothing needs to reach the disk.
THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
ROOT = Path(__file__).resolve().parent.parent
FLUSH_TRIES = 10
GROUPS = {"browser": "browser", "helm": "estate", "infra": "estate"}

_session = ExitStack()


def _sweep_leftovers() -> None:
    """Remove the folders of killed sessions: those whose lock nobody holds any more."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER_PREFIX}*"):
        try:
            with (folder / "lock").open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue


def _start_services() -> None:
    _sweep_leftovers()
    folder = Path(_session.enter_context(tempfile.TemporaryDirectory(prefix=FOLDER_PREFIX)))
    lock = _session.enter_context((folder / "lock").open("w"))
    fcntl.flock(lock, fcntl.LOCK_EX)
    data_dir = folder / "data"
    services = _session.enter_context(running_services(data_dir, postgres_settings=THROWAWAY))
    # A developer's own settings would change what the tests see.
    for name in re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE):
        os.environ.pop(name, None)
    os.environ["DATA_DIR"] = str(data_dir)
    os.environ["DATABASE_URL"] = services.database_url
    os.environ["REDIS_URL"] = services.redis_url
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"


ahead.share()
_start_services()
# Here rather than by pytest-django, whose turn comes after conftest files that import models.
django.setup()


def pytest_configure(config: pytest.Config) -> None:
    """The processes of `pytest -n` start servers of their own: they must not find the settings named before that."""
    if config.getoption("numprocesses", None):
        del os.environ["DJANGO_SETTINGS_MODULE"]


def pytest_unconfigure() -> None:
    _session.close()


# Before pytest-xdist reads the marks.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """On several cores (`pytest -n 2 --dist loadgroup`) each file stays whole, and so does what shares much: the
    browser's tests, and those of chart and estate."""
    for item in items:
        room = item.path.relative_to(ROOT).parts[1]
        group = GROUPS.get(room, str(item.path))
        item.add_marker(pytest.mark.xdist_group(group))


def pytest_collection_finish(session: pytest.Session) -> None:
    """What takes long and needs no test before it is begun now, if a test of this run needs it."""
    needed = {name for item in session.items for name in getattr(item, "fixturenames", ())}
    if needed & {"checkov_report", "image"} and not session.config.option.collectonly:
        ahead.begin()


@pytest.fixture(scope="session")
def checkov_report() -> dict[str, dict[str, Any]]:
    """What checkov says, by framework; every test of policies reads this one report."""
    from tests.policies import read_report

    ahead.wait()
    return read_report(ahead.report())


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """The server goes with the session, and its databases with it: nothing to drop, nobody to wait for."""
    return True


@pytest.fixture(autouse=True, scope="session")
def patient_flush() -> None:
    """Between tests with real processes Django empties the tables, while a process may still be ending what the test
    left running: where their locks cross, PostgreSQL breaks one off. It is tried again."""
    from django.core.management import CommandError
    from django.test import TransactionTestCase

    flush = TransactionTestCase._fixture_teardown

    def flush_patiently(case: TransactionTestCase) -> None:
        for left in reversed(range(FLUSH_TRIES)):
            try:
                flush(case)
                return
            except CommandError:
                if not left:
                    raise
                time.sleep(0.5)

    TransactionTestCase._fixture_teardown = flush_patiently


@pytest.fixture(autouse=True)
def fresh_redis() -> None:
    """Every test begins with an empty Redis: no cache, no queue, no reply log of the one before."""
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        client.flushdb()


@pytest.fixture(autouse=True)
def fresh_estate() -> None:
    """No test sees the servers and models that this process remembers from the one before."""
    from inference.queries import forget_estate

    forget_estate()


@pytest.fixture(scope="session")
def embedding_server() -> Iterator[str]:
    """The real model server with the real model, for the whole session; the URL that EMBEDDING_URL has from
    then on, here and in child processes. Who asks for it registers it in its own database rows."""
    from django.conf import settings

    port = free_port()
    program = plan.model_server(plan.read_settings(), port)
    url = f"http://127.0.0.1:{port}/v1"
    process = start(program)
    try:
        wait_until(lambda: is_listening("127.0.0.1", port), process=process, program=program)
        os.environ["EMBEDDING_URL"] = settings.EMBEDDING_URL = url
        yield url
    finally:
        stop(program, process)
