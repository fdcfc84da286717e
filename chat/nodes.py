"""How a conversation looks from outside, in the REST API and in `conversation` events."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from ninja import Schema

from characters.models import Character
from chat.models import Conversation, Message, Reply
from chat.queries import latest_replies, verdicts_on
from chat.scenes.groups import members_of


class CharacterBrief(Schema):
    slug: str
    name: str
    avatar_url: str


class FailureNode(Schema):
    code: str
    message: str


class UsageNode(Schema):
    prompt_tokens: int
    completion_tokens: int


class ReplyNode(Schema):
    id: uuid.UUID
    status: str
    model: str
    error: FailureNode | None
    usage: UsageNode | None
    thinking_seconds: float | None
    cursor: str


class SourceNode(Schema):
    n: int
    document: str
    name: str
    page: int
    text: str
    start: int
    end: int
    score: float


class MessageNode(Schema):
    id: uuid.UUID
    parent: uuid.UUID | None
    role: str
    # Who says it, where that is not the conversation's character.
    character: CharacterBrief | None
    text: str
    thinking: str
    sources: list[SourceNode]
    # What it asks for about whole documents; empty for an ordinary message.
    task: str
    created_at: datetime
    reply: ReplyNode | None
    feedback: str | None = None


class CollectionBrief(Schema):
    id: uuid.UUID
    name: str


class DocumentBrief(Schema):
    id: uuid.UUID
    name: str
    status: str
    progress: float


class ConversationItem(Schema):
    id: uuid.UUID
    title: str
    character: CharacterBrief | None
    model: str | None
    updated_at: datetime
    has_running_reply: bool


class ConversationList(Schema):
    items: list[ConversationItem]
    next: str | None


class VersionNode(Schema):
    """The version of the character that the conversation keeps, and the one the character has by now."""

    kept: int
    newest: int


class MemberNode(Schema):
    slug: str
    name: str
    avatar_url: str
    is_muted: bool


class ConversationTree(Schema):
    id: uuid.UUID
    title: str
    persona: uuid.UUID | None
    author_note: str
    author_note_depth: int
    turn_order: str
    members: list[MemberNode]
    character: CharacterBrief | None
    version: VersionNode | None
    model: str | None
    collections: list[CollectionBrief]
    documents: list[DocumentBrief]
    current_message: uuid.UUID | None
    messages: list[MessageNode]


def character_brief(character: Character | None) -> CharacterBrief | None:
    return _brief(character) if character is not None else None


def _brief(character: Character) -> CharacterBrief:
    return CharacterBrief(slug=character.slug, name=character.name, avatar_url=character.avatar_url)


def version_node(conversation: Conversation) -> VersionNode | None:
    """None unless the character has moved on since the conversation took it up."""
    character = conversation.character
    if character is None or conversation.version_id in {None, character.version_id}:
        return None
    kept, newest = conversation.version, character.version
    if kept is None or newest is None:
        return None
    return VersionNode(kept=kept.number, newest=newest.number)


def reply_node(reply: Reply | None) -> ReplyNode | None:
    if reply is None:
        return None
    has_usage = reply.prompt_tokens is not None and reply.completion_tokens is not None
    return ReplyNode(
        id=reply.pk,
        status=reply.status,
        model=reply.model_name,
        error=FailureNode(code=reply.error_code, message=reply.error_message) if reply.error_code else None,
        usage=UsageNode(
            prompt_tokens=reply.prompt_tokens or 0, completion_tokens=reply.completion_tokens or 0
        )
        if has_usage
        else None,
        thinking_seconds=reply.thinking_seconds,
        cursor=reply.last_cursor if reply.is_final else "",
    )


def message_node(message: Message, reply: Reply | None, feedback: str | None = None) -> MessageNode:
    """A node of the tree. A reply that is still being written has no text here: its log tells it from the start,
    and a row read beside a moving log would lack some words or double them."""
    is_told_by_log = reply is not None and not reply.is_final
    return MessageNode(
        id=message.pk,
        parent=message.parent_id,
        role=message.role,
        character=character_brief(message.character) if message.character_id is not None else None,
        text="" if is_told_by_log else message.text,
        thinking="" if is_told_by_log else message.thinking,
        sources=[] if is_told_by_log else [SourceNode(**source) for source in message.sources],
        task=message.task,
        created_at=message.created_at,
        reply=reply_node(reply),
        feedback=feedback,
    )


def message_nodes(messages: Sequence[Message]) -> list[MessageNode]:
    """Nodes in the order given, each with its newest reply."""
    ids = [message.pk for message in messages]
    replies, verdicts = latest_replies(ids), verdicts_on(ids)
    return [message_node(message, replies.get(message.pk), verdicts.get(message.pk)) for message in messages]


def conversation_tree(conversation: Conversation) -> ConversationTree:
    """The whole tree, oldest message first."""
    return ConversationTree(
        id=conversation.pk,
        title=conversation.title,
        persona=conversation.persona_id,
        author_note=conversation.author_note,
        author_note_depth=conversation.author_note_depth,
        turn_order=conversation.turn_order,
        members=[
            MemberNode(**_brief(member.character).model_dump(), is_muted=member.is_muted)
            for member in members_of(conversation)
        ],
        character=character_brief(conversation.speaker),
        version=version_node(conversation),
        model=conversation.model.name if conversation.model else None,
        collections=[CollectionBrief(id=row.pk, name=row.name) for row in conversation.collections.all()],
        documents=[
            DocumentBrief(id=row.pk, name=row.name, status=row.status, progress=row.progress)
            for row in conversation.documents.all()
        ],
        current_message=conversation.current_message_id,
        messages=message_nodes(list(conversation.messages.select_related("character"))),
    )
