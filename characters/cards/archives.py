"""Many cards at once: a ZIP of characters out, a ZIP of cards in, with a line for each.

What cannot be read is named and left out; the rest comes in. An archive is read member by member, each within its
own limit, so that what it says of its sizes is not believed.
"""

import io
import uuid
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.errors import ParlourError
from accounts.models import User
from characters.cards.reading import MAX_BYTES, read_card
from characters.cards.services import MOST_PNG_BYTES, export_png, import_card
from characters.cards.window import Window
from characters.errors import CardRefused
from characters.models import Character

MAX_ARCHIVE_BYTES = 256 * 1024 * 1024
MAX_CARDS = 2_000
_ENDINGS = (".png", ".json", ".charx")


@dataclass(frozen=True, slots=True)
class Arrival:
    """What became of one member of an archive: a character, or the sentence that says why not."""

    name: str
    character: Character | None
    refusal: str = ""


def export_zip(*, actor: User, character_ids: Sequence[uuid.UUID]) -> Iterator[bytes]:
    """A ZIP with a PNG card for each, named by short name, in pieces of one card. Raises, when it comes to it, for one
    that the actor may not change.

    Once it has grown to what `import_zip` takes, further cards come without their files.
    """
    window = Window()
    slugs = dict(Character.objects.filter(pk__in=character_ids).values_list("pk", "slug"))
    # PNGs are compressed already.
    with zipfile.ZipFile(window, "w", zipfile.ZIP_STORED) as archive:
        for key in character_ids:
            if key in slugs:
                most_bytes = MOST_PNG_BYTES if window.tell() < MAX_ARCHIVE_BYTES - 2 * MAX_BYTES else 0
                card = export_png(actor=actor, character_id=key, most_bytes=most_bytes)
                archive.writestr(f"{slugs[key]}.png", card)
                yield window.take()
    yield window.take()


def import_zip(*, actor: User, data: bytes) -> list[Arrival]:
    """A character for every card in the archive. Raises `CardRefused` for what is no archive at all."""
    return [_import_one(actor, name, content) for name, content in read_members(data)]


def read_members(data: bytes) -> Iterator[tuple[str, bytes | None]]:
    """Names and contents of an archive's cards; None for the content of one that cannot be unfolded."""
    if len(data) > MAX_ARCHIVE_BYTES:
        raise CardRefused(_("That archive is larger than 256 MB. Divide it and import the parts."))
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, zipfile.LargeZipFile, OSError, ValueError, NotImplementedError) as error:
        raise CardRefused(_("That file is no ZIP archive. Pack the cards into one and import it.")) from error
    with archive:
        members = [member for member in archive.infolist() if member.filename.lower().endswith(_ENDINGS)]
        if len(members) > MAX_CARDS:
            raise CardRefused(_("That archive has more than 2,000 cards. Divide it and import the parts."))
        for member in members:
            if "__MACOSX/" not in member.filename:
                yield member.filename, read_member(archive, member, MAX_BYTES)


def read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most_bytes: int) -> bytes | None:
    """A member unfolded, one byte over `most_bytes` at the most; None where it is broken or encrypted."""
    try:
        with archive.open(member) as file:
            return file.read(most_bytes + 1)
    # What `zipfile` and its decompressors raise for broken, encrypted or exotic members.
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError):
        return None


def _import_one(actor: User, name: str, content: bytes | None) -> Arrival:
    if content is None:
        return Arrival(name, None, _("This part of the archive is broken or encrypted."))
    try:
        return Arrival(name, import_card(actor=actor, card=read_card(content)))
    except ParlourError as error:
        return Arrival(name, None, str(error.user_message))
