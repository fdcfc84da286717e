"""A reply that is about to begin: planned, which is checked and not stored yet, and stored with what it belongs to.

Who asks for one, and what else that needs, is `chat.posting`'s; plans of several people are stored together.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import connection
from django.utils import timezone

from accounts.models import User
from chat.choices import Choices, attach
from chat.contexts import Opening, ReplyContext, reply_contexts
from chat.models import Conversation, Member, Message, Reply, Role
from chat.scenes.groups import choose_speakers, members_of
from chat.trials.services import take_part
from inference.queries import resolve_model
from inference.types import ModelTarget

_TOUCH = """
UPDATE chat_conversation c SET current_message_id = s.message_id, updated_at = now()
FROM unnest(%s::uuid[], %s::uuid[]) AS s(id, message_id) WHERE c.id = s.id
"""


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


@dataclass(slots=True)
class Plan:
    """An action that begins a reply, checked and not stored yet."""

    actor: User
    conversation: Conversation
    messages: list[Message]
    reply: Reply
    target: ModelTarget
    choices: Choices
    is_new_conversation: bool = False
    members: list[Member] = field(default_factory=list)
    """Of a group that is new."""
    names: dict[uuid.UUID, str] | None = None
    """Those of a group's members in their order, where they are at hand."""
    changed: tuple[str, ...] = ()
    """Fields of the conversation that the choices changed."""


def plan_reply(
    actor: User,
    conversation: Conversation,
    new_messages: list[Message],
    parent_id: uuid.UUID,
    choices: Choices,
    request_id: str,
    members: Sequence[Member] = (),
) -> Plan:
    """An answer below `parent_id`, by whoever speaks next; `new_messages` are stored before it."""
    answer = Message(conversation=conversation, parent_id=parent_id, role=Role.ASSISTANT)
    speakers: list[Member] = []
    if conversation.turn_order:
        text = new_messages[-1].text if new_messages else ""
        speakers = choose_speakers(
            conversation.turn_order,
            members or members_of(conversation),
            text,
            last=conversation.character_id,
            wanted=choices.speaker,
        )
        answer.character = speakers[0].speaker
    target, reply = new_reply(actor, answer, choices, request_id)
    reply.next_speakers = [member.character_id for member in speakers[1:]]
    return Plan(actor, conversation, [*new_messages, answer], reply, target, choices, members=list(members))


def store_one(plan: Plan) -> Posted:
    """`store_plans` for one."""
    return store_plans([plan])[0]


def store_plans(plans: Sequence[Plan]) -> list[Posted]:
    """The rows of all plans, in one statement a table: a hundred people may have pressed Enter at once."""
    new_conversations = []
    for plan in plans:
        answer = plan.reply.message
        if plan.is_new_conversation:
            # It names a message that comes a statement later: the constraint is checked at the commit.
            plan.conversation.current_message_id = answer.pk
            new_conversations.append(plan.conversation)
    Conversation.objects.bulk_create(new_conversations)
    if members := [member for plan in plans for member in plan.members]:
        Member.objects.bulk_create(members)
    Message.objects.bulk_create([message for plan in plans for message in plan.messages])
    Reply.objects.bulk_create([plan.reply for plan in plans])
    _touch_all([plan for plan in plans if not plan.is_new_conversation])
    for plan in plans:
        attach(plan.conversation, plan.actor, plan.choices)
    contexts = reply_contexts([_opening(plan) for plan in plans])
    return [
        Posted(plan.conversation, plan.is_new_conversation, tuple(plan.messages), plan.reply, context)
        for plan, context in zip(plans, contexts, strict=True)
    ]


def _touch_all(plans: Sequence[Plan]) -> None:
    """Conversations that were there already stand at their new answers now."""
    for plan in plans:
        plan.conversation.current_message_id = plan.reply.message_id
        if plan.changed:
            plan.conversation.save(update_fields=plan.changed)
    if plans:
        with connection.cursor() as cursor:
            conversations = [plan.conversation.pk for plan in plans]
            cursor.execute(_TOUCH, [conversations, [plan.reply.message_id for plan in plans]])


def _opening(plan: Plan) -> Opening:
    """All that is known of a conversation that begins with this plan and has nothing attached."""
    choices = plan.choices
    is_bare = plan.is_new_conversation and not choices.collections and not choices.documents
    names = {member.character_id: member.character.name for member in plan.members} or plan.names
    return Opening(plan.reply, plan.target, _way_to(plan) if is_bare else None, names)


def _way_to(plan: Plan) -> list[Message]:
    """The new messages that lead to the answer; a greeting that was not chosen does not."""
    by_id = {message.pk: message for message in plan.messages}
    way: list[Message] = []
    at = plan.reply.message.parent_id
    while at is not None and at in by_id:
        way.append(by_id[at])
        at = by_id[at].parent_id
    return way[::-1]


def new_reply(
    actor: User, message: Message, choices: Choices, request_id: str, *, is_continuation: bool = False
) -> tuple[ModelTarget, Reply]:
    """A reply that is to fill `message`, and the model that will write it: who is asked is decided here."""
    conversation = message.conversation
    character = message.character if message.character_id is not None else conversation.speaker
    chosen = choices.model
    if not chosen and conversation.model:
        chosen = conversation.model.name
    if not chosen and character is not None and character.model:
        chosen = character.model.name
    target = resolve_model(chosen, user=actor)
    is_own_choice = not choices.model and not conversation.model
    target, part = take_part(
        target,
        user=actor,
        character_id=conversation.character_id if is_own_choice else None,
        conversation_id=conversation.pk,
    )
    reply = Reply(
        message=message,
        requested_by=actor,
        api_key_id=actor.acting_key_id,
        request_id=request_id[:64],
        model_name=target.name,
        temperature=choices.temperature,
        max_tokens=choices.max_tokens,
        is_continuation=is_continuation,
        trial_id=part.trial_id if part else None,
        arm=part.arm if part else "",
    )
    return target, reply


def touch(conversation: Conversation, current_message_id: uuid.UUID) -> None:
    """The conversation stands at this message now, and is the newest in its list."""
    conversation.current_message_id = current_message_id
    conversation.updated_at = timezone.now()
    conversation.save(update_fields=["current_message", "updated_at"])
