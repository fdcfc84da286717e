"""SillyTavern's chats: JSON lines, the first about the chat, each other one a message with its swipes. Pure."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

MAX_MESSAGES = 20_000
MAX_TEXT = 200_000
# "June 14, 2023 6:46pm", and "2023-06-14 @18h 46m 30s 912ms", with or without the spaces.
_MONTH_FIRST = re.compile(r"(\w+ \d{1,2}, \d{4}) (\d{1,2}):(\d{2})\s?([ap]m)", re.IGNORECASE)
_AT_SIGN = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})\s?@\s?(\d{1,2})h\s?(\d{1,2})m\s?(?:(\d{1,2})s)?")


@dataclass(frozen=True, slots=True)
class OldMessage:
    """One message; `texts` are its swipes and `chosen` the place of the one that stands."""

    speaker: str
    is_person: bool
    texts: tuple[str, ...]
    chosen: int
    sent_at: datetime | None


@dataclass(slots=True)
class OldChat:
    """A chat as it was: `skipped` counts lines that are no message."""

    person: str = ""
    character: str = ""
    note: str = ""
    note_depth: int = 4
    messages: list[OldMessage] = field(default_factory=list)
    skipped: int = 0


def read_chat(data: bytes) -> OldChat:
    """The chat in a JSONL file. Whatever the bytes are: lines that are no message are counted and left out."""
    chat = OldChat()
    for number, line in enumerate(_lines(data)):
        value = _parse(line)
        if number == 0 and value is not None and "mes" not in value:
            _read_head(chat, value)
        elif value is None or not isinstance(value.get("mes"), str) or len(chat.messages) >= MAX_MESSAGES:
            chat.skipped += 1
        elif value.get("is_system") is True and not value.get("is_user"):
            # Notes of the program to its user, and messages hidden from the prompt.
            chat.skipped += 1
        elif message := _read_message(value):
            chat.messages.append(message)
    return chat


def _lines(data: bytes) -> Iterator[str]:
    return (line for line in data.decode("utf-8-sig", errors="replace").split("\n") if line.strip())


def _parse(line: str) -> dict[str, object] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _read_head(chat: OldChat, value: dict[str, object]) -> None:
    chat.person, chat.character = _text(value.get("user_name"), 120), _text(value.get("character_name"), 120)
    about = value.get("chat_metadata")
    if isinstance(about, dict):
        chat.note = _text(about.get("note_prompt"), 8_000)
        depth = about.get("note_depth")
        if isinstance(depth, int) and not isinstance(depth, bool) and 0 <= depth <= 100:
            chat.note_depth = depth


def _read_message(value: dict[str, object]) -> OldMessage | None:
    said = _text(value.get("mes"), MAX_TEXT)
    swipes = value.get("swipes")
    texts = (
        [_text(text, MAX_TEXT) for text in swipes if isinstance(text, str)]
        if isinstance(swipes, list)
        else []
    )
    place = value.get("swipe_id")
    chosen = (
        place if isinstance(place, int) and not isinstance(place, bool) and 0 <= place < len(texts) else 0
    )
    is_person = value.get("is_user") is True
    if is_person or not texts:
        texts, chosen = [said], 0
    else:
        # What stands may have been edited since it was swiped to.
        texts[chosen] = said
    kept = [(place, text) for place, text in enumerate(texts) if text.strip()]
    if not kept:
        return None
    places = [place for place, _text in kept]
    return OldMessage(
        speaker=_text(value.get("name"), 120),
        is_person=is_person,
        texts=tuple(text for _place, text in kept),
        chosen=places.index(chosen) if chosen in places else len(kept) - 1,
        sent_at=read_time(value.get("send_date")),
    )


def read_time(value: object) -> datetime | None:
    """A time in one of the forms that the releases wrote; None for any other. Without a zone it is taken as UTC."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_seconds(value / 1000 if value > 1e11 else value)
    if not isinstance(value, str):
        return None
    text = value.strip()
    if text.isascii() and text.isdigit() and len(text) < 15:
        return read_time(int(text))
    try:
        if found := _AT_SIGN.fullmatch(re.sub(r"\s?\d+ms$", "", text)):
            year, month, date, hours, minutes, seconds = (int(part or 0) for part in found.groups())
            return datetime(year, month, date, hours, minutes, seconds, tzinfo=UTC)
        if found := _MONTH_FIRST.fullmatch(text):
            day, hour, minute, half = found.groups()
            return datetime.strptime(f"{day} {hour}:{minute} {half.upper()}", "%B %d, %Y %I:%M %p").replace(
                tzinfo=UTC
            )
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _from_seconds(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _text(value: object, most: int) -> str:
    """The text without what PostgreSQL cannot hold."""
    if not isinstance(value, str):
        return ""
    return value[:most].replace("\0", "").encode("utf-8", "replace").decode()
