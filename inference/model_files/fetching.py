"""The long work on GGUF files, in a worker: fetch one from the hub, and serve one on this machine.

Safe to run twice: who fetches holds a lock beside the file on this machine, and a second run leaves at once.
"""

import fcntl
import logging
import time
import uuid
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.errors import ParlourError
from accounts.models import User
from inference.errors import InferenceError
from inference.estate.discovery import is_answering
from inference.model_files.hub import Cancelled, fetch_file, find_file
from inference.model_files.services import FOLDER, can_serve_here, create_on_ollama, describe, facts_of
from inference.model_server.choice import ModelChoice, write_choice
from inference.models import FileStatus, ModelFile
from inference.services import register_configured_servers

logger = logging.getLogger(__name__)

PROGRESS_SECONDS = 0.5
# Without a sign of life for so long, whoever fetched it is gone.
ABANDONED_AFTER = timedelta(seconds=60)
# A model of some gigabytes from a slow disk.
LOADING_SECONDS = 180.0


def run_fetch(file_id: uuid.UUID) -> None:
    """Fetch a file that is wanted, and serve it if that was asked; what goes wrong stands in its row."""
    row = ModelFile.objects.filter(pk=file_id).first()
    if row is None:
        return
    if row.status == FileStatus.FETCHING:
        path = _folder() / f"{row.pk}.gguf"
        with path.with_suffix(".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return
            if not _fetch(row, path):
                return
    row.refresh_from_db()
    if row.status == FileStatus.READY and row.is_to_serve and can_serve_here():
        _serve(row)


def run_create(actor_id: uuid.UUID, file_id: uuid.UUID, server_id: uuid.UUID) -> None:
    """Give a file to an Ollama server under the file's own name; what goes wrong stands in its row."""
    row, actor = ModelFile.objects.filter(pk=file_id).first(), User.objects.filter(pk=actor_id).first()
    if row is None or actor is None:
        return
    problem = ""
    try:
        create_on_ollama(
            actor=actor,
            file_id=file_id,
            server_id=server_id,
            model_name=row.name,
            on_progress=lambda step: None,
        )
    except ParlourError as error:
        logger.warning("model file %s was not created on %s: %s", file_id, server_id, error.code)
        problem = str(error.user_message)[:500]
    ModelFile.objects.filter(pk=file_id).update(error=problem)


def abandoned_fetches() -> list[uuid.UUID]:
    """Files that somebody waits for and nobody fetches: their worker died."""
    before = timezone.now() - ABANDONED_AFTER
    abandoned = ModelFile.objects.filter(status=FileStatus.FETCHING, touched_at__lt=before)
    return list(abandoned.values_list("pk", flat=True))


def _fetch(row: ModelFile, path: Path) -> bool:
    """Whether the file is there and in Blob now."""
    try:
        wanted = find_file(row.source)
        ModelFile.objects.filter(pk=row.pk).update(size_bytes=wanted.size_bytes, sha256=wanted.sha256)
        row.size_bytes, row.sha256 = wanted.size_bytes, wanted.sha256
        fetch_file(wanted, path, _Watch(row.pk).note)
        with path.open("rb") as file:
            describe(row, facts_of(file))
    except Cancelled:
        return False
    except InferenceError as error:
        logger.warning("model file %s was not fetched: %s", row.pk, error.code)
        ModelFile.objects.filter(pk=row.pk).update(
            status=FileStatus.FAILED, error=str(error.user_message)[:500]
        )
        return False
    row.blob_name = _keep(row, path)
    row.status, row.received_bytes, row.error = FileStatus.READY, row.size_bytes, ""
    row.save()
    return True


class _Watch:
    """Writes progress down now and then, and hears there whether the file is still wanted."""

    def __init__(self, file_id: uuid.UUID) -> None:
        self._file_id = file_id
        self._noted_at = 0.0

    def note(self, received_bytes: int) -> bool:
        if time.monotonic() - self._noted_at < PROGRESS_SECONDS:
            return True
        self._noted_at = time.monotonic()
        wanted = ModelFile.objects.filter(pk=self._file_id, status=FileStatus.FETCHING)
        return bool(wanted.update(received_bytes=received_bytes, touched_at=timezone.now()))


def _keep(row: ModelFile, path: Path) -> str:
    """Put the file into Blob and return its name there; where Blob is a folder here, nothing is copied."""
    name = default_storage.get_available_name(f"{FOLDER}/{row.name}.gguf")
    try:
        target = Path(default_storage.path(name))
    except NotImplementedError:
        with path.open("rb") as file:
            saved = default_storage.save(name, File(file))
        path.unlink()
        return saved
    target.parent.mkdir(parents=True, exist_ok=True)
    path.replace(target)
    return name


def _serve(row: ModelFile) -> None:
    """Choose the file, wait until llama.cpp has it, and write the model down."""
    write_choice(Path(settings.DATA_DIR), ModelChoice(path=str(_local_path(row)), name=row.name))
    end = time.monotonic() + LOADING_SECONDS
    while not is_answering(settings.LOCAL_MODEL_URL, row.name) and time.monotonic() < end:
        time.sleep(0.3)
    register_configured_servers()


def _local_path(row: ModelFile) -> Path:
    """The file on this machine's disk, brought from Blob if need be."""
    try:
        return Path(default_storage.path(row.blob_name))
    except NotImplementedError:
        path = _folder() / f"{row.name}.gguf"
        if not path.exists() or path.stat().st_size != row.size_bytes:
            draft = path.with_suffix(".draft")
            with default_storage.open(row.blob_name) as file, draft.open("wb") as local:
                for block in file.chunks(1024 * 1024):
                    local.write(block)
            draft.replace(path)
        return path


def _folder() -> Path:
    folder = Path(settings.DATA_DIR) / "models"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
