"""Ollama's own API on the scripted server: models that come, go, are shown and loaded, as its docs/api.md says."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from tests.openai_server import Recorded, Response, ScriptedServer

LLAMA: dict[str, Any] = {
    "details": {
        "format": "gguf",
        "family": "llama",
        "parameter_size": "3.2B",
        "quantization_level": "Q4_K_M",
    },
    "model_info": {
        "general.architecture": "llama",
        "general.parameter_count": 3212749888,
        "llama.context_length": 131072,
        "llama.embedding_length": 3072,
    },
    "capabilities": ["completion", "tools"],
}
EMBEDDER: dict[str, Any] = {
    "details": {
        "format": "gguf",
        "family": "nomic-bert",
        "parameter_size": "137M",
        "quantization_level": "F16",
    },
    "model_info": {
        "general.architecture": "nomic-bert",
        "general.parameter_count": 136727040,
        "nomic-bert.context_length": 2048,
        "nomic-bert.embedding_length": 768,
    },
    "capabilities": ["embedding"],
}
SIZE_BYTES = 2019393189


@dataclass
class OllamaApi:
    """Give it a server, which becomes Ollama. `library` is what can be pulled."""

    server: ScriptedServer
    library: dict[str, dict[str, Any]] = field(default_factory=lambda: {"llama3.2:latest": LLAMA})
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    loaded: set[str] = field(default_factory=set)
    blobs: dict[str, bytes] = field(default_factory=dict)
    # How a pull ends after its first steps: whole, or as a broken line.
    is_cut: bool = False

    def __post_init__(self) -> None:
        self.server.kind = "ollama"
        self.server.routes |= {
            ("GET", "/v1/models"): lambda request: Response(
                {
                    "object": "list",
                    "data": [{"id": name, "owned_by": "library"} for name in self.models] or None,
                }
            ),
            ("GET", "/api/tags"): lambda request: Response(
                {"models": [{"name": name, "size": SIZE_BYTES} for name in self.models]}
            ),
            ("GET", "/api/ps"): lambda request: Response(
                {"models": [{"name": name} for name in self.loaded]}
            ),
            ("POST", "/api/show"): self._show,
            ("POST", "/api/pull"): self._pull,
            ("POST", "/api/create"): self._create,
            ("DELETE", "/api/delete"): self._delete,
            ("POST", "/api/generate"): self._generate,
            ("POST", "/api/embed"): self._embed,
        }
        self.server.fallback = self._blob

    def _show(self, request: Recorded) -> Response:
        shown = self.models.get(_whole(request.body["model"]))
        return Response(shown) if shown else _missing(request.body["model"])

    def _pull(self, request: Recorded) -> Response:
        name = _whole(request.body["model"])
        if name not in self.library:
            lines = [{"status": "pulling manifest"}, {"error": "pull model manifest: file does not exist"}]
            return Response(lines=lines, content_type="application/x-ndjson")
        digest, total = "sha256:dde5aa3fc5ff", SIZE_BYTES
        lines = [{"status": "pulling manifest"}]
        for completed in (None, total // 2, total):
            step = {"status": f"pulling {digest[7:]}", "digest": digest, "total": total}
            lines.append(step if completed is None else {**step, "completed": completed})
        if not self.is_cut:
            lines += [{"status": word} for word in ("verifying sha256 digest", "writing manifest", "success")]
            self.models[name] = self.library[name]
        return Response(
            lines=lines, content_type="application/x-ndjson", is_cut=self.is_cut, seconds_between_lines=0.01
        )

    def _create(self, request: Recorded) -> Response:
        (digest,) = request.body["files"].values()
        if digest.removeprefix("sha256:") not in self.blobs:
            return Response({"error": f'blob "{digest}" does not exist'}, 400)
        self.models[_whole(request.body["model"])] = LLAMA
        return Response(lines=[{"status": "parsing GGUF"}, {"status": "success"}])

    def _delete(self, request: Recorded) -> Response:
        gone = self.models.pop(_whole(request.body["model"]), None)
        return Response(b"") if gone else _missing(request.body["model"])

    def _generate(self, request: Recorded) -> Response:
        name = _whole(request.body["model"])
        if name not in self.models:
            return _missing(request.body["model"])
        if self.models[name] is EMBEDDER:
            return Response({"error": f'"{name}" does not support generate'}, 400)
        is_leaving = request.body.get("keep_alive") == 0
        (self.loaded.discard if is_leaving else self.loaded.add)(name)
        return Response(
            {"model": name, "response": "", "done": True, "done_reason": "unload" if is_leaving else "load"}
        )

    def _embed(self, request: Recorded) -> Response:
        self.loaded.add(_whole(request.body["model"]))
        return Response({"model": request.body["model"], "embeddings": []})

    def _blob(self, request: Recorded) -> Response | None:
        if not request.path.startswith("/api/blobs/sha256:"):
            return None
        digest = request.path.rpartition(":")[2]
        if request.method == "HEAD":
            return Response(b"", 200 if digest in self.blobs else 404)
        if hashlib.sha256(request.body).hexdigest() != digest:
            return Response({"error": "digest mismatch"}, 400)
        self.blobs[digest] = request.body
        return Response(b"", 201)


def _whole(name: str) -> str:
    return name if ":" in name else f"{name}:latest"


def _missing(name: str) -> Response:
    return Response({"error": f"model '{name}' not found"}, 404)
