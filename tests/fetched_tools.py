"""Tools that tests need and that cannot stand in the developers' lock: fetched once, kept, skipped where they
cannot be had.

checkov pins half of what the application uses to other versions, so it has an environment of its own. promtool is
no Python package: Debian's prometheus package is unpacked, not installed.
"""

import platform
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from config.bootstrap import ROOT, BootstrapError, make_environment

CHECKOV_VENV = ROOT / ".venv-checkov"
CHECKOV_LOCK = "tests/helm/checkov.txt"
PROMTOOL_FOLDER = ROOT / ".venv-promtool"
Missing = pytest.skip.Exception


@cache
def checkov() -> Path:
    """The checkov program; the first call installs it (half a minute, 220 MB)."""
    try:
        make_environment(CHECKOV_VENV, CHECKOV_LOCK)
    except (BootstrapError, subprocess.CalledProcessError) as error:
        pytest.skip(f"checkov cannot be installed here: {error}")
    return CHECKOV_VENV / "bin" / "checkov"


@cache
def promtool() -> Path:
    """The promtool program: the system's, or Debian's, unpacked into the repository (20 MB to fetch)."""
    if found := shutil.which("promtool"):
        return Path(found)
    program = PROMTOOL_FOLDER / "usr" / "bin" / "promtool"
    if not program.exists():
        if not shutil.which("apt-get") or platform.system() != "Linux":
            pytest.skip("promtool is not here, and apt-get, which could fetch it, is not either")
        PROMTOOL_FOLDER.mkdir(exist_ok=True)
        # apt's own unprivileged user may not write here, which it warns of and gets over.
        fetched = _run(["apt-get", "download", "-qq", "prometheus"])
        if fetched.returncode:  # a fresh machine has no package lists yet
            _run(["apt-get", "update", "-qq"])
            fetched = _run(["apt-get", "download", "-qq", "prometheus"])
        packages = sorted(PROMTOOL_FOLDER.glob("prometheus_*.deb"))
        if fetched.returncode or not packages:
            pytest.skip(f"apt-get cannot fetch prometheus: {fetched.stderr.strip()}")
        _run(["dpkg-deb", "-x", packages[-1].name, "."])
        packages[-1].unlink()
    return program


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=PROMTOOL_FOLDER, capture_output=True, text=True, check=False)
