"""Fetches models before anybody asks for them: Ollama pulls, Hugging Face repositories, GGUF files from Blob.

Runs in the preload Job on the application's image, with the models volume at `models_dir`. What is there already
is left alone, so that it can be run again at any time. With `dry_run` it only says what it would do.

    python preload.py plan.json
"""

import contextlib
import hashlib
import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

BLOCK_BYTES = 8 * 1024 * 1024
# Ollama may still be waiting for its node and its volume: the Job starts with the release.
OLLAMA_WAIT_SECONDS = 1800
REPORT_SECONDS = 5.0


def main(plan_path: str) -> int:
    """Carry the plan out; 1 where something could not be fetched, after all else was."""
    plan = json.loads(Path(plan_path).read_text())
    failures = 0
    for name, step in _steps(plan):
        try:
            say(f"{name}: {step()}")
        except Exception as error:  # noqa: BLE001 (one model's failure must not keep the others from coming)
            failures += 1
            say(f"{name}: failed, {type(error).__name__}: {error}")
    say(f"{failures} failed" if failures else "done, nothing was changed" if plan["dry_run"] else "done")
    return 1 if failures else 0


def say(line: str) -> None:
    print(line, flush=True)


def _steps(plan: dict[str, Any]) -> Iterator[tuple[str, Callable[[], str]]]:
    models_dir, is_dry = Path(plan["models_dir"]), plan["dry_run"]
    is_ollama = plan["mode"] == "ollama"
    if is_ollama and (plan["ollama"] or plan["gguf"]) and not is_dry:
        _wait_for_ollama(plan["ollama_url"])
    if is_ollama:
        for name in plan["ollama"]:
            yield f"ollama {name}", partial(pull, plan["ollama_url"], name, is_dry=is_dry)
    else:
        for name in plan["huggingface"]:
            yield f"huggingface {name}", partial(download_repository, models_dir, name, is_dry=is_dry)
    for name in plan["gguf"]:
        yield f"gguf {name}", partial(fetch_gguf, plan, name)


def fetch_gguf(plan: dict[str, Any], name: str) -> str:
    """Download one GGUF file; where Ollama answers, make a model of it as well."""
    path, is_dry = Path(plan["models_dir"]) / "gguf" / Path(name).name, plan["dry_run"]
    outcome = download_blob(plan["blob_account"], plan["blob_container"], name, path, is_dry=is_dry)
    if plan["mode"] == "ollama":
        outcome += "; " + create_from_gguf(plan["ollama_url"], path, is_dry=is_dry)
    return outcome


# Ollama


def pull(base_url: str, name: str, *, is_dry: bool) -> str:
    """Have Ollama pull `name`, unless it has it."""
    if is_dry:
        return f"would have {base_url} pull it"
    if name in _ollama_models(base_url):
        return "there already"
    return _follow(base_url, "/api/pull", {"model": name})


def create_from_gguf(base_url: str, path: Path, *, is_dry: bool) -> str:
    """Make an Ollama model named after the file."""
    name = path.stem.lower()
    if is_dry:
        return f"would make the Ollama model {name}"
    if f"{name}:latest" in _ollama_models(base_url):
        return f"the Ollama model {name} is there already"
    digest = "sha256:" + _sha256(path)
    if not _has_ollama_blob(base_url, digest):
        with path.open("rb") as source:
            length = {"Content-Length": str(path.stat().st_size)}
            _request(base_url + f"/api/blobs/{digest}", data=source, method="POST", headers=length)
    outcome = _follow(base_url, "/api/create", {"model": name, "files": {path.name: digest}})
    return f"Ollama model {name}: {outcome}"


def _ollama_models(base_url: str) -> set[str]:
    tags = json.loads(_request(base_url + "/api/tags"))
    names = {model["name"] for model in tags["models"]}
    return names | {name.removesuffix(":latest") for name in names}


def _has_ollama_blob(base_url: str, digest: str) -> bool:
    try:
        _request(base_url + f"/api/blobs/{digest}", method="HEAD")
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return False
        raise
    return True


def _follow(base_url: str, path: str, body: dict[str, Any]) -> str:
    """Post and print the progress that Ollama streams as JSON lines; its error is raised."""
    request = urllib.request.Request(base_url + path, json.dumps({**body, "stream": True}).encode())
    reported_at, status = 0.0, ""
    with urllib.request.urlopen(request) as answer:
        for line in answer:
            event = json.loads(line)
            if "error" in event:
                raise RuntimeError(event["error"])
            status = event.get("status", status)
            total, now = event.get("total"), time.monotonic()
            if total and now - reported_at > REPORT_SECONDS:
                reported_at = now
                say(f"  {body['model']}: {status}, {100 * event.get('completed', 0) // total} %")
    if status != "success":
        raise RuntimeError(f"Ollama ended with {status or 'nothing'!r}")
    return "fetched"


def _wait_for_ollama(base_url: str) -> None:
    deadline = time.monotonic() + OLLAMA_WAIT_SECONDS
    while True:
        try:
            _request(base_url + "/api/version")
            return
        except OSError as error:
            if time.monotonic() > deadline:
                raise SystemExit(f"{base_url} did not answer in {OLLAMA_WAIT_SECONDS} s: {error}") from error
            time.sleep(5)


def _request(url: str, **options: Any) -> bytes:
    with urllib.request.urlopen(urllib.request.Request(url, **options), timeout=600) as answer:
        content: bytes = answer.read()
    return content


# Files


def download_repository(models_dir: Path, name: str, *, is_dry: bool) -> str:
    """Download a Hugging Face repository into its cache under the models volume."""
    cache_dir = models_dir / "huggingface" / "hub"
    if is_dry:
        return f"would download it to {cache_dir}"
    from huggingface_hub import snapshot_download

    return f"in {snapshot_download(name, cache_dir=cache_dir)}"


def download_blob(account: str, container: str, name: str, path: Path, *, is_dry: bool) -> str:
    """Download a blob to `path`, going on where a broken download ended; whole files are left alone."""
    if is_dry:
        return f"would download {account}/{container}/{name} to {path}"
    from azure.identity import DefaultAzureCredential
    from azure.storage.blob import BlobClient

    # A full URL stands for an emulator; an account name for Azure.
    url = account if "://" in account else f"https://{account}.blob.core.windows.net"
    credential = None if url.startswith("http://") else DefaultAzureCredential()
    with BlobClient(url, container, name, credential=credential) as blob:
        size = blob.get_blob_properties().size
        if path.exists() and path.stat().st_size == size:
            return "there already"
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(path.suffix + ".part")
        with contextlib.suppress(FileNotFoundError):
            if draft.stat().st_size > size:
                draft.unlink()
        start = draft.stat().st_size if draft.exists() else 0
        if start < size:
            with draft.open("ab") as target:
                for block in blob.download_blob(offset=start, length=size - start).chunks():
                    target.write(block)
    if draft.stat().st_size != size:
        raise RuntimeError(f"{draft.stat().st_size} of {size} bytes came")
    draft.replace(path)
    return f"{size} bytes fetched"


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as source:
        while block := source.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
