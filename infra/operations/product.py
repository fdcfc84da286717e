"""Parlour's own API, as any other program would use it: health, chat, documents, search.

Only the standard library, so that it runs where nothing is installed.
"""

import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from operations.console import Problem

TIMEOUT_SECONDS = 120


def is_up(url: str) -> bool:
    """Does the web process answer over the public name, with a certificate that is trusted?"""
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=10) as answer:  # noqa: S310 (https of our own making)
            return bool(answer.status == 200)
    except OSError:
        return False


@dataclass(frozen=True)
class Answer:
    """What a model said, and the passages it was given: each with `n`, `name`, `page` and `text`."""

    text: str
    citations: list[dict[str, Any]]


def _pieces(event: dict[str, Any]) -> list[str]:
    contents = (choice.get("delta", {}).get("content") for choice in event.get("choices", ()))
    return [str(content) for content in contents if content]


@dataclass(frozen=True)
class Product:
    """One Parlour and a key to it."""

    url: str
    api_key: str

    def models(self) -> list[str]:
        return [str(one["id"]) for one in self._json("GET", "/v1/models")["data"]]

    def grounded_model(self) -> str:
        """A character that answers from documents only, or the model that quotes them where nobody kept one."""
        characters = self._json("GET", "/api/v1/characters")
        slug = next((one["slug"] for one in characters if one["is_grounded"]), None)
        return f"character/{slug}" if slug else "quotes"

    def stream_chat(self, model: str, text: str, max_tokens: int = 256) -> Iterator[str]:
        """The pieces of an answer as they come. The iterator ends when the server says that it is done."""
        for event in self._events(model, text, max_tokens):
            yield from _pieces(event)

    def ask(self, model: str, text: str, max_tokens: int = 256) -> Answer:
        """A whole answer with the sources that it was written from."""
        pieces: list[str] = []
        citations: list[dict[str, Any]] = []
        for event in self._events(model, text, max_tokens):
            pieces += _pieces(event)
            citations = event.get("citations") or citations
        return Answer("".join(pieces), citations)

    def _events(self, model: str, text: str, max_tokens: int) -> Iterator[dict[str, Any]]:
        body = {
            "model": model,
            "stream": True,
            "max_tokens": max_tokens,
            "messages": [{"role": "user", "content": text}],
        }
        with self._open("POST", "/v1/chat/completions", body) as answer:
            for raw in answer:
                line = raw.decode().strip()
                if not line.startswith("data:"):
                    continue
                data = line[5:].strip()
                if data == "[DONE]":
                    return
                event = json.loads(data)
                if "error" in event:
                    raise Problem(f"The answer broke off: {event['error'].get('message', event['error'])}")
                yield event
        raise Problem("The answer broke off: the stream ended without its last event.")

    def upload(self, name: str, text: str) -> str:
        """Hand in a text document; its id."""
        boundary = uuid.uuid4().hex
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        body = f"{head}Content-Type: text/plain\r\n\r\n{text}\r\n--{boundary}--\r\n".encode()
        kind = f"multipart/form-data; boundary={boundary}"
        with self._open("POST", "/api/v1/documents", body, content_type=kind) as answer:
            return str(json.load(answer)["id"])

    def wait_until_ready(self, document: str, *, poll_seconds: float, seconds: float = 300) -> int:
        """Wait for a document to be searchable; the number of its chunks."""
        deadline = time.monotonic() + seconds
        while True:
            state = self._json("GET", f"/api/v1/documents/{document}")
            if state["status"] == "ready":
                return int(state["chunks"])
            if state["status"] == "failed":
                raise Problem(
                    f"The document could not be read: {state['error']}", "Look at the ingest worker's log."
                )
            if time.monotonic() > deadline:
                raise Problem(
                    f"The document is still {state['status']} after {seconds:.0f} s.",
                    "Does an ingest worker run, and does the embedding server answer? (/readyz)",
                )
            time.sleep(poll_seconds)

    def search(self, query: str, document: str) -> list[dict[str, Any]]:
        body = {"query": query, "k": 3, "documents": [document]}
        results: list[dict[str, Any]] = self._json("POST", "/api/v1/search", body)["results"]
        return results

    def delete_document(self, document: str) -> None:
        self._open("DELETE", f"/api/v1/documents/{document}").close()

    def _json(self, method: str, path: str, body: Any = None) -> Any:
        with self._open(method, path, body) as answer:
            return json.load(answer)

    def _open(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Any:
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 (the estate's own address)
            f"{self.url}{path}",
            data=data,
            method=method,
            headers={"Authorization": f"Bearer {self.api_key}", "Content-Type": content_type},
        )
        try:
            return urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)  # noqa: S310
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")[:300]
            raise Problem(f"{method} {path} was answered with {error.code}: {text}") from error
        except OSError as error:
            raise Problem(f"{self.url} does not answer: {error}") from error
