"""The environment of Python that the image has: requirements/tracing.txt and nothing else, compiled as the Dockerfile
does it. Kept in the repository for as long as the lock stays the same."""

import subprocess
from pathlib import Path

from config.bootstrap import ROOT, make_environment

VENV = ROOT / ".venv-image"


def make() -> Path:
    """The environment's folder. A lock that cannot be installed is an image that cannot be built."""
    make_environment(VENV, "requirements/tracing.txt")
    if not list(VENV.glob("lib/python*/site-packages/django/__pycache__")):
        compile_bytecode(VENV / "lib")
    return VENV


def compile_bytecode(folder: Path) -> None:
    """As the Dockerfile does, and as strictly: a file that is no Python would break the build."""
    subprocess.run([VENV / "bin" / "python", "-m", "compileall", "-q", "-j", "0", folder], check=True)
