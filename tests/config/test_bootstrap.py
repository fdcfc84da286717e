"""`make` on a fresh clone: environments and front end, from the standard library alone."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import xllamacpp

from config.bootstrap import trim_library

ROOT = Path(__file__).resolve().parents[2]
# The Python that made the environment these tests run in: a newcomer has no other.
PYTHON = str(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}")
PACKAGE = """{"name": "clone", "version": "1.0.0", "scripts": {"build": "node build.mjs"}}"""
PACKAGE_LOCK = (
    """{"name": "clone", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": {"name": "clone"}}}"""
)
BUILD = """
import { mkdirSync } from "node:fs";
mkdirSync("config/static/dist", { recursive: true });
console.log("built the page");
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone with nothing to install and next to nothing to build."""
    (tmp_path / "config" / "frontend").mkdir(parents=True)
    (tmp_path / "config" / "__init__.py").touch()
    shutil.copy(ROOT / "config" / "bootstrap.py", tmp_path / "config")
    (tmp_path / "config" / "frontend" / "page.ts").write_text("export {};")
    (tmp_path / "requirements").mkdir()
    for name in ("local", "dev", "node"):
        (tmp_path / "requirements" / f"{name}.txt").touch()
    (tmp_path / "package.json").write_text(PACKAGE)
    (tmp_path / "package-lock.json").write_text(PACKAGE_LOCK)
    (tmp_path / "build.mjs").write_text(BUILD)
    return tmp_path


def bootstrap(clone: Path, target: str, *, python: str = PYTHON) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-m", "config.bootstrap", target],
        cwd=clone,
        env={**os.environ, "CHROMIUM": "/bin/true"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(shutil.which("npm") is None, reason="would download Node")
def test_newcomer_gets_environments_and_a_page_once(clone):
    first = bootstrap(clone, "test")
    assert first.returncode == 0, first.stderr
    assert "Making .venv\n" in first.stdout
    assert "built the page" in first.stdout
    # The developers' environment sees what is in the other one, and pip is in neither.
    packages = next((clone / ".venv").glob("lib/python*/site-packages"))
    (packages / "only_here.py").write_text("")
    assert subprocess.run([clone / ".venv-test" / "bin" / "python", "-c", "import only_here"]).returncode == 0
    assert not list(clone.glob(".venv*/lib/python*/site-packages/pip"))

    assert bootstrap(clone, "test").stdout == ""

    (clone / "config" / "frontend" / "page.ts").write_text("export const changed = true;")
    again = bootstrap(clone, "run").stdout
    assert "built the page" in again
    assert "Installing" not in again


@pytest.mark.skipif(shutil.which("npm") is None, reason="would download Node")
def test_newcomer_with_a_broken_package_list_is_shown_the_step(clone):
    (clone / "requirements" / "local.txt").write_text("parlour-has-no-such-package==1.0\n")
    done = bootstrap(clone, "run")
    assert done.returncode == 1
    assert "This step failed, see above:" in done.stderr
    assert not (clone / ".venv" / "installed").exists()


def test_trimmed_library_is_small_and_still_loads(tmp_path):
    package = Path(xllamacpp.__file__).parent
    copy = tmp_path / "xllamacpp"
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__"))
    library = copy / "xllamacpp.abi3.so"
    trim_library(library)
    size = library.stat().st_size
    assert size < 40_000_000
    trim_library(library)
    assert library.stat().st_size == size
    command = [
        sys.executable,
        "-c",
        "import xllamacpp; print(xllamacpp.__file__, xllamacpp.CommonParams().port)",
    ]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert said.startswith(str(copy))
