"""GGUF files: registered from Blob or by upload, fetched from a hub, given to Ollama or served on this machine.

Verbs of administrators; the long work behind them is `inference.model_files.fetching`'s, in a worker.
"""

import hashlib
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from asgiref.sync import async_to_sync
from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.errors import InvalidInput, NotAllowed, NotFound
from accounts.models import User
from inference.endpoints import endpoint_at, own_api
from inference.errors import NotAModelFile, NotServedHere, OperationUnsupported
from inference.estate.operations import can_manage
from inference.model_files.gguf import GgufFacts, NotGguf, read_facts
from inference.model_server.choice import read_choice, write_choice
from inference.models import FileStatus, ModelFile, Server, ServerKind
from inference.net.http import place
from inference.queries import has_language_model
from inference.services import refresh_models
from inference.types import Endpoint, Progress
from inference.wire import ollama

FOLDER = "models"
HASH_BLOCK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Offer:
    """A small open model that a first-time administrator can have with one click."""

    id: str
    label: str
    # owner/repository/file on the hub.
    source: str
    # For the button; what counts is what the hub says.
    about_megabytes: int
    licence: str


OFFERS = (
    Offer(
        "qwen2.5-0.5b",
        "Qwen2.5 0.5B",
        "Qwen/Qwen2.5-0.5B-Instruct-GGUF/qwen2.5-0.5b-instruct-q4_k_m.gguf",
        491,
        "Apache 2.0",
    ),
    Offer(
        "qwen2.5-1.5b",
        "Qwen2.5 1.5B",
        "Qwen/Qwen2.5-1.5B-Instruct-GGUF/qwen2.5-1.5b-instruct-q4_k_m.gguf",
        1117,
        "Apache 2.0",
    ),
)


def offers_for(user: User) -> tuple[Offer, ...]:
    """What to offer this person on their first page: nothing once a language model is connected."""
    is_wanted = user.is_staff and can_serve_here() and not has_language_model()
    return OFFERS if is_wanted else ()


def can_serve_here() -> bool:
    """Whether this installation serves files itself: a local stack whose MODEL_GGUF leaves the choice open."""
    return bool(settings.LOCAL_MODEL_URL) and not settings.MODEL_GGUF


def add_uploaded_file(*, actor: User, upload: File[bytes]) -> ModelFile:
    """Keep an uploaded GGUF in Blob; raises `NotAModelFile`."""
    _require_administrator(actor)
    facts = facts_of(cast(BinaryIO, upload))
    digest = hashlib.sha256()
    for block in upload.chunks(HASH_BLOCK_BYTES):
        digest.update(block)
    upload.seek(0)
    name = _file_name(upload.name or "model.gguf")
    blob_name = default_storage.save(f"{FOLDER}/{name}", upload)
    row = ModelFile(name=_free_name(PurePosixPath(name).stem), blob_name=blob_name)
    return _save(actor, row, facts, size_bytes=upload.size, sha256=digest.hexdigest())


def add_file_in_blob(*, actor: User, blob_name: str) -> ModelFile:
    """Register a GGUF that lies in Blob already; raises `NotFound` or `NotAModelFile`."""
    _require_administrator(actor)
    blob_name = blob_name.strip().lstrip("/")
    if not blob_name or ".." in PurePosixPath(blob_name).parts or not default_storage.exists(blob_name):
        raise NotFound(_("There is no file of this name in Blob. Write its path within the container."))
    with default_storage.open(blob_name) as file:
        facts = facts_of(cast(BinaryIO, file))
    row = ModelFile(name=_free_name(PurePosixPath(blob_name).stem), blob_name=blob_name)
    return _save(actor, row, facts, size_bytes=default_storage.size(blob_name))


def start_fetch(
    *, actor: User, source: str, is_to_serve: bool, begin: Callable[[uuid.UUID], None]
) -> ModelFile:
    """Begin to fetch `owner/repository/file.gguf` from the hub, or go on with it; `begin` hands it to a worker."""
    _require_administrator(actor)
    if is_to_serve and not can_serve_here():
        raise NotServedHere
    parts = source.strip().split("/")
    if len(parts) < 3 or not all(parts) or ".." in parts or not source.endswith(".gguf"):
        raise InvalidInput(_("Name a file of the hub as owner/repository/file.gguf."))
    with transaction.atomic():
        row = ModelFile.objects.select_for_update().filter(source=source).first()
        if row is None:
            row = ModelFile(name=_free_name(PurePosixPath(source).stem), source=source)
        elif row.status == FileStatus.READY:
            return row
        row.status, row.error, row.touched_at = FileStatus.FETCHING, "", timezone.now()
        row.is_to_serve = row.is_to_serve or is_to_serve
        row.save()
        audit.record(actor=actor, verb="fetch_model_file", target=row)
        transaction.on_commit(lambda: begin(row.pk))
    return row


def cancel_fetch(*, actor: User, file_id: uuid.UUID) -> None:
    """Stop fetching; what is there is kept for the next time."""
    _require_administrator(actor)
    row = _get(file_id)
    ModelFile.objects.filter(pk=row.pk, status=FileStatus.FETCHING).update(
        status=FileStatus.FAILED, error=str(_("Stopped. Fetching again goes on from here."))
    )


