"""Ollama's own API on the scripted server, with a library to pull from (docs/api.md of Ollama)."""

from dataclasses import dataclass, field

from tests.openai_server import Recorded, Response, ScriptedServer


@dataclass
class OllamaLibrary:
    """What is on the server, in its memory, and on offer. A pull tells of `steps` tenths of a layer."""

    server: ScriptedServer
    offered: tuple[str, ...] = ("llama3.2:3b", "qwen2.5:0.5b")
    loaded: set[str] = field(default_factory=set)
    pulls: list[str] = field(default_factory=list)
    seconds_between_lines: float = 0.0
    layer_bytes: int = 2_000_000_000
    is_cut: bool = False
    # The pull that is being answered; how slowly may be changed while it is.
    pulling: Response | None = None

    def __post_init__(self) -> None:
        self.server.kind = "ollama"
        self.server.models = ["qwen2.5:0.5b"]
        self.server.routes.update(
            {
                ("POST", "/api/pull"): self._pull,
                ("POST", "/api/generate"): self._generate,
                ("POST", "/api/show"): lambda request: Response({"capabilities": ["completion"]}),
                ("DELETE", "/api/delete"): self._delete,
                ("GET", "/api/tags"): lambda request: Response(
                    {"models": [{"name": name, "size": 400_000_000} for name in self.server.models]}
                ),
                ("GET", "/api/ps"): lambda request: Response(
                    {"models": [{"name": name, "size_vram": 600_000_000} for name in self.loaded]}
                ),
            }
        )

    def _pull(self, request: Recorded) -> Response:
        name = request.body["model"]
        self.pulls.append(name)
        if name not in self.offered:
            return Response(
                lines=[
                    {"status": "pulling manifest"},
                    {"error": "pull model manifest: file does not exist"},
                ]
            )
        layer = {"status": "pulling 8eeb52dfb3bb", "total": self.layer_bytes}
        steps = [{**layer, "completed": self.layer_bytes * tenth // 10} for tenth in range(11)]
        if not self.is_cut and name not in self.server.models:
            self.server.models = [*self.server.models, name]
        last = [] if self.is_cut else [{"status": "verifying sha256 digest"}, {"status": "success"}]
        self.pulling = Response(
            lines=[{"status": "pulling manifest"}, *steps, *last],
            seconds_between_lines=self.seconds_between_lines,
            content_type="application/x-ndjson",
            is_cut=self.is_cut,
        )
        return self.pulling

    def _generate(self, request: Recorded) -> Response:
        name = request.body["model"]
        if request.body.get("keep_alive") == 0:
            self.loaded.discard(name)
        else:
            self.loaded.add(name)
        return Response({"model": name, "response": "", "done": True})

    def _delete(self, request: Recorded) -> Response:
        self.server.models = [name for name in self.server.models if name != request.body["model"]]
        return Response()
