"""What can be told of a file before it is read: its size, its type by its bytes, a name that is only a name."""

from pathlib import PurePath, PureWindowsPath

from django.conf import settings
from django.core.files.base import File

from documents.errors import FileEmpty, FileTooLarge, error_for
from documents.extraction.formats import HEAD_BYTES, TAIL_BYTES, MediaType, Unreadable, detect_media_type

NAME_CHARACTERS_MAX = 200


def check_file(file: File[bytes], name: str) -> MediaType:
    """The file's type; raises the `DocumentError` that its size and its first and last bytes tell."""
    if not file.size:
        raise FileEmpty
    if file.size > settings.UPLOAD_MAX_BYTES:
        raise FileTooLarge
    file.seek(0)
    head = file.read(HEAD_BYTES)
    file.seek(max(0, file.size - TAIL_BYTES))
    tail = file.read(TAIL_BYTES)
    file.seek(0)
    return check_head(head, tail, name)


def check_head(head: bytes, tail: bytes, name: str) -> MediaType:
    """The type of a file of which these are the first and the last bytes."""
    try:
        return detect_media_type(head, tail, name)
    except Unreadable as error:
        raise error_for(error.code) from error


def clean_name(name: str) -> str:
    """The last part of what may be a path of any system, without control characters, bounded in length."""
    last = PurePath(PureWindowsPath(name).name).name
    kept = "".join(letter for letter in last if letter.isprintable()).strip(" .")
    if len(kept) > NAME_CHARACTERS_MAX:
        suffix = PurePath(kept).suffix[:20]
        kept = kept[: NAME_CHARACTERS_MAX - len(suffix)] + suffix
    return kept
