"""Files of characters that nothing names any more are removed from storage, some time after they were stored.

A file's name is made of its content, so a version, a copy or another person may share it: it goes when no row of
any kind names it. Who stores the same content meanwhile says so before they look whether it is there
(`characters.pictures.mark_wanted`), and a file that was wanted in that very moment is put back.
"""

import logging
from collections.abc import Iterable
from datetime import timedelta

from django.core.files.storage import default_storage
from django.utils import timezone

from characters.assets.models import Asset
from characters.models import CardFile, Character
from characters.personas.models import Persona
from characters.pictures import FOLDER, is_wanted, keep_file, main_name, read_file
from characters.versions.models import Version

logger = logging.getLogger(__name__)

# Between a file and the row that names it lie seconds; a backup that is brought back may lack rows for longer.
KEEP_DAYS = 7
MOST_AT_ONCE = 1_000


def remove_unnamed_files(*, keep: timedelta = timedelta(days=KEEP_DAYS)) -> int:
    """Remove what no row names and what was stored longer than `keep` ago; how many files went."""
    try:
        stored = list_files()
    except FileNotFoundError:
        return 0
    before, removed = timezone.now() - keep, 0
    named = _named(None)
    for name in stored:
        if main_name(name) in named or removed == MOST_AT_ONCE:
            continue
        if default_storage.get_modified_time(name) < before and _remove(name):
            removed += 1
    if removed:
        logger.info("Removed %d files of characters that nothing named", removed)
    return removed


def list_files() -> list[str]:
    """The names of all files of characters in storage. Azure tells them whole, a file system without the folder."""
    return [f"{FOLDER}/{name.rpartition('/')[2]}" for name in default_storage.listdir(FOLDER)[1]]


def _remove(name: str) -> bool:
    """Whether the file is gone."""
    main = main_name(name)
    if is_wanted(main) or _named([main]):
        return False
    data = read_file(name)
    default_storage.delete(name)
    if is_wanted(main) or _named([main]):
        keep_file(name, data)
        return False
    return True


def _named(names: Iterable[str] | None) -> set[str]:
    """Those of the names that some row has; of all names with None."""
    found: set[str] = set()
    for rows, field in (
        (Character.objects.all(), "avatar"),
        (Version.objects.all(), "avatar"),
        (Persona.objects.all(), "avatar"),
        (Asset.objects.all(), "file"),
        (CardFile.objects.all(), "file"),
    ):
        chosen = rows if names is None else rows.filter(**{f"{field}__in": names})
        found.update(chosen.exclude(**{field: ""}).values_list(field, flat=True).distinct())
    return found | _remembered(names)


def _remembered(names: Iterable[str] | None) -> set[str]:
    """The same for what versions remember of files."""
    if names is not None:
        remembering = {name: [{"file": name}] for name in names}
        return {
            name
            for name, files in remembering.items()
            if Version.objects.filter(belongings__files__contains=files).exists()
        }
    versions = Version.objects.exclude(belongings=None).values_list("belongings__files", flat=True)
    return {file["file"] for files in versions.iterator() for file in files or ()}
