"""What a reply knows before it begins, read for several replies at once.

A hundred people may press Enter together, and a hundred groups hand on together: what a context needs of the
database is one statement a table for all of them, and nothing where the caller has it at hand.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
from django.db import connection

from accounts.models import User
from characters.models import Character
from chat.events import Source
from chat.models import Conversation, Member, Message, Reply, Role
from inference.types import Caller, ModelTarget, Turn

# A branch deeper than this is cut at its old end; no model reads that far back.
HISTORY_TURNS_MAX = 2000

_PATHS_TO_ROOT = """
WITH RECURSIVE path AS (
    SELECT id AS leaf, parent_id, role, text, character_id, task, subjects, 1 AS depth
    FROM chat_message WHERE id = ANY(%s)
    UNION ALL
    SELECT path.leaf, m.parent_id, m.role, m.text, m.character_id, m.task, m.subjects, path.depth + 1
    FROM chat_message m JOIN path ON m.id = path.parent_id
    WHERE path.depth < %s
)
SELECT leaf, role, text, character_id, task, subjects FROM path ORDER BY leaf, depth DESC
"""

_ATTACHED = """
SELECT 'collections', conversation_id, collection_id FROM chat_conversation_collections
WHERE conversation_id = ANY(%(conversations)s)
UNION ALL
SELECT 'documents', conversation_id, document_id FROM chat_conversation_documents
WHERE conversation_id = ANY(%(conversations)s)
UNION ALL
SELECT 'knowledge', character_id, collection_id FROM characters_character_collections
WHERE character_id = ANY(%(characters)s)
"""


class Said(NamedTuple):
    """A message on the way to an answer. `speaker` is None where it is the conversation's character, or a person."""

    role: str
    text: str
    speaker: uuid.UUID | None
    task: str
    subjects: Sequence[uuid.UUID]


@dataclass(frozen=True, slots=True)
class Group:
    """A chat of several: its members' names in their order, and what was said, with who said it."""

    names: dict[uuid.UUID, str]
    said: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Opening:
    """A reply that is about to begin, and what is at hand of its context.

    `said` are all earlier messages of a conversation that has just begun with nothing attached, and `names` those of
    a group's members in their order; None where they are to be read. `target` is None where the model has still to
    be found.
    """

    reply: Reply
    target: ModelTarget | None = None
    said: Sequence[Message] | None = None
    names: dict[uuid.UUID, str] | None = None


@dataclass(frozen=True, slots=True)
class ReplyContext:
    """Everything a reply needs to know before it begins. `history` ends with the turn to answer.

    `target` is None where the model has still to be found, which may fail.
    """

    reply: Reply
    conversation: Conversation
    history: tuple[Turn, ...]
    character: Character | None
    collections: tuple[uuid.UUID, ...]
    documents: tuple[uuid.UUID, ...]
    target: ModelTarget | None = None
    group: Group | None = None
    # What the message asks for about whole documents, and these in its order; "" for an ordinary question.
    task: str = ""
    subjects: tuple[uuid.UUID, ...] = ()

    @property
    def user(self) -> User:
        """Who asks."""
        return self.reply.requested_by

    @property
    def caller(self) -> Caller:
        """Who asks, for turns and limits."""
        return Caller(self.user.pk, self.reply.api_key_id)

    @property
    def message(self) -> Message:
        """The answer that is being written."""
        return self.reply.message

    @property
    def max_tokens(self) -> int | None:
        """As it was chosen for this answer, or as the character has it."""
        return self.reply.max_tokens or (self.character.max_tokens if self.character is not None else None)

    @property
    def temperature(self) -> float | None:
        """As it was chosen for this answer, or as the character has it."""
        if self.reply.temperature is None and self.character is not None:
            return self.character.temperature
        return self.reply.temperature

    @property
    def question(self) -> str:
        """What the person said last."""
        return next((turn.text for turn in reversed(self.history) if turn.role == "user"), "")

    @property
    def wants_title(self) -> bool:
        """Whether this answer is the first of a conversation nobody has named yet."""
        questions = sum(turn.role == "user" for turn in self.history)
        return questions == 1 and not self.conversation.is_titled_by_owner

    @property
    def sources(self) -> tuple[Source, ...]:
        """The passages the row remembers."""
        return msgspec.convert(self.message.sources, tuple[Source, ...])


def load_reply_context(reply_id: uuid.UUID) -> ReplyContext | None:
    """The context of an unfinished reply; None when it is gone or over."""
    reply = (
        Reply.objects.unfinished()
        .select_related("requested_by", "message__character", "message__conversation__character")
        .filter(pk=reply_id)
        .first()
    )
    return reply_context(Opening(reply)) if reply is not None else None


def reply_context(opening: Opening) -> ReplyContext:
    """`reply_contexts` for one."""
    return reply_contexts([opening])[0]


