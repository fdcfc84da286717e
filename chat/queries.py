"""Reads over conversations that need more than one table: a reply's context, a tree for the page, lists."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
from django.db import connection
from django.db.models import Exists, OuterRef, Q

from accounts.errors import NotFound
from accounts.models import User
from characters.models import Character, Persona
from chat.errors import PersonaMissing
from chat.events import Source
from chat.models import Conversation, ConversationQuerySet, Feedback, Message, Reply, ReplyStatus, Role
from inference.types import Caller, ModelTarget, Turn

# A branch deeper than this is cut at its old end; no model reads that far back.
HISTORY_TURNS_MAX = 2000
# What `list_conversations` adds to each row: whether an answer is being written in it.
HAS_RUNNING_REPLY = "has_running_reply"

_PATH_TO_ROOT = """
WITH RECURSIVE path AS (
    SELECT id, parent_id, role, text, task, subjects, 1 AS depth FROM chat_message WHERE id = %s
    UNION ALL
    SELECT m.id, m.parent_id, m.role, m.text, m.task, m.subjects, path.depth + 1
    FROM chat_message m JOIN path ON m.id = path.parent_id
    WHERE path.depth < %s
)
SELECT role, text, task, subjects FROM path ORDER BY depth DESC
"""
_Row = tuple[str, str, str, list[uuid.UUID]]


@dataclass(frozen=True, slots=True)
class ReplyContext:
    """Everything a reply needs to know before it begins. `history` ends with the turn to answer.

    `target` is None where the model has still to be found, which may fail.
    """

    reply: Reply
    conversation: Conversation
    user: User
    history: tuple[Turn, ...]
    character: Character | None
    collections: tuple[uuid.UUID, ...]
    documents: tuple[uuid.UUID, ...]
    target: ModelTarget | None = None
    # What the message asks for about whole documents, and these in its order; "" for an ordinary question.
    task: str = ""
    subjects: tuple[uuid.UUID, ...] = ()

    @property
    def caller(self) -> Caller:
        """Who asks, for turns and limits."""
        return Caller(self.user.pk, self.reply.api_key_id)

    @property
    def message(self) -> Message:
        """The answer that is being written."""
        return self.reply.message

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
    return reply_context(reply) if reply is not None else None


def reply_context(
    reply: Reply, *, new_turns: Sequence[Message] | None = None, target: ModelTarget | None = None
) -> ReplyContext:
    """The context of a reply whose message, conversation and character are at hand.

    `new_turns` are all earlier messages of a conversation that has just begun with nothing attached: then nothing
    is read at all, and this is on the way of every first message.
    """
    message = reply.message
    conversation = message.conversation
    # In a group the message knows who speaks; elsewhere it is the conversation's character.
    character = message.character if message.character_id is not None else conversation.speaker
    collections: set[uuid.UUID] = set()
    documents: tuple[uuid.UUID, ...] = ()
    task, subjects = "", list[uuid.UUID]()
    if new_turns is None:
        collections |= set(conversation.collections.values_list("pk", flat=True))
        documents = tuple(conversation.documents.values_list("pk", flat=True))
        rows = _read_path(message.parent_id)
        history = _turns((role, text) for role, text, *_task in rows)
        if rows:
            task, subjects = rows[-1][2:]
    else:
        history = _turns((turn.role, turn.text) for turn in new_turns)
    if character is not None:
        collections |= set(character.collections.values_list("pk", flat=True))
    return ReplyContext(
        reply=reply,
        conversation=conversation,
        user=reply.requested_by,
        history=history,
        character=character,
        collections=tuple(collections),
        documents=documents,
        target=target,
        task=task,
        subjects=tuple(subjects),
    )


def load_history(message_id: uuid.UUID | None) -> tuple[Turn, ...]:
    """The turns from the root of the tree down to this message; empty ones are left out."""
    return _turns((role, text) for role, text, *_task in _read_path(message_id))


def _read_path(message_id: uuid.UUID | None) -> list[_Row]:
    if message_id is None:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_PATH_TO_ROOT, [message_id, HISTORY_TURNS_MAX])
        rows: list[_Row] = cursor.fetchall()
    return rows


def _turns(rows: Iterable[tuple[str, str]]) -> tuple[Turn, ...]:
    return tuple(
        Turn("user" if role == Role.USER else "assistant", text) for role, text in rows if text.strip()
    )


def list_conversations(*, user: User, query: str = "") -> ConversationQuerySet:
    """The user's conversations, the newest first, with HAS_RUNNING_REPLY; `query` looks into titles and texts."""
    running = Reply.objects.unfinished().filter(message__conversation=OuterRef("pk"))
    conversations = (
        Conversation.objects.visible_to(user)
        .select_related("character", "model")
        .annotate(**{HAS_RUNNING_REPLY: Exists(running)})
    )
    if query:
        said = Message.objects.filter(conversation=OuterRef("pk"), text__icontains=query)
        conversations = conversations.filter(Q(title__icontains=query) | Exists(said))
    return conversations.order_by("-updated_at", "-pk")


