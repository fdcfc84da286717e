"""From the files of a SillyTavern folder to rows. What is there already is not brought in twice."""

import json
import re
import uuid
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.audit import record
from accounts.errors import ParlourError
from accounts.models import User
from characters.assets.models import AssetKind
from characters.assets.services import add_picture
from characters.cards.reading import read_book, read_card
from characters.cards.rows import fields_of
from characters.cards.services import import_card
from characters.lorebooks.services import import_lorebook
from characters.models import Character, Lorebook, Persona
from characters.personas.services import create_persona, set_persona_portrait
from chat.models import Conversation, Member, Message, Role
from chat.sillytavern.chats import OldChat, OldMessage, read_chat
from chat.sillytavern.folder import Entry, Folder
from chat.sillytavern.groups import OldGroup, read_groups

Kind = Literal["character", "lorebook", "persona", "chat"]
State = Literal["in", "here", "out"]
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one file or entry: it came in, it was here already, or it stayed out, with the reason."""

    kind: Kind
    name: str
    state: State
    note: str = ""


@dataclass(slots=True)
class Report:
    lines: list[Line] = field(default_factory=list)

    def add(self, kind: Kind, name: str, state: State, note: str = "") -> None:
        self.lines.append(Line(kind, name, state, note))

    def count(self, kind: Kind, state: State) -> int:
        return sum(line.kind == kind and line.state == state for line in self.lines)

    def as_rows(self) -> list[dict[str, object]]:
        return [asdict(line) for line in self.lines]


@dataclass(slots=True)
class _Arrival:
    """One import: whom for, from where, and the characters by the names that chats know them by."""

    actor: User
    folder: Folder
    report: Report
    characters: dict[str, Character] = field(default_factory=dict)
    personas: dict[str, Persona] = field(default_factory=dict)


def import_folder(
    *, actor: User, folder: Folder, tell: Callable[[Report], None] = lambda report: None
) -> Report:
    """Everything of the folder that has a place here, for the actor alone. `tell` hears of progress now and then."""
    arrival = _Arrival(actor, folder, Report())
    for step in (_import_characters, _import_lorebooks, _import_personas, _import_chats, _import_group_chats):
        step(arrival)
        tell(arrival.report)
    record(actor=actor, verb="import folder", target=actor)
    return arrival.report


def _import_characters(arrival: _Arrival) -> None:
    # Folders named like a card's file.
    expressions: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in arrival.folder.of_kind("characters", ".png", ".jpg", ".jpeg", ".webp"):
        if len(entry.parts) == 3:
            expressions[entry.parts[1]].append(entry)
    for entry in arrival.folder.of_kind("characters", ".png", ".json", ".charx"):
        if len(entry.parts) != 2:
            continue
        data = arrival.folder.read(entry)
        if data is None:
            arrival.report.add("character", entry.name, "out", _unreadable())
            continue
        try:
            card = read_card(data)
            fields = fields_of(card)
            same = {name: fields[name] for name in ("definition", "greeting") if name in fields}
            known = Character.objects.filter(owner=arrival.actor, name=card.name, **same).first()
            character = known or import_card(actor=arrival.actor, card=card)
        except ParlourError as error:
            arrival.report.add("character", entry.name, "out", str(error.user_message))
            continue
        arrival.characters[entry.stem] = character
        arrival.characters.setdefault(character.name, character)
        note = "" if known else _import_expressions(arrival, character, expressions[entry.stem])
        arrival.report.add("character", character.name, "here" if known else "in", note)


def _import_expressions(arrival: _Arrival, character: Character, entries: list[Entry]) -> str:
    """Pictures of the character, named by what they express; returns what stayed out, in words."""
    refused = 0
    for entry in entries:
        data = arrival.folder.read(entry) or b""
        try:
            add_picture(
                actor=arrival.actor,
                character_id=character.pk,
                kind=AssetKind.EXPRESSION,
                name=entry.stem,
                data=data,
            )
        except ParlourError:
            refused += 1
    words = ngettext("%(count)d expression stayed out.", "%(count)d expressions stayed out.", refused)
    return words % {"count": refused} if refused else ""


def _import_lorebooks(arrival: _Arrival) -> None:
    for entry in arrival.folder.of_kind("worlds", ".json"):
        data = arrival.folder.read(entry)
        if data is None:
            arrival.report.add("lorebook", entry.name, "out", _unreadable())
            continue
        if Lorebook.objects.visible_to(arrival.actor).filter(name=entry.stem[:200]).exists():
            arrival.report.add("lorebook", entry.stem, "here")
            continue
        try:
            lorebook = import_lorebook(actor=arrival.actor, book=read_book(data), name=entry.stem[:200])
        except ParlourError as error:
            arrival.report.add("lorebook", entry.name, "out", str(error.user_message))
            continue
        arrival.report.add("lorebook", lorebook.name, "in")


def _import_personas(arrival: _Arrival) -> None:
    entry = arrival.folder.find("settings.json")
    if entry is None:
        return
    try:
        settings = json.loads(arrival.folder.read(entry) or b"")
        user = settings["power_user"]
        names, words = user["personas"], user.get("persona_descriptions", {})
        pairs = [(str(file), str(name)) for file, name in names.items()]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        arrival.report.add("persona", entry.name, "out", _("There are no personas in the settings."))
        return
    for file, name in pairs:
        _import_persona(arrival, file, name.strip()[:120], words if isinstance(words, dict) else {})


def _import_persona(arrival: _Arrival, file: str, name: str, words: dict[str, object]) -> None:
    about = words.get(file)
    description = about.get("description") if isinstance(about, dict) else ""
    known = Persona.objects.visible_to(arrival.actor).filter(name=name).first()
    if known is not None:
        arrival.personas[name] = known
        arrival.report.add("persona", name, "here")
        return
    try:
        text = description.replace("\0", "")[:8_000] if isinstance(description, str) else ""
        persona = create_persona(actor=arrival.actor, name=name, description=text)
        arrival.personas[name] = persona
    except ParlourError as error:
        arrival.report.add("persona", name, "out", str(error.user_message))
        return
    note = ""
    picture = arrival.folder.find("User Avatars", file)
    if picture is not None and (data := arrival.folder.read(picture)):
        try:
            set_persona_portrait(actor=arrival.actor, persona_id=persona.pk, data=data)
        except ParlourError as error:
            note = str(error.user_message)
    arrival.report.add("persona", name, "in", note)


def _import_chats(arrival: _Arrival) -> None:
    for entry in arrival.folder.of_kind("chats", ".jsonl"):
        if len(entry.parts) < 3:
            continue
        chat = _read(arrival, entry)
        if chat is None:
            continue
        character = arrival.characters.get(entry.parts[1]) or arrival.characters.get(chat.character)
        note = "" if character else _("Its character is not in the folder, so it is a plain chat.")
        _store(arrival, entry, chat, [character] if character else [], note)


def _import_group_chats(arrival: _Arrival) -> None:
    groups = read_groups(arrival.folder)
    for entry in arrival.folder.of_kind("group chats", ".jsonl"):
        chat = _read(arrival, entry)
        if chat is None:
            continue
        group = groups.get(entry.stem, OldGroup())
        speakers = dict.fromkeys(message.speaker for message in chat.messages if not message.is_person)
        names = group.members or tuple(speakers)
        missing = [name for name in dict.fromkeys((*names, *speakers)) if name not in arrival.characters]
        note = _("Not in the folder: %(names)s.") % {"names": ", ".join(missing[:5])} if missing else ""
        members = dict.fromkeys(arrival.characters[name] for name in names if name in arrival.characters)
        _store(arrival, entry, chat, list(members), note, group)


def _read(arrival: _Arrival, entry: Entry) -> OldChat | None:
    data = arrival.folder.read(entry)
    if data is None:
        arrival.report.add("chat", entry.path, "out", _unreadable())
        return None
    chat = read_chat(data)
    if not chat.messages:
        arrival.report.add("chat", entry.path, "out", _("There is no message in it."))
        return None
    return chat


def _store(
    arrival: _Arrival,
    entry: Entry,
    chat: OldChat,
    members: list[Character],
    note: str,
    group: OldGroup | None = None,
) -> None:
    """The chat as a conversation: swipes become branches, and the one that stood is the one that shows."""
    titles = [group.name if group else "", _title(entry.stem, chat)]
    title = titles[0] or titles[1]
    times = _times(chat.messages)
    known = Conversation.objects.filter(owner=arrival.actor, title__in=titles, created_at=times[0])
    if known.exists():
        arrival.report.add("chat", title, "here")
        return
    is_group = group is not None and len(members) > 1
    conversation = Conversation(
        owner=arrival.actor,
        title=title,
        is_titled_by_owner=True,
        character=members[0] if members else None,
        version_id=members[0].version_id if members else None,
        persona=arrival.personas.get(chat.person),
        author_note=chat.note,
        author_note_depth=chat.note_depth,
        turn_order=group.turn_order if group and is_group else "",
        created_at=times[0],
        updated_at=times[-1],
    )
    messages = list(_messages(conversation, chat, times, arrival.characters if is_group else {}))
    with transaction.atomic():
        conversation.save()
        Message.objects.bulk_create(messages, batch_size=_BATCH)
        conversation.current_message_id = _last(messages)
        conversation.save(update_fields=["current_message"])
        if group and is_group:
            Member.objects.bulk_create(_members(arrival, conversation, members, group))
    if chat.skipped:
        left = _("%(count)d lines were no messages.") % {"count": chat.skipped}
        note = f"{note} {left}".strip()
    arrival.report.add("chat", title, "in", note)


def _members(
    arrival: _Arrival, conversation: Conversation, members: list[Character], group: OldGroup
) -> list[Member]:
    muted = {arrival.characters[name] for name in group.muted if name in arrival.characters}
    return [
        Member(
            conversation=conversation,
            character=member,
            version_id=member.version_id,
            place=place,
            is_muted=member in muted,
        )
        for place, member in enumerate(members)
    ]


def _messages(
    conversation: Conversation, chat: OldChat, times: list[datetime], speakers: dict[str, Character]
) -> list[Message]:
    rows: list[Message] = []
    parent_id: uuid.UUID | None = None
    for old, sent_at in zip(chat.messages, times, strict=True):
        siblings = [
            Message(
                conversation=conversation,
                parent_id=parent_id,
                role=Role.USER if old.is_person else Role.ASSISTANT,
                character=None if old.is_person else speakers.get(old.speaker),
                text=text,
                created_at=sent_at,
            )
            for text in old.texts
        ]
        parent_id = siblings[old.chosen].pk
        # The one that goes on comes last: the newest branch is what a conversation opens with.
        rows += [*siblings[: old.chosen], *siblings[old.chosen + 1 :], siblings[old.chosen]]
    return rows


def _last(messages: list[Message]) -> uuid.UUID:
    return messages[-1].pk


def _times(messages: list[OldMessage]) -> list[datetime]:
    """When each was sent; one without a time comes a second after the one before, and time never runs back."""
    first = next((message.sent_at for message in messages if message.sent_at), None) or timezone.now()
    times: list[datetime] = []
    for message in messages:
        before = times[-1] if times else first - timedelta(seconds=1)
        times.append(max(message.sent_at or before, before + timedelta(milliseconds=1)))
    return times


def _title(stem: str, chat: OldChat) -> str:
    """The file's name, or the first words where it is only a name and a time."""
    if re.search(r"\d{4}-\d{1,2}-\d{1,2}", stem) or stem.isdigit():
        words = next((message.texts[message.chosen] for message in chat.messages if message.is_person), "")
        title = " ".join(words.split())[:80]
        return title or stem[:200]
    return stem[:200]


def _unreadable() -> str:
    return _("The file is too large, broken or encrypted.")
