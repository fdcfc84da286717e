"""Where the parts of an upload are put: straight into the blob that the document will have, wherever blobs are.

Azure keeps a part as an uncommitted block of the blob, named by its offset, until the list of blocks is
committed; a folder has the growing file itself. No rows here.
"""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

_STEP_BYTES = 256 * 1024


class Stream(Protocol):
    """What parts are read from; a request is one."""

    def read(self, size: int = ..., /) -> bytes: ...


def write_part(blob_name: str, offset: int, part: Stream, length: int) -> int:
    """Store `length` bytes of `part` at `offset`; how many there were. The same part twice is the same as once."""
    client = _azure_blob(blob_name)
    if client is not None:
        # Whole, because the client may have to send it again; a part is small.
        data = b"".join(_pieces(part, length))
        client.stage_block(block_id=_block_id(offset), data=data, length=len(data))
        return len(data)
    path = _path(blob_name, is_new=offset == 0)
    written = 0
    with path.open("r+b") as file:
        file.truncate(offset)
        file.seek(offset)
        for piece in _pieces(part, length):
            written += file.write(piece)
    return written


def join_parts(blob_name: str) -> None:
    """Make one blob of the parts, in the order of their offsets."""
    client = _azure_blob(blob_name)
    if client is None:
        return
    from azure.storage.blob import BlobBlock

    _, uncommitted = client.get_block_list("all")
    client.commit_block_list([BlobBlock(block_id=name) for name in sorted(block.id for block in uncommitted)])


def read_range(blob_name: str, offset: int, length: int) -> bytes:
    """So many bytes of the blob from `offset`; fewer at its end."""
    client = _azure_blob(blob_name)
    if client is not None:
        data: bytes = client.download_blob(offset=offset, length=length).readall()
        return data
    with default_storage.open(blob_name, "rb") as file:
        file.seek(offset)
        found: bytes = file.read(length)
        return found


def read_first(blob_name: str, length: int) -> bytes:
    """The first bytes of what is not joined yet; none on Azure, where uncommitted blocks cannot be read."""
    return b"" if _azure_blob(blob_name) is not None else read_range(blob_name, 0, length)


def _azure_blob(blob_name: str) -> Any:
    """Azure's client for this blob, None where blobs are files."""
    container = getattr(default_storage, "client", None)
    return None if container is None else container.get_blob_client(blob_name)


def _block_id(offset: int) -> str:
    return base64.b64encode(f"{offset:020}".encode()).decode()


def _path(blob_name: str, *, is_new: bool) -> Path:
    if is_new and not default_storage.exists(blob_name):
        default_storage.save(blob_name, ContentFile(b""))
    return Path(default_storage.path(blob_name))


def _pieces(part: Stream, length: int) -> Iterator[bytes]:
    while length > 0 and (piece := part.read(min(_STEP_BYTES, length))):
        length -= len(piece)
        yield piece
