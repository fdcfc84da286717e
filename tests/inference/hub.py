"""A model hub on loopback: resolves with a redirect to where the bytes are, which it gives in ranges."""

import hashlib
import re
from dataclasses import dataclass, field

from tests.openai_server import Recorded, Response, ScriptedServer

SOURCE = "Team/Tiny-GGUF/tiny.gguf"


@dataclass
class Hub:
    """Give it a running server; `url` is what MODEL_HUB is set to."""

    server: ScriptedServer
    content: bytes
    sha256: str = ""
    # Bytes after which each of the next responses breaks.
    cuts: list[int] = field(default_factory=list)
    knows_ranges: bool = True
    seconds_between_blocks: float = 0
    ranges: list[str] = field(default_factory=list)
    source: str = SOURCE

    def __post_init__(self) -> None:
        self.sha256 = self.sha256 or hashlib.sha256(self.content).hexdigest()
        owner, repository, file = self.source.split("/", 2)
        resolve = f"/{owner}/{repository}/resolve/main/{file}"
        self.server.routes |= {
            ("HEAD", resolve): self._resolve,
            ("GET", resolve): self._resolve,
            ("GET", "/cdn/blob"): self._give,
        }

    @property
    def url(self) -> str:
        return self.server.root_url

    def _resolve(self, request: Recorded) -> Response:
        headers = {
            "Location": f"{self.url}/cdn/blob?signature=x%2F",
            "X-Linked-Size": str(len(self.content)),
            "X-Linked-ETag": f'"{self.sha256}"',
            "X-Repo-Commit": "0" * 40,
        }
        return Response(status=302, headers=headers)

    def _give(self, request: Recorded) -> Response:
        asked = request.headers.get("range", "")
        self.ranges.append(asked)
        start = int(match[1]) if self.knows_ranges and (match := re.match(r"bytes=(\d+)-", asked)) else 0
        rest = self.content[start:]
        is_cut = bool(self.cuts)
        if is_cut:
            rest = rest[: self.cuts.pop(0)]
        blocks = [rest[at : at + 65536] for at in range(0, len(rest), 65536)]
        return Response(
            status=206 if start else 200,
            content_type="application/octet-stream",
            lines=blocks,
            seconds_between_lines=self.seconds_between_blocks,
            is_cut=is_cut,
        )