def find_character(*, user: User, slug: str | None) -> Character | None:
    """The character behind a slug, None for none; raises NotFound for one the user cannot see."""
    if not slug:
        return None
    character = Character.objects.visible_to(user).select_related("model").filter(slug=slug).first()
    if character is None:
        raise NotFound
    return character


def find_characters(*, user: User, slugs: Sequence[str]) -> list[Character]:
    """The characters of these slugs, in their order; raises NotFound where the user cannot see one of them."""
    rows = Character.objects.visible_to(user).select_related("model").filter(slug__in=slugs)
    found = {character.slug: character for character in rows}
    if not found.keys() >= set(slugs):
        raise NotFound
    return [found[slug] for slug in slugs]


def find_persona(actor: User, persona_id: uuid.UUID) -> Persona:
    """A persona of the actor's. Raises PersonaMissing."""
    persona = Persona.objects.visible_to(actor).filter(pk=persona_id).first()
    if persona is None:
        raise PersonaMissing
    return persona


def find_conversation(actor: User, conversation_id: uuid.UUID) -> Conversation:
    """A conversation of the actor's with its character and model. Raises NotFound."""
    found = (
        Conversation.objects.visible_to(actor)
        .select_related("character__model", "model")
        .filter(pk=conversation_id)
        .first()
    )
    if found is None:
        raise NotFound
    return found


def find_message(actor: User, message_id: uuid.UUID) -> Message:
    """A message of the actor's with its conversation. Raises NotFound."""
    found = (
        Message.objects.visible_to(actor)
        .select_related("character__model", "conversation__character__model", "conversation__model")
        .filter(pk=message_id)
        .first()
    )
    if found is None:
        raise NotFound
    return found


def latest_replies(message_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Reply]:
    """The newest reply of each of these messages."""
    replies = (
        Reply.objects.filter(message_id__in=message_ids).order_by("message_id", "-pk").distinct("message_id")
    )
    return {reply.message_id: reply for reply in replies}


def verdicts_on(message_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, str]:
    """What is thought of those of these messages that anything is thought of."""
    return dict(Feedback.objects.filter(message_id__in=message_ids).values_list("message_id", "verdict"))


def replies_to_follow(
    *, user: User, conversation_id: uuid.UUID, known: Sequence[uuid.UUID]
) -> list[tuple[Reply, Message]]:
    """The unfinished replies of a conversation and those the client already knows; NotFound if it is not theirs."""
    if not Conversation.objects.visible_to(user).filter(pk=conversation_id).exists():
        raise NotFound
    of_conversation = Reply.objects.filter(message__conversation_id=conversation_id).select_related("message")
    unfinished = of_conversation.filter(status__in=[ReplyStatus.QUEUED, ReplyStatus.RUNNING])
    replies = {reply.pk: reply for reply in unfinished}
    if known:
        replies |= {reply.pk: reply for reply in of_conversation.filter(pk__in=known)}
    return [(reply, reply.message) for reply in replies.values()]
