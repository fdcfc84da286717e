"""The preload program against a scripted Ollama and Blob on loopback: what it fetches, and what it leaves alone."""

import hashlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.helm import chart

PROGRAM = chart.HELM / "files" / "preload.py"
GGUF = b"GGUF" + bytes(range(256)) * 4096


class Backend(ThreadingHTTPServer):
    """Ollama's and Blob's answers, and what was asked of them."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.models: list[str] = []
        self.blobs: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.pull_error = ""
        self.ranges: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Backend
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.note()
        if self.path == "/api/version":
            self.answer({"version": "0.24.0"})
        elif self.path == "/api/tags":
            self.answer({"models": [{"name": name} for name in self.server.models]})
        else:
            self.answer_blob()

    def do_HEAD(self) -> None:
        self.note()
        if self.path.startswith("/api/blobs/"):
            self.send(200 if self.path.rpartition("/")[2] in self.server.blobs else 404, b"")
        else:
            self.answer_blob()

    def do_POST(self) -> None:
        self.note()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.startswith("/api/blobs/"):
            self.server.blobs[self.path.rpartition("/")[2]] = body
            self.send(201, b"")
            return
        asked = json.loads(body)
        if self.path == "/api/pull" and self.server.pull_error:
            self.lines([{"status": "pulling manifest"}, {"error": self.server.pull_error}])
            return
        if self.path == "/api/create":
            assert set(asked["files"].values()) <= set(self.server.blobs)
        self.server.models.append(asked["model"] if ":" in asked["model"] else asked["model"] + ":latest")
        self.lines([{"status": "working", "total": 10, "completed": 5}, {"status": "success"}])

    def answer_blob(self) -> None:
        start, end = 0, len(GGUF) - 1
        asked = self.headers.get("x-ms-range") or self.headers.get("Range")
        if asked:
            self.server.ranges.append(asked)
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start, end = int(first), min(int(last or end), end)
        content = GGUF[start : end + 1]
        headers = {
            "ETag": '"1"',
            "Last-Modified": "Sat, 21 Nov 2026 00:00:00 GMT",
            "x-ms-blob-type": "BlockBlob",
            "Accept-Ranges": "bytes",
        }
        if asked:
            headers["Content-Range"] = f"bytes {start}-{end}/{len(GGUF)}"
        self.send(206 if asked else 200, content, headers)

    def lines(self, events: list[dict[str, Any]]) -> None:
        self.send(200, b"".join(json.dumps(event).encode() + b"\n" for event in events))

    def answer(self, body: object) -> None:
        self.send(200, json.dumps(body).encode())

    def send(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def note(self) -> None:
        self.server.requests.append(f"{self.command} {self.path}")

    def log_message(self, *_: object) -> None:
        """Nothing on the test's output."""


@pytest.fixture
def backend() -> Iterator[Backend]:
    server = Backend()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def plan(backend: Backend, folder: Path, **changes: Any) -> dict[str, Any]:
    """The plan that the chart writes for the scenario `ollama`, with this backend in it."""
    documents = chart.render("ollama")
    config = next(d for d in documents if d["kind"] == "ConfigMap" and "plan.json" in d["data"])
    rendered = json.loads(config["data"]["plan.json"])
    own = {"models_dir": str(folder), "ollama_url": backend.url, "blob_account": backend.url}
    assert own.keys() <= rendered.keys()
    return {**rendered, **own, **changes}


def preload(folder: Path, wanted: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    file = folder / "plan.json"
    file.write_text(json.dumps(wanted))
    return subprocess.run(
        [sys.executable, str(PROGRAM), str(file)], capture_output=True, text=True, check=False, timeout=60
    )


def test_preload_pulls_models_and_makes_one_of_a_gguf(backend: Backend, tmp_path: Path) -> None:
    done = preload(tmp_path, plan(backend, tmp_path))

    assert done.returncode == 0, done.stdout + done.stderr
    assert backend.models == ["qwen3:8b", "nomic-embed-text:latest", "parlour-7b-q4:latest"]
    assert (tmp_path / "gguf" / "parlour-7b-q4.gguf").read_bytes() == GGUF
    assert backend.blobs == {f"sha256:{hashlib.sha256(GGUF).hexdigest()}": GGUF}
    assert done.stdout.splitlines()[-1] == "done"


def test_preload_run_again_fetches_nothing(backend: Backend, tmp_path: Path) -> None:
    wanted = plan(backend, tmp_path)
    preload(tmp_path, wanted)
    backend.requests.clear()

    done = preload(tmp_path, wanted)

    assert done.returncode == 0
    assert not [request for request in backend.requests if request.startswith("POST")]
    assert not [request for request in backend.requests if request.startswith("GET /models")]
    assert done.stdout.count("there already") == 4


def test_preload_goes_on_where_a_download_broke(backend: Backend, tmp_path: Path) -> None:
    part = tmp_path / "gguf" / "parlour-7b-q4.gguf.part"
    part.parent.mkdir()
    part.write_bytes(GGUF[:1000])

    done = preload(tmp_path, plan(backend, tmp_path, ollama=[]))

    assert done.returncode == 0, done.stdout
    assert backend.ranges[0].startswith("bytes=1000-")
    assert part.with_suffix("").read_bytes() == GGUF
    assert not part.exists()


def test_preload_dry_run_changes_nothing_and_asks_nobody(backend: Backend, tmp_path: Path) -> None:
    done = preload(tmp_path, plan(backend, tmp_path, dry_run=True))

    assert done.returncode == 0
    assert not backend.requests
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]
    assert "would have" in done.stdout
    assert "would download" in done.stdout
    assert "would make the Ollama model parlour-7b-q4" in done.stdout


def test_preload_names_what_failed_and_fetches_the_rest(backend: Backend, tmp_path: Path) -> None:
    backend.pull_error = "pull model manifest: file does not exist"

    done = preload(tmp_path, plan(backend, tmp_path))

    assert done.returncode == 1
    assert "ollama qwen3:8b: failed, RuntimeError: pull model manifest: file does not exist" in done.stdout
    assert backend.models == ["parlour-7b-q4:latest"]
    assert done.stdout.splitlines()[-1] == "2 failed"


def test_preload_dry_run_for_vllm_names_the_cache_that_vllm_reads(tmp_path: Path) -> None:
    config = next(d for d in chart.render("vllm") if d["kind"] == "ConfigMap" and "plan.json" in d["data"])

    done = preload(tmp_path, json.loads(config["data"]["plan.json"]))

    vllm = next(pod for pod in chart.pods("vllm") if pod.component == "vllm-qwen3-8b")
    home = {e["name"]: e.get("value") for e in vllm.containers[0]["env"]}["HF_HOME"]
    assert done.returncode == 0
    assert f"would download it to {home}/hub" in done.stdout
