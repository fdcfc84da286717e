"""What people do in conversations. Every write a person starts is a verb here.

A verb that begins a reply stores it as a row and returns `Posted`; the process that accepted it then runs it
(`chat.runtime`). Should that process die before it can, another finds the row (`chat.leases`).
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.errors import NotFound
from accounts.events import publish_to_user
from accounts.models import User
from chat import control
from chat.errors import EmptyMessage, MessageTooLong, NotRepliable, ReplyRunning
from chat.models import Conversation, Message, Reply, Role
from chat.queries import ReplyContext, find_character, reply_context
from documents.models import Collection, Document
from inference.queries import resolve_model
from inference.types import ModelTarget

MESSAGE_MAX_CHARACTERS = 100_000
TITLE_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Posted:
    """A stored action and the reply it began. `messages` are the new nodes of the tree, oldest first."""

    conversation: Conversation
    is_new_conversation: bool
    messages: tuple[Message, ...]
    reply: Reply
    context: ReplyContext | None = None

    @property
    def is_repeat(self) -> bool:
        """Whether the action was stored before, so that its reply has begun already."""
        return self.context is None

    @property
    def user_message(self) -> Message | None:
        return next((message for message in self.messages if message.role == Role.USER), None)


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person chose for a message beside its text."""

    character: str | None = None
    model: str | None = None
    collections: Sequence[uuid.UUID] = ()
    documents: Sequence[uuid.UUID] = ()
    max_tokens: int | None = None
    temperature: float | None = None


def post_message(
    *,
    actor: User,
    text: str,
    conversation_id: uuid.UUID | None = None,
    parent_id: uuid.UUID | None = None,
    choices: Choices | None = None,
    request_id: str = "",
) -> Posted:
    """Store the person's message and an empty answer; in a new conversation where none is named.

    The answer hangs below `parent_id`, or below the newest message. Sending the same `request_id` again changes
    nothing and returns what the first time stored. Raises NotFound, EmptyMessage, MessageTooLong, ReplyRunning,
    inference.errors.ModelUnavailable.
    """
    text = _checked_text(text)
    choices = choices or Choices()
    try:
        with transaction.atomic():
            if conversation_id is None:
                conversation, messages = _begin_conversation(actor, text, choices)
            else:
                conversation = _find_conversation(actor, conversation_id)
                messages = []
                _apply_choices(conversation, actor, choices)
            parent = messages[-1].pk if messages else _parent_of_new(conversation, parent_id)
            question = Message(conversation=conversation, parent_id=parent, role=Role.USER, text=text)
            return _begin_reply(
                actor,
                conversation,
                [*messages, question],
                question.pk,
                choices,
                request_id,
                is_new_conversation=conversation_id is None,
            )
    except IntegrityError:
        return _find_repeat(actor, request_id)


def edit_message(*, actor: User, message_id: uuid.UUID, text: str, request_id: str = "") -> Posted:
    """A new branch beside the person's own message, with other words and an answer of its own."""
    text = _checked_text(text)
    try:
        with transaction.atomic():
            original = _find_message(actor, message_id)
            if original.role != Role.USER:
                raise NotRepliable(_("Only your own messages can be edited."))
            edited = Message(
                conversation=original.conversation, parent_id=original.parent_id, role=Role.USER, text=text
            )
            return _begin_reply(actor, original.conversation, [edited], edited.pk, Choices(), request_id)
    except IntegrityError:
        return _find_repeat(actor, request_id)


def regenerate_message(
    *, actor: User, message_id: uuid.UUID, model_name: str | None = None, request_id: str = ""
) -> Posted:
    """Another answer beside this one, or a first one below a message of the person that has none."""
    try:
        with transaction.atomic():
            message = _find_message(actor, message_id)
            parent_id = message.pk if message.role == Role.USER else message.parent_id
            if parent_id is None:
                raise NotRepliable(_("A greeting has nothing to answer. Write a message first."))
            choices = Choices(model=model_name)
            return _begin_reply(actor, message.conversation, [], parent_id, choices, request_id)
    except IntegrityError:
        return _find_repeat(actor, request_id)