def reply_contexts(openings: Sequence[Opening]) -> list[ReplyContext]:
    """The contexts of replies whose messages, conversations and characters are at hand, in their order."""
    settled = [opening.reply.message for opening in openings if opening.said is None]
    characters = [_speaker(opening.reply.message) for opening in openings]
    attached = _read_attached(
        {message.conversation_id for message in settled}, {one.pk for one in characters if one is not None}
    )
    paths = _read_paths({message.parent_id for message in settled if message.parent_id is not None})
    nameless = (opening.reply.message.conversation for opening in openings if opening.names is None)
    names = _read_names({conversation.pk for conversation in nameless if conversation.turn_order})
    contexts = []
    for opening, character in zip(openings, characters, strict=True):
        message = opening.reply.message
        conversation, parent_id = message.conversation, message.parent_id
        if opening.said is not None:
            said = tuple(_said(earlier) for earlier in opening.said)
        else:
            said = paths.get(parent_id, ()) if parent_id is not None else ()
        collections = set(attached["collections", conversation.pk])
        if character is not None:
            collections.update(attached["knowledge", character.pk])
        contexts.append(
            ReplyContext(
                reply=opening.reply,
                conversation=conversation,
                history=_turns(said),
                character=character,
                collections=tuple(collections),
                documents=tuple(attached["documents", conversation.pk]),
                target=opening.target,
                group=_group(opening, names, said),
                task=said[-1].task if said else "",
                subjects=tuple(said[-1].subjects) if said else (),
            )
        )
    return contexts


def load_history(message_id: uuid.UUID | None) -> tuple[Turn, ...]:
    """The turns from the root of the tree down to this message; empty ones are left out."""
    return _turns(_read_path(message_id))


def load_group(conversation: Conversation) -> Group | None:
    """The group as it stands at its newest message; None of a chat that is no group."""
    if not conversation.turn_order:
        return None
    return Group(_read_names({conversation.pk})[conversation.pk], _read_path(conversation.current_message_id))


def _speaker(message: Message) -> Character | None:
    # In a group the message knows who speaks; elsewhere it is the conversation's character.
    return message.character if message.character_id is not None else message.conversation.speaker


def _group(
    opening: Opening, names: dict[uuid.UUID, dict[uuid.UUID, str]], said: tuple[Said, ...]
) -> Group | None:
    conversation = opening.reply.message.conversation
    if not conversation.turn_order:
        return None
    return Group(names[conversation.pk] if opening.names is None else opening.names, said)


def _read_attached(
    conversations: set[uuid.UUID], characters: set[uuid.UUID]
) -> defaultdict[tuple[str, uuid.UUID], list[uuid.UUID]]:
    """What belongs to these: "collections" and "documents" of a conversation, "knowledge" of a character."""
    found: defaultdict[tuple[str, uuid.UUID], list[uuid.UUID]] = defaultdict(list)
    if conversations or characters:
        with connection.cursor() as cursor:
            asked = {"conversations": list(conversations), "characters": list(characters)}
            cursor.execute(_ATTACHED, asked)
            for kind, owner, one in cursor.fetchall():
                found[kind, owner].append(one)
    return found


def _read_names(groups: set[uuid.UUID]) -> defaultdict[uuid.UUID, dict[uuid.UUID, str]]:
    """The names of each group's members, in their order; their texts, which may be long, are not asked for."""
    found: defaultdict[uuid.UUID, dict[uuid.UUID, str]] = defaultdict(dict)
    if groups:
        members = Member.objects.filter(conversation__in=groups)
        for group, pk, name in members.values_list("conversation_id", "character_id", "character__name"):
            found[group][pk] = name
    return found


def _read_path(message_id: uuid.UUID | None) -> tuple[Said, ...]:
    return _read_paths({message_id}).get(message_id, ()) if message_id is not None else ()


def _read_paths(leaves: set[uuid.UUID]) -> dict[uuid.UUID, tuple[Said, ...]]:
    """The messages from the root of the tree down to each of these."""
    if not leaves:
        return {}
    paths: dict[uuid.UUID, list[Said]] = {leaf: [] for leaf in leaves}
    with connection.cursor() as cursor:
        cursor.execute(_PATHS_TO_ROOT, [list(leaves), HISTORY_TURNS_MAX])
        for leaf, *said in cursor.fetchall():
            paths[leaf].append(Said(*said))
    return {leaf: tuple(path) for leaf, path in paths.items()}


def _said(message: Message) -> Said:
    return Said(message.role, message.text, message.character_id, message.task, message.subjects)


def _turns(said: Iterable[Said]) -> tuple[Turn, ...]:
    return tuple(
        Turn("user" if one.role == Role.USER else "assistant", one.text) for one in said if one.text.strip()
    )
