"""Fixtures for estate.py: fake tools on PATH, and a small Parlour that speaks its API."""

import ast
import contextlib
import io
import json
import ssl
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from operations.cli import main

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
ANSWERS = HERE / "answers"
RECORDINGS = HERE / "recordings"
TOOLS = ("az", "kubectl", "helm", "kubelogin", "git")
# What every command of az takes.
EVERY_COMMAND = {"--subscription", "--only-show-errors", "--output", "--query"}


def answer(name: str) -> str:
    """What a tool says; answers/README.md tells where it is from."""
    return (ANSWERS / name).read_text()


def recorded(tool: str, name: str) -> dict[str, Any]:
    """What the real tool answered, as a rule's stdout, stderr and rc; recordings/README.md tells how."""
    found = recordings(tool)["answers"][name]
    return {key: found[key] for key in ("stdout", "stderr", "rc")}


@cache
def recordings(tool: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((RECORDINGS / f"{tool}.json").read_text())
    return content


def unknown_to_az(argv: list[str]) -> Iterator[str]:
    """What the real az would refuse of a command line: its commands and options were read out of it."""
    grammar = recordings("az-commands")["answers"]
    words = list(takewhile(lambda word: not word.startswith("-"), argv))
    command = next((c for n in range(len(words), 0, -1) if (c := " ".join(words[:n])) in grammar), None)
    if command is None:
        yield f"no such command: {' '.join(words)}"
    elif grammar[command] is not None:
        given = {word.partition("=")[0] for word in argv if word.startswith("--")} - EVERY_COMMAND
        names = {name for arguments, _ in grammar[command] for name in arguments}
        yield from (f"{command}: no option {name}" for name in sorted(given - names))
        for arguments, is_required in grammar[command]:
            if is_required and arguments and not given & set(arguments):
                yield f"{command}: {arguments[0]} is not given"


@dataclass
class Done:
    """How a run ended."""

    returncode: int
    stdout: str
    stderr: str


@dataclass
class Estate:
    """Runs estate.py with nothing but fake tools on PATH, and tells what it ran."""

    home: Path
    patch: pytest.MonkeyPatch

    def script(self, *rules: dict[str, Any]) -> None:
        (self.home / "script").write_text(repr(list(rules)))

    def remove(self, tool: str) -> None:
        (self.home / "bin" / tool).unlink()

    def run(self, *arguments: str) -> Done:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(arguments)
        return Done(code, out.getvalue(), err.getvalue())

    def visits(self, house: "RunningHouse", key: str = "key-of-the-test") -> None:
        """From here on the house's certificate is trusted and the key is in the environment."""
        self.patch.setenv("SSL_CERT_FILE", str(house.certificate))
        self.patch.setenv("PARLOUR_API_KEY", key)

    @property
    def calls(self) -> list[dict[str, Any]]:
        path = self.home / "calls"
        return [ast.literal_eval(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def commands(self) -> list[str]:
        return [call["command"] for call in self.calls]

    def call(self, part: str) -> dict[str, Any]:
        """The one call whose command line holds `part`."""
        (found,) = [call for call in self.calls if part in call["command"]]
        return found

    def given(self, part: str) -> list[dict[str, Any]]:
        """The parameters that calls with `part` were handed in a private file; each file's mode is `mode`."""
        found = []
        for call in self.calls:
            if part in call["command"]:
                (file,) = [file for name, file in call["files"].items() if "params" not in name]
                values = json.loads(file["text"])["parameters"]
                found.append(
                    {"mode": file["mode"], "values": {name: one["value"] for name, one in values.items()}}
                )
        return found

    def happened_in_order(self, *parts: str) -> bool:
        places = [next(i for i, command in enumerate(self.commands) if part in command) for part in parts]
        return places == sorted(places)


@pytest.fixture
def estate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Estate]:
    """An estate at its fake tools; whatever the test was about, no command line may be one that az does not take."""
    binaries = tmp_path / "bin"
    binaries.mkdir()
    for tool in TOOLS:
        path = binaries / tool
        path.write_text(f"#!{sys.executable} -IS\n{(HERE / 'fake_tool.py').read_text()}")
        path.chmod(0o755)
    for name in ("HOME", "FAKE_TOOLS_HOME", "TMPDIR"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("PATH", str(binaries))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("PARLOUR_API_KEY", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    made = Estate(tmp_path, monkeypatch)
    yield made
    asked = [call["argv"] for call in made.calls if call["command"].startswith("az ")]
    assert [problem for argv in asked for problem in unknown_to_az(argv)] == []


class House(BaseHTTPRequestHandler):
    """The part of Parlour's API that the estate's commands use, with an answer that cites what was uploaded."""

    state: dict[str, Any] = {}

    def log_message(self, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path == "/healthz":
            self._json({"status": "ok"})
        elif not self._is_signed_in():
            self._json({"detail": "no"}, 401)
        elif self.path == "/v1/models":
            self._json({"data": [{"id": name} for name in self.state["models"]]})
        elif self.path == "/api/v1/characters":
            self._json([{"slug": "bram", "is_grounded": False}, {"slug": "odile", "is_grounded": True}])
        elif self.path.startswith("/api/v1/documents/"):
            self.state["polls"] += 1
            status = "ready" if self.state["polls"] > 1 else "embedding"
            self._json(
                {"status": self.state.get("document_status", status), "chunks": 1, "error": "unreadable"}
            )
        else:
            self._json({}, 404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not self._is_signed_in():
            self._json({"detail": "no"}, 401)
        elif self.path == "/api/v1/documents":
            self.state["document"] = body.decode()
            self._json({"id": "d1", "status": "queued"}, 202)
        elif self.path == "/api/v1/search":
            text = self.state["document"] if self.state.get("is_found", True) else "something else"
            self._json({"results": [{"document": {"id": "d1"}, "page": 1, "text": text}]})
        elif self.path == "/v1/chat/completions":
            self._stream(json.loads(body))
        else:
            self._json({}, 404)

    def do_DELETE(self) -> None:
        self.state["deleted"].append(self.path)
        self.send_response(204)
        self.end_headers()

    def _is_signed_in(self) -> bool:
        return self.headers.get("Authorization") == "Bearer key-of-the-test"

    def _stream(self, body: dict[str, Any]) -> None:
        self.state["asked"].append(body["model"])
        if self.state.get("is_broken"):
            self._json({"error": {"message": "the model is away"}}, 503)
            return
        is_grounded = body["model"] == "character/odile"
        words = self.state.get("cited", "It is heliotrope-4711. [1]") if is_grounded else "Good day to you."
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for word in words.split(" "):
            event = {"choices": [{"delta": {"content": f"{word} "}}]}
            self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
        if is_grounded:
            source = {"n": 1, "name": "estate-verification.txt", "page": 1, "text": self.state["document"]}
            self.wfile.write(f"data: {json.dumps({'choices': [], 'citations': [source]})}\n\n".encode())
        if not self.state.get("is_cut"):
            self.wfile.write(b"data: [DONE]\n\n")

    def _json(self, value: object, status: int = 200) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@dataclass
class RunningHouse:
    host: str
    state: dict[str, Any]
    certificate: Path


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that a program trusts once SSL_CERT_FILE names it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + signed.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def house(certificate: Path) -> Iterator[RunningHouse]:
    """A small Parlour on https://localhost:PORT."""
    state = {"models": ["quotes", "character/odile"], "polls": 0, "deleted": [], "asked": []}
    handler = type("House", (House,), {"state": state})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield RunningHouse(f"localhost:{server.server_port}", state, certificate)
    server.shutdown()
    server.server_close()
    thread.join()


def deployment(host: str = "chat.example.com", **changes: str) -> dict[str, Any]:
    """The outputs of a deployment as az prints them."""
    outputs = json.loads(answer("deployment-outputs.json"))
    outputs["hostName"]["value"] = host
    for name, value in changes.items():
        outputs[name]["value"] = value
    return outputs