def continue_message(*, actor: User, message_id: uuid.UUID, request_id: str = "") -> Posted:
    """A reply that carries on from the text this answer already has."""
    try:
        with transaction.atomic():
            message = _find_message(actor, message_id)
            if message.role != Role.ASSISTANT or message.parent_id is None:
                raise NotRepliable(_("Only an answer can be continued."))
            if Reply.objects.unfinished().filter(message=message).exists():
                raise ReplyRunning
            is_continuation = bool(message.text)
            target, reply = _new_reply(actor, message, Choices(), request_id, is_continuation=is_continuation)
            _touch(message.conversation, message.pk)
            return Posted(message.conversation, False, (), reply, reply_context(reply, target=target))
    except IntegrityError:
        return _find_repeat(actor, request_id)


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
        conversation = _find_conversation(actor, conversation_id)
        conversation.title = title.strip()[:200]
        conversation.is_titled_by_owner = bool(conversation.title)
        conversation.save(update_fields=["title", "is_titled_by_owner"])
        _publish_on_commit(conversation, "titled", title=conversation.title)
    return conversation


def move_to_branch(*, actor: User, conversation_id: uuid.UUID, message_id: uuid.UUID) -> Conversation:
    """Make the branch that ends at this message the one the conversation shows."""
    with transaction.atomic():
        conversation = _find_conversation(actor, conversation_id)
        if not conversation.messages.filter(pk=message_id).exists():
            raise NotFound
        conversation.current_message_id = message_id
        conversation.save(update_fields=["current_message"])
        _publish_on_commit(conversation, "moved", current_message=str(message_id))
    return conversation


def choose_for_conversation(*, actor: User, conversation_id: uuid.UUID, choices: Choices) -> Conversation:
    """Talk with another character or model from the next message on."""
    with transaction.atomic():
        conversation = _find_conversation(actor, conversation_id)
        _apply_choices(conversation, actor, choices)
    return conversation


def delete_conversation(*, actor: User, conversation_id: uuid.UUID) -> None:
    """The conversation, its messages and its replies are gone; running ones are stopped."""
    with transaction.atomic():
        conversation = _find_conversation(actor, conversation_id)
        running = list(
            Reply.objects.unfinished().filter(message__conversation=conversation).values_list("pk", flat=True)
        )
        record(actor=actor, verb="delete", target=conversation)
        _publish_on_commit(conversation, "deleted")
        conversation.delete()
        if running:
            transaction.on_commit(lambda: control.request_stop(running))


def _begin_conversation(actor: User, text: str, choices: Choices) -> tuple[Conversation, list[Message]]:
    """A conversation and the character's greeting as its first node; `_begin_reply` saves both."""
    character = find_character(user=actor, slug=choices.character)
    conversation = Conversation(owner=actor, title=make_title(text), character=character)
    if choices.model:
        conversation.model_id = resolve_model(choices.model).id
    greeting = []
    if character is not None and character.greeting:
        greeting = [Message(conversation=conversation, role=Role.ASSISTANT, text=character.greeting)]
    return conversation, greeting


def _begin_reply(
    actor: User,
    conversation: Conversation,
    new_messages: list[Message],
    parent_id: uuid.UUID,
    choices: Choices,
    request_id: str,
    *,
    is_new_conversation: bool = False,
) -> Posted:
    answer = Message(conversation=conversation, parent_id=parent_id, role=Role.ASSISTANT)
    messages = [*new_messages, answer]
    if is_new_conversation:
        # It may name a message that comes a statement later: the constraint is checked at the commit.
        conversation.current_message_id = answer.pk
        conversation.save(force_insert=True)
        _attach(conversation, actor, choices)
    else:
        _touch(conversation, answer.pk)
    Message.objects.bulk_create(messages)
    target, reply = _new_reply(actor, answer, choices, request_id)
    is_bare = is_new_conversation and not choices.collections and not choices.documents
    context = reply_context(reply, new_turns=new_messages if is_bare else None, target=target)
    return Posted(conversation, is_new_conversation, tuple(messages), reply, context)


