"""What models got, kept for those who ask: written beside the replies, several at once, never on their way.

A record is zlib over JSON of the prompt's pieces. It is kept for thirty days; a conversation that is deleted takes
its records along.
"""

import threading
import uuid
import zlib
from datetime import timedelta

import msgspec
from django.db import connection
from django.utils import timezone

from chat.models import PromptRecord
from chat.prompt import Kind, Prompt
from chat.prompting.tokens import estimate_tokens

KEEP_DAYS = 30
# The fastest; a prompt is mostly history, which even so shrinks to a third.
_LEVEL = 1
# Replies that begin within one flush are far fewer; the bound is for a database that is away.
_WAITING_MOST = 2_000

# Of replies that are gone by now nothing is kept.
_SAVE = """
INSERT INTO chat_promptrecord (reply_id, parts, created_at)
SELECT p.reply_id, p.parts, now() FROM unnest(%s::uuid[], %s::bytea[]) AS p(reply_id, parts)
JOIN chat_reply r ON r.id = p.reply_id
ON CONFLICT (reply_id) DO UPDATE SET parts = excluded.parts
"""


class KeptPiece(msgspec.Struct, frozen=True):
    """A piece with what it cost, in estimated tokens."""

    kind: Kind
    role: str
    text: str
    label: str
    tokens: int


class KeptEntry(msgspec.Struct, frozen=True):
    """A lorebook entry that came up: from which book, by what, at what cost."""

    book: str
    entry: str
    reason: str
    because: str
    tokens: int
    place: str
    is_left_out: bool


class Kept(msgspec.Struct, frozen=True):
    """A whole record. `left_out` counts the oldest messages that found no room."""

    pieces: tuple[KeptPiece, ...]
    entries: tuple[KeptEntry, ...] = ()
    left_out: int = 0
    undecided: int = 0
    settings: dict[str, object] = {}


class PromptRecords:
    """The records of one process that are not stored yet."""

    def __init__(self) -> None:
        self._waiting: dict[uuid.UUID, Prompt] = {}
        self._lock = threading.Lock()

    def keep(self, reply_id: uuid.UUID, prompt: Prompt) -> None:
        """Remember what this reply's model gets; costs nothing here."""
        with self._lock:
            self._waiting[reply_id] = prompt
            while len(self._waiting) > _WAITING_MOST:
                del self._waiting[next(iter(self._waiting))]

    @property
    def has_waiting(self) -> bool:
        return bool(self._waiting)

    def find(self, reply_id: uuid.UUID) -> Kept | None:
        """A record that is not stored yet."""
        prompt = self._waiting.get(reply_id)
        return describe(prompt) if prompt is not None else None

    def flush(self) -> None:
        """Store what waits. Raises django.db.Error; then it waits on."""
        with self._lock:
            waiting = dict(self._waiting)
        if not waiting:
            return
        parts = [zlib.compress(msgspec.json.encode(describe(prompt)), _LEVEL) for prompt in waiting.values()]
        with connection.cursor() as cursor:
            cursor.execute(_SAVE, [list(waiting), parts])
        with self._lock:
            for reply_id, prompt in waiting.items():
                if self._waiting.get(reply_id) is prompt:
                    del self._waiting[reply_id]


# One for the process: the runtime of any of its event loops fills it, requests to look read it.
records = PromptRecords()


def find_record(reply_id: uuid.UUID) -> Kept | None:
    """What the reply's model got, or None where it is not kept (any more)."""
    waiting = records.find(reply_id)
    if waiting is not None:
        return waiting
    parts = PromptRecord.objects.filter(pk=reply_id).values_list("parts", flat=True).first()
    return msgspec.json.decode(zlib.decompress(bytes(parts)), type=Kept) if parts is not None else None


def forget_old_records() -> int:
    """Delete records older than KEEP_DAYS; how many."""
    before = timezone.now() - timedelta(days=KEEP_DAYS)
    return PromptRecord.objects.filter(created_at__lt=before).delete()[0]


def describe(prompt: Prompt) -> Kept:
    """The prompt as it is kept."""
    request = prompt.request
    settings = {"temperature": request.temperature, "max_tokens": request.max_tokens, **request.extra}
    return Kept(
        pieces=tuple(
            KeptPiece(piece.kind, piece.role, piece.text, piece.label, estimate_tokens(piece.text))
            for piece in prompt.pieces
        ),
        entries=tuple(
            KeptEntry(
                fired.book,
                fired.entry,
                fired.reason,
                fired.because,
                fired.tokens,
                fired.place,
                fired.is_left_out,
            )
            for fired in prompt.lore
        ),
        left_out=prompt.left_out,
        undecided=prompt.undecided,
        settings={name: value for name, value in settings.items() if value is not None},
    )
