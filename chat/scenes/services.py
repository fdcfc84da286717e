"""What a chat is set up with, and its words changed by hand: persona, note, group, messages."""

import uuid
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.errors import InvalidInput, NotFound
from accounts.events import publish_to_user
from accounts.models import User
from chat.errors import EmptyMessage, MessageTooLong, ReplyRunning
from chat.models import Conversation, Member, Message, Reply, Role
from chat.nodes import message_nodes
from chat.posting import MESSAGE_MAX_CHARACTERS
from chat.queries import find_persona
from chat.scenes.groups import Wish, new_members

MAX_NOTE_CHARACTERS = 8_000
MAX_NOTE_DEPTH = 1_000


@dataclass(frozen=True, slots=True)
class Scene:
    """What is to change; None leaves it. An empty `persona` is no persona."""

    persona: str | None = None
    author_note: str | None = None
    author_note_depth: int | None = None


@transaction.atomic
def set_scene(*, actor: User, conversation_id: uuid.UUID, scene: Scene) -> Conversation:
    """The conversation with another persona or note from its next answer on."""
    conversation = _find(actor, conversation_id)
    if scene.persona is not None:
        conversation.persona = find_persona(actor, _uuid(scene.persona)) if scene.persona else None
    if scene.author_note is not None:
        if len(scene.author_note) > MAX_NOTE_CHARACTERS:
            raise InvalidInput(_("A note has at most 8,000 characters."))
        conversation.author_note = scene.author_note.replace("\x00", "")
    if scene.author_note_depth is not None:
        conversation.author_note_depth = min(max(scene.author_note_depth, 0), MAX_NOTE_DEPTH)
    conversation.save(update_fields=["persona", "author_note", "author_note_depth"])
    return conversation


@transaction.atomic
def set_group(*, actor: User, conversation_id: uuid.UUID, wish: Wish | None) -> Conversation:
    """Make the conversation a group of these, or with None one with a single character again."""
    conversation = _find(actor, conversation_id)
    members = new_members(actor, conversation, wish) if wish is not None else []
    if not conversation.turn_order and conversation.character is not None:
        # What was said so far stays theirs who said it.
        said = conversation.messages.filter(role=Role.ASSISTANT, character=None)
        said.update(character=conversation.character)
    conversation.members.all().delete()
    Member.objects.bulk_create(members)
    conversation.turn_order = wish.order if wish is not None else ""
    if members and conversation.character_id not in {member.character_id for member in members}:
        conversation.character, conversation.version_id = members[0].character, members[0].version_id
    conversation.save(update_fields=["turn_order", "character", "version"])
    return conversation


@transaction.atomic
def rewrite_message(*, actor: User, message_id: uuid.UUID, text: str) -> Message:
    """Other words in place of a message's own, whoever said it. Raises ReplyRunning, EmptyMessage, MessageTooLong."""
    message = _find_message(actor, message_id)
    message.text = _checked(text)
    message.save(update_fields=["text"])
    _tell(message)
    return message


@transaction.atomic
def branch_message(*, actor: User, message_id: uuid.UUID, text: str) -> Message:
    """The same with the original kept: a branch beside it, which the conversation shows from now on."""
    message = _find_message(actor, message_id)
    branch = Message.objects.create(
        conversation=message.conversation,
        parent_id=message.parent_id,
        role=message.role,
        character_id=message.character_id,
        text=_checked(text),
    )
    conversation = message.conversation
    conversation.current_message = branch
    conversation.save(update_fields=["current_message"])
    _tell(branch, current_message=str(branch.pk))
    return branch


def _find(actor: User, conversation_id: uuid.UUID) -> Conversation:
    rows = Conversation.objects.visible_to(actor).select_related("character", "persona")
    found = rows.select_for_update(of=("self",)).filter(pk=conversation_id).first()
    if found is None:
        raise NotFound
    return found


def _find_message(actor: User, message_id: uuid.UUID) -> Message:
    found = Message.objects.visible_to(actor).select_related("conversation").filter(pk=message_id).first()
    if found is None:
        raise NotFound
    if Reply.objects.unfinished().filter(message=found).exists():
        raise ReplyRunning
    return found


def _checked(text: str) -> str:
    text = text.replace("\x00", "").strip()
    if not text:
        raise EmptyMessage
    if len(text) > MESSAGE_MAX_CHARACTERS:
        raise MessageTooLong
    return text


def _uuid(value: str) -> uuid.UUID:
    try:
        return uuid.UUID(value)
    except ValueError as error:
        raise NotFound from error


def _tell(message: Message, **more: object) -> None:
    """Show the message in all windows of its owner."""
    [node] = message_nodes([message])
    owner_id = message.conversation.owner_id
    event = {
        "type": "conversation",
        "conversation": str(message.conversation_id),
        "event": "message",
        "messages": [node.model_dump(mode="json")],
        **more,
    }
    transaction.on_commit(lambda: publish_to_user(owner_id, event))
