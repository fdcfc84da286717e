"""A SillyTavern data folder as files by kind, from a directory or a ZIP of one; nothing is unpacked to disk."""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from django.utils.translation import gettext as _

from accounts.errors import InvalidInput

MAX_FILES = 50_000
# Chats of years stay below it; cards have a limit of their own.
MAX_FILE_BYTES = 64 * 1024 * 1024
_KINDS = ("characters", "worlds", "chats", "groups", "group chats", "User Avatars")
_SETTINGS = "settings.json"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the folder: its path from the folder's root, in parts."""

    parts: tuple[str, ...]
    size_bytes: int

    @property
    def kind(self) -> str:
        return self.parts[0]

    @property
    def name(self) -> str:
        return self.parts[-1]

    @property
    def stem(self) -> str:
        return PurePosixPath(self.name).stem

    @property
    def path(self) -> str:
        return "/".join(self.parts)


class Folder:
    """The files that matter, wherever in the archive the data folder begins."""

    def __init__(self, source: Path | IO[bytes]) -> None:
        self._archive: zipfile.ZipFile | None = None
        self._root = source if isinstance(source, Path) and source.is_dir() else None
        if self._root is None:
            try:
                self._archive = zipfile.ZipFile(source)
            except (zipfile.BadZipFile, zipfile.LargeZipFile, OSError, ValueError) as error:
                raise InvalidInput(
                    _(
                        "That is neither a folder nor a ZIP archive. Pack SillyTavern's data folder into a ZIP."
                    )
                ) from error
        self._places: dict[tuple[str, ...], Path | zipfile.ZipInfo] = {}
        self.entries = sorted(self._find(), key=lambda entry: entry.parts)
        if not self.entries:
            raise InvalidInput(
                _(
                    "There are no characters, worlds or chats in it. It is the folder data/default-user that is needed."
                )
            )

    def of_kind(self, kind: str, *endings: str) -> Iterator[Entry]:
        """The files below a folder of this name with one of these endings."""
        return (
            entry for entry in self.entries if entry.kind == kind and entry.name.lower().endswith(endings)
        )

    def read(self, entry: Entry) -> bytes | None:
        """The file's bytes; None where it is too large, broken or encrypted."""
        place = self._places[entry.parts]
        try:
            if isinstance(place, Path):
                with place.open("rb") as file:
                    data = file.read(MAX_FILE_BYTES + 1)
            else:
                assert self._archive is not None
                with self._archive.open(place) as member:
                    data = member.read(MAX_FILE_BYTES + 1)
        # What `zipfile` and its decompressors raise for broken, encrypted or exotic members.
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError):
            return None
        return data if len(data) <= MAX_FILE_BYTES else None

    def find(self, *parts: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.parts == parts), None)

    def close(self) -> None:
        if self._archive is not None:
            self._archive.close()

    def _find(self) -> Iterator[Entry]:
        for place, parts, size in self._walk():
            below = _below_root(parts)
            if below is None or below in self._places:
                continue
            self._places[below] = place
            yield Entry(below, size)

    def _walk(self) -> Iterator[tuple[Path | zipfile.ZipInfo, tuple[str, ...], int]]:
        if self._root is not None:
            for number, path in enumerate(self._root.rglob("*")):
                if number >= MAX_FILES:
                    raise InvalidInput(
                        _("That folder has more than 50,000 files. Import its parts one by one.")
                    )
                # A link could lead out of the folder.
                if path.is_file() and not path.is_symlink():
                    yield path, path.relative_to(self._root).parts, path.stat().st_size
            return
        assert self._archive is not None
        members = self._archive.infolist()
        if len(members) > MAX_FILES:
            raise InvalidInput(_("That archive has more than 50,000 files. Import its parts one by one."))
        for member in members:
            if not member.is_dir():
                yield member, PurePosixPath(member.filename).parts, member.file_size


def _below_root(parts: tuple[str, ...]) -> tuple[str, ...] | None:
    """The path from the data folder on, or None for what is of no kind that comes in."""
    if parts[-1] == _SETTINGS and len(parts) <= 3:
        return (_SETTINGS,)
    for place, part in enumerate(parts[:-1]):
        if part in _KINDS:
            return parts[place:]
    return None
