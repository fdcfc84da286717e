"""The voice of an answer, as the database has it: persona, lore, the others of a group.

A chat without persona and lorebook reads nothing here.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from accounts.models import User
from characters.lorebooks.queries import compiled_books
from characters.lorebooks.scan import Scene, scan_books
from characters.models import Character
from characters.personas.models import Persona
from chat.contexts import Group
from chat.models import Conversation, Role
from chat.prompting.tokens import UNKNOWN_CONTEXT_TOKENS, estimate_tokens
from chat.prompting.voice import Note, Voice, voice_of
from inference.types import Turn


@dataclass(frozen=True, slots=True)
class Casting:
    """Who speaks, and the chat as they hear it."""

    voice: Voice
    history: tuple[Turn, ...]


def needs_database(conversation: Conversation, character: Character | None) -> bool:
    """Whether `cast` would read anything."""
    has_lore = character is not None and character.has_lore
    return bool(conversation.persona_id or has_lore)


def cast_plain(
    conversation: Conversation,
    character: Character | None,
    user: User,
    history: tuple[Turn, ...],
    group: Group | None = None,
) -> Casting:
    """The casting of a chat that needs no database."""
    return _cast(conversation, character, user, history, group, persona=None)


def cast(
    *,
    conversation: Conversation,
    character: Character | None,
    user: User,
    history: tuple[Turn, ...],
    group: Group | None,
    parent_id: uuid.UUID | None,
    context_tokens: int | None,
) -> Casting:
    """Who answers, with persona, lore and group; the history names its speakers where they are several."""
    persona = None
    if conversation.persona_id:
        persona = Persona.objects.visible_to(user).filter(pk=conversation.persona_id).first()
    casting = _cast(conversation, character, user, history, group, persona=persona)
    voice, history = casting.voice, casting.history
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


def _cast(
    conversation: Conversation,
    character: Character | None,
    user: User,
    history: tuple[Turn, ...],
    group: Group | None,
    *,
    persona: Persona | None,
) -> Casting:
    note = None
    if conversation.author_note.strip():
        note = Note(conversation.author_note, conversation.author_note_depth)
    voice = voice_of(
        character,
        user_name=persona.name if persona is not None else user.name,
        persona=persona.description if persona is not None else "",
        note=note,
        seed=str(conversation.pk),
    )
    if group is None:
        return Casting(voice, history)
    own = character.pk if character is not None else None
    others = tuple(name for pk, name in group.names.items() if pk != own)
    names = replace(voice.names, group=", ".join(group.names.values()))
    labelled = _labelled(group, own, conversation.character_id, names.user)
    return Casting(replace(voice, others=others, names=names), labelled)


def _labelled(
    group: Group, own: uuid.UUID | None, usual: uuid.UUID | None, user_name: str
) -> tuple[Turn, ...]:
    """The chat as one of a group hears it: their own words are theirs, all others come with a name."""
    turns = []
    for said in group.said:
        if not said.text.strip():
            continue
        speaker = said.speaker or usual
        if said.role == Role.USER:
            turns.append(Turn("user", f"{user_name}: {said.text}"))
        elif speaker == own:
            turns.append(Turn("assistant", said.text))
        else:
            name = group.names.get(speaker) if speaker is not None else None
            turns.append(Turn("user", f"{name}: {said.text}" if name else said.text))
    return tuple(turns)


def _greeting_index(voice: Voice, history: Sequence[Turn]) -> int | None:
    """Which of the character's greetings the chat began with; None where it is none of them."""
    if not history or history[0].role != "assistant":
        return None
    said = history[0].text.strip()
    return next((n for n, text in enumerate(voice.greetings) if said and voice.say(text) == said), None)