def serve_file(*, actor: User, file_id: uuid.UUID, begin: Callable[[uuid.UUID], None]) -> ModelFile:
    """Serve a file with the embedded llama.cpp in place of the one before; raises `NotServedHere`."""
    _require_administrator(actor)
    if not can_serve_here():
        raise NotServedHere
    row = _get(file_id)
    if row.status != FileStatus.READY:
        raise InvalidInput(_("This file is not there yet."))
    with transaction.atomic():
        ModelFile.objects.filter(pk=row.pk).update(is_to_serve=True)
        audit.record(actor=actor, verb="serve_model_file", target=row)
        transaction.on_commit(lambda: begin(row.pk))
    return row


def stop_serving(*, actor: User, file_id: uuid.UUID) -> ModelFile:
    """Serve this file no more, and none in its place; raises `NotServedHere`."""
    _require_administrator(actor)
    if not can_serve_here():
        raise NotServedHere
    row, folder = _get(file_id), Path(settings.DATA_DIR)
    choice = read_choice(folder)
    if choice is None or choice.name != row.name:
        raise InvalidInput(_("This file is not being served."))
    with transaction.atomic():
        ModelFile.objects.filter(pk=row.pk).update(is_to_serve=False)
        audit.record(actor=actor, verb="stop_model_file", target=row)
        transaction.on_commit(lambda: write_choice(folder, None))
    return row


def create_on_ollama(
    *,
    actor: User,
    file_id: uuid.UUID,
    server_id: uuid.UUID,
    model_name: str,
    on_progress: Callable[[Progress], None],
) -> None:
    """Give a file to an Ollama server as a model of that name; bytes that it has already are not sent again."""
    _require_administrator(actor)
    row, server = _get(file_id), Server.objects.filter(pk=server_id).first()
    if server is None:
        raise NotFound
    if not can_manage(server):
        raise OperationUnsupported(server.name, ServerKind(server.kind).label)
    endpoint = own_api(endpoint_at(server, model_name.strip() or row.name.lower()))
    there = place(server_name=server.name, base_url=endpoint.base_url, api_key=endpoint.api_key)
    sha256 = row.sha256 or _hash_in_blob(row)
    if not ollama.has_blob(there, sha256):
        with default_storage.open(row.blob_name) as file:
            size = row.size_bytes
            ollama.send_blob(
                there,
                sha256,
                cast(BinaryIO, file),
                size,
                lambda sent: on_progress(Progress("sending", sent, size)),
            )
    audit.record(actor=actor, verb="create_model", target=server)
    async_to_sync(_create)(endpoint, PurePosixPath(row.blob_name).name, sha256, on_progress)
    refresh_models(actor=actor, server_id=server_id)


def delete_file(*, actor: User, file_id: uuid.UUID) -> None:
    """Remove a file from Blob, and its row."""
    _require_administrator(actor)
    row = _get(file_id)
    blob_name = row.blob_name
    with transaction.atomic():
        audit.record(actor=actor, verb="delete_model_file", target=row)
        row.delete()
        if blob_name:
            transaction.on_commit(lambda: default_storage.delete(blob_name))


def facts_of(file: BinaryIO) -> GgufFacts:
    """The facts of a GGUF, which stands at its beginning afterwards; raises `NotAModelFile`."""
    try:
        facts = read_facts(file)
    except NotGguf:
        raise NotAModelFile from None
    file.seek(0)
    return facts


def describe(row: ModelFile, facts: GgufFacts) -> ModelFile:
    """The row with what the file's head tells."""
    row.architecture = facts.architecture[:60]
    row.parameters, row.context_tokens = facts.parameters, facts.context_tokens
    row.quantisation = facts.quantisation
    return row


async def _create(
    endpoint: Endpoint, file_name: str, sha256: str, on_progress: Callable[[Progress], None]
) -> None:
    async for progress in ollama.create(endpoint, file_name, sha256):
        on_progress(progress)


def _save(actor: User, row: ModelFile, facts: GgufFacts, *, size_bytes: int, sha256: str = "") -> ModelFile:
    row.size_bytes = row.received_bytes = size_bytes
    row.sha256 = sha256
    with transaction.atomic():
        describe(row, facts).save()
        audit.record(actor=actor, verb="add_model_file", target=row)
    return row


def _hash_in_blob(row: ModelFile) -> str:
    digest = hashlib.sha256()
    with default_storage.open(row.blob_name) as file:
        for block in file.chunks(HASH_BLOCK_BYTES):
            digest.update(block)
    ModelFile.objects.filter(pk=row.pk).update(sha256=digest.hexdigest())
    return digest.hexdigest()


def _get(file_id: uuid.UUID) -> ModelFile:
    row = ModelFile.objects.filter(pk=file_id).first()
    if row is None:
        raise NotFound
    return row


def _file_name(name: str) -> str:
    """A name that is safe in Blob and as a model's: letters, digits, dots and dashes."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", PurePosixPath(name.replace("\\", "/")).stem).strip("-.")[:100]
    return f"{stem or 'model'}.gguf"


def _free_name(name: str) -> str:
    taken = set(ModelFile.objects.filter(name__startswith=name).values_list("name", flat=True))
    return next(one for one in (name, *(f"{name}-{number}" for number in range(2, 1000))) if one not in taken)


def _require_administrator(actor: User) -> None:
    if not actor.is_staff:
        raise NotAllowed
