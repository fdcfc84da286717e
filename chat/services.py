"""What people do to their conversations and replies.

Every write a person starts is a verb here, or in `chat.posting` where it begins a reply.
"""

import uuid

from django.db import transaction

from accounts.audit import record
from accounts.errors import NotFound
from accounts.events import publish_to_user
from accounts.models import User
from chat.choices import Choices, attach, choose
from chat.models import Conversation, Reply
from chat.queries import (
    find_conversation,
)
from chat.running import control
from documents.models import CollectionKind
from documents.services import delete_collection


def stop_reply(*, actor: User, reply_id: uuid.UUID) -> None:
    """Ask whoever runs the reply to end it with what it has. Stopping twice, or too late, is harmless."""
    with transaction.atomic():
        if not Reply.objects.visible_to(actor).filter(pk=reply_id).exists():
            raise NotFound
        if Reply.objects.unfinished().filter(pk=reply_id).update(is_stop_requested=True):
            transaction.on_commit(lambda: control.request_stop([reply_id]))


def rename_conversation(*, actor: User, conversation_id: uuid.UUID, title: str) -> Conversation:
    """Give the conversation a name of the person's own, which no automatic title replaces."""
    with transaction.atomic():
        conversation = find_conversation(actor, conversation_id)
        conversation.title = title.strip()[:200]
        conversation.is_titled_by_owner = bool(conversation.title)
        conversation.save(update_fields=["title", "is_titled_by_owner"])
        _publish_on_commit(conversation, "titled", title=conversation.title)
    return conversation


def move_to_branch(*, actor: User, conversation_id: uuid.UUID, message_id: uuid.UUID) -> Conversation:
    """Make the branch that ends at this message the one the conversation shows."""
    with transaction.atomic():
        conversation = find_conversation(actor, conversation_id)
        if not conversation.messages.filter(pk=message_id).exists():
            raise NotFound
        conversation.current_message_id = message_id
        conversation.save(update_fields=["current_message"])
        _publish_on_commit(conversation, "moved", current_message=str(message_id))
    return conversation


def choose_for_conversation(*, actor: User, conversation_id: uuid.UUID, choices: Choices) -> Conversation:
    """Talk with another character or model from the next message on."""
    with transaction.atomic():
        conversation = find_conversation(actor, conversation_id)
        if changed := choose(conversation, actor, choices):
            conversation.save(update_fields=changed)
        attach(conversation, actor, choices)
    return conversation


def follow_character(*, actor: User, conversation_id: uuid.UUID) -> Conversation:
    """Talk with the character as it is now; the conversation keeps that version from the next message on."""
    with transaction.atomic():
        conversation = find_conversation(actor, conversation_id)
        if conversation.character is not None:
            conversation.version_id = conversation.character.version_id
            conversation.save(update_fields=["version"])
    return conversation


def delete_conversation(*, actor: User, conversation_id: uuid.UUID) -> None:
    """The conversation, its messages, replies and files are gone; running replies are stopped."""
    with transaction.atomic():
        conversation = find_conversation(actor, conversation_id)
        running = list(
            Reply.objects.unfinished().filter(message__conversation=conversation).values_list("pk", flat=True)
        )
        record(actor=actor, verb="delete", target=conversation)
        _publish_on_commit(conversation, "deleted")
        files = list(conversation.collections.filter(kind=CollectionKind.CHAT, owner=actor))
        conversation.delete()
        for collection in files:
            if not Conversation.objects.filter(collections=collection).exists():
                delete_collection(actor=actor, collection_id=collection.pk)
        if running:
            transaction.on_commit(lambda: control.request_stop(running))


def _publish_on_commit(conversation: Conversation, event: str, **more: object) -> None:
    owner_id = conversation.owner_id
    frame = {"type": "conversation", "conversation": str(conversation.pk), "event": event, **more}
    transaction.on_commit(lambda: publish_to_user(owner_id, frame))
