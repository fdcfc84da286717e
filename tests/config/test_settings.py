"""The environment: what an operator can set is written down, and what is wrong with it is said at once."""

import os
import re
import subprocess
import sys
from pathlib import Path

from config.env import Env

ROOT = Path(__file__).resolve().parents[2]


def run_command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_example_lists_every_setting_that_is_read():
    read = set()
    for source in ("settings.py", "stack/plan.py"):
        read |= set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', (ROOT / "config" / source).read_text()))
    listed = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    # INFERENCE_API_KEY is a secret: `inference` reads it where it is used, and no settings object holds it.
    assert listed - {"INFERENCE_API_KEY"} == read


def test_operator_gets_every_problem_of_the_environment_at_once():
    env = Env({"PORT": "many", "DEBUG": "perhaps", "LOG_FORMAT": "poem", "SIZE": "1"})
    assert env.number("PORT", 8000) == 8000
    assert env.flag("DEBUG") is False
    assert env.choice("LOG_FORMAT", ("readable", "json")) == "readable"
    assert env.number("SIZE", 4, at_least=2) == 4
    assert [problem.split()[0] for problem in env.problems] == ["PORT", "DEBUG", "LOG_FORMAT", "SIZE"]


def test_command_names_what_is_wrong_with_the_environment():
    done = run_command("check", LOG_LEVEL="LOUD")
    assert done.returncode != 0
    assert "LOG_LEVEL must be one of INFO, DEBUG, WARNING, ERROR, not 'LOUD'." in done.stderr


def test_command_without_a_database_says_one_sentence():
    done = run_command("createsuperuser", "--noinput", DATABASE_URL="postgresql://x:y@127.0.0.1:1/x")
    assert done.returncode == 1
    assert done.stderr.startswith(
        "The database does not answer. Start one with `make run`, or set DATABASE_URL."
    )
    assert len(done.stderr.strip().splitlines()) == 1


def test_developer_makes_migrations_without_a_database():
    done = run_command(
        "makemigrations", "--check", "--dry-run", DATABASE_URL="postgresql://x:y@127.0.0.1:1/x"
    )
    assert done.stderr == ""