def _new_reply(
    actor: User, message: Message, choices: Choices, request_id: str, *, is_continuation: bool = False
) -> tuple[ModelTarget, Reply]:
    conversation, character = message.conversation, message.conversation.character
    chosen = choices.model
    if not chosen and conversation.model:
        chosen = conversation.model.name
    if not chosen and character is not None and character.model:
        chosen = character.model.name
    temperature = choices.temperature
    if temperature is None and character is not None:
        temperature = character.temperature
    target = resolve_model(chosen)
    reply = Reply(
        message=message,
        requested_by=actor,
        request_id=request_id[:64],
        model_name=target.name,
        temperature=temperature,
        max_tokens=choices.max_tokens or (character.max_tokens if character is not None else None),
        is_continuation=is_continuation,
    )
    reply.save(force_insert=True)
    return target, reply


def _touch(conversation: Conversation, current_message_id: uuid.UUID) -> None:
    conversation.current_message_id = current_message_id
    conversation.updated_at = timezone.now()
    conversation.save(update_fields=["current_message", "updated_at"])


def _apply_choices(conversation: Conversation, actor: User, choices: Choices) -> None:
    changed = []
    if choices.character is not None:
        conversation.character = find_character(user=actor, slug=choices.character)
        changed.append("character")
    if choices.model is not None:
        conversation.model_id = resolve_model(choices.model).id if choices.model else None
        changed.append("model")
    if changed:
        conversation.save(update_fields=changed)
    _attach(conversation, actor, choices)


def _attach(conversation: Conversation, actor: User, choices: Choices) -> None:
    """What is attached once stays with the conversation."""
    if choices.collections:
        collections = list(Collection.objects.visible_to(actor).filter(pk__in=choices.collections))
        if len(collections) != len(set(choices.collections)):
            raise NotFound(_("One of the collections does not exist, or is not yours to see."))
        conversation.collections.add(*collections)
    if choices.documents:
        documents = list(Document.objects.visible_to(actor).filter(pk__in=choices.documents))
        if len(documents) != len(set(choices.documents)):
            raise NotFound(_("One of the documents does not exist, or is not yours to see."))
        conversation.documents.add(*documents)


def _parent_of_new(conversation: Conversation, parent_id: uuid.UUID | None) -> uuid.UUID | None:
    parent_id = parent_id or conversation.current_message_id
    if parent_id is None:
        return None
    if not conversation.messages.filter(pk=parent_id).exists():
        raise NotFound
    if Reply.objects.unfinished().filter(message_id=parent_id).exists():
        raise ReplyRunning
    return parent_id


def _find_conversation(actor: User, conversation_id: uuid.UUID) -> Conversation:
    found = (
        Conversation.objects.visible_to(actor)
        .select_related("character__model", "model")
        .filter(pk=conversation_id)
        .first()
    )
    if found is None:
        raise NotFound
    return found


def _find_message(actor: User, message_id: uuid.UUID) -> Message:
    found = (
        Message.objects.visible_to(actor)
        .select_related("conversation__character__model", "conversation__model")
        .filter(pk=message_id)
        .first()
    )
    if found is None:
        raise NotFound
    return found


def _find_repeat(actor: User, request_id: str) -> Posted:
    """What the first arrival of this request stored."""
    reply = (
        Reply.objects.select_related("message__conversation", "message__parent")
        .filter(requested_by=actor, request_id=request_id, request_id__gt="")
        .first()
    )
    if reply is None:
        raise ReplyRunning
    answer = reply.message
    messages = (answer,) if reply.is_continuation or answer.parent is None else (answer.parent, answer)
    return Posted(answer.conversation, False, messages, reply)


def _checked_text(text: str) -> str:
    # A NUL is no text, and PostgreSQL cannot keep one.
    text = text.replace("\x00", "").strip()
    if not text:
        raise EmptyMessage
    if len(text) > MESSAGE_MAX_CHARACTERS:
        raise MessageTooLong
    return text


def make_title(text: str) -> str:
    """A title from a first message: its first line, cut after a whole word."""
    line = " ".join(text.split("\n", 1)[0].split())
    if len(line) <= TITLE_CHARACTERS:
        return line
    return line[:TITLE_CHARACTERS].rsplit(" ", 1)[0].rstrip(".,;:–-") + "…"


def _publish_on_commit(conversation: Conversation, event: str, **more: object) -> None:
    owner_id = conversation.owner_id
    frame = {"type": "conversation", "conversation": str(conversation.pk), "event": event, **more}
    transaction.on_commit(lambda: publish_to_user(owner_id, frame))
