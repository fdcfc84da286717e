"""The voice of an answer, as the database has it: persona, lore, the others of a group.

A chat with one character, without persona and lorebook, reads nothing here.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db import connection

from accounts.models import User
from characters.lorebooks.queries import compiled_books
from characters.lorebooks.scan import Scene, scan_books
from characters.models import Character
from characters.personas.models import Persona
from chat.models import Conversation, Member, Role
from chat.prompting.tokens import UNKNOWN_CONTEXT_TOKENS, estimate_tokens
from chat.prompting.voice import Note, Voice, voice_of
from inference.types import Turn

# As in `chat.queries`: no model reads further back.
_DEPTH_MOST = 2000
_SPEAKERS = """
WITH RECURSIVE path AS (
    SELECT id, parent_id, role, text, character_id, 1 AS depth FROM chat_message WHERE id = %s
    UNION ALL
    SELECT m.id, m.parent_id, m.role, m.text, m.character_id, path.depth + 1
    FROM chat_message m JOIN path ON m.id = path.parent_id
    WHERE path.depth < %s
)
SELECT role, text, character_id FROM path ORDER BY depth DESC
"""


@dataclass(frozen=True, slots=True)
class Casting:
    """Who speaks, and the chat as they hear it."""

    voice: Voice
    history: tuple[Turn, ...]


def needs_database(conversation: Conversation, character: Character | None) -> bool:
    """Whether `cast` would read anything."""
    has_lore = character is not None and character.has_lore
    return bool(conversation.persona_id or conversation.turn_order or has_lore)


def cast_plain(
    conversation: Conversation, character: Character | None, user: User, history: tuple[Turn, ...]
) -> Casting:
    """The casting of a chat that needs no database."""
    return Casting(_plain_voice(conversation, character, user, None), history)


def cast(
    *,
    conversation: Conversation,
    character: Character | None,
    user: User,
    history: tuple[Turn, ...],
    parent_id: uuid.UUID | None,
    context_tokens: int | None,
) -> Casting:
    """Who answers, with persona, lore and group; the history names its speakers where they are several."""
    persona = None
    if conversation.persona_id:
        persona = Persona.objects.visible_to(user).filter(pk=conversation.persona_id).first()
    voice = _plain_voice(conversation, character, user, persona)
    if conversation.turn_order:
        voice, history = _in_group(conversation, character, voice, parent_id)
    if character is not None and character.has_lore:
        scene = Scene(
            messages=[turn.text for turn in history],
            answers=sum(turn.role == "assistant" for turn in history),
            greeting=_greeting_index(voice, history),
            context_tokens=context_tokens or UNKNOWN_CONTEXT_TOKENS,
            seed=str(parent_id),
            expand=voice.say,
        )
        voice = replace(voice, lore=scan_books(compiled_books(character), scene, estimate_tokens))
    return Casting(voice, history)


def _plain_voice(
    conversation: Conversation, character: Character | None, user: User, persona: Persona | None
) -> Voice:
    note = None
    if conversation.author_note.strip():
        note = Note(conversation.author_note, conversation.author_note_depth)
    return voice_of(
        character,
        user_name=persona.name if persona is not None else user.name,
        persona=persona.description if persona is not None else "",
        note=note,
        seed=str(conversation.pk),
    )


def _in_group(
    conversation: Conversation, character: Character | None, voice: Voice, parent_id: uuid.UUID | None
) -> tuple[Voice, tuple[Turn, ...]]:
    # Their texts, which may be long, are not asked for.
    members = Member.objects.filter(conversation=conversation)
    names = dict(members.values_list("character_id", "character__name"))
    own = character.pk if character is not None else None
    others = tuple(name for pk, name in names.items() if pk != own)
    group = ", ".join(names.values())
    voice = replace(voice, others=others, names=replace(voice.names, group=group))
    return voice, _labelled(parent_id, own, conversation.character_id, names, voice.names.user)


def _labelled(
    parent_id: uuid.UUID | None,
    own: uuid.UUID | None,
    usual: uuid.UUID | None,
    names: dict[uuid.UUID, str],
    user_name: str,
) -> tuple[Turn, ...]:
    """The chat as one of a group hears it: their own words are theirs, all others come with a name."""
    with connection.cursor() as cursor:
        cursor.execute(_SPEAKERS, [parent_id, _DEPTH_MOST])
        rows: Sequence[tuple[str, str, uuid.UUID | None]] = cursor.fetchall()
    turns = []
    for role, text, speaker in rows:
        if not text.strip():
            continue
        speaker = speaker or usual
        if role == Role.USER:
            turns.append(Turn("user", f"{user_name}: {text}"))
        elif speaker == own:
            turns.append(Turn("assistant", text))
        else:
            name = names.get(speaker) if speaker is not None else None
            turns.append(Turn("user", f"{name}: {text}" if name else text))
    return tuple(turns)


def _greeting_index(voice: Voice, history: Sequence[Turn]) -> int | None:
    """Which of the character's greetings the chat began with; None where it is none of them."""
    if not history or history[0].role != "assistant":
        return None
    said = history[0].text.strip()
    return next((n for n, text in enumerate(voice.greetings) if said and voice.say(text) == said), None)
