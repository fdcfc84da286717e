"""What people say: the verbs that begin a reply.

Each stores the reply as a row and returns `Posted`; the process that accepted it then runs it (`chat.runtime`).
Should that process die before it can, another finds the row (`chat.running.leases`).
"""

import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.utils.translation import gettext as _

from accounts.errors import NotFound, ParlourError
from accounts.models import User
from characters.models import Character
from chat.choices import Choices, choose
from chat.contexts import Opening, reply_context
from chat.errors import EmptyMessage, GroupInvalid, MessageTooLong, NotRepliable, ReplyRunning
from chat.models import Conversation, Member, Message, Reply, Role
from chat.plans import Plan, Posted, new_reply, plan_reply, store_one, store_plans, touch
from chat.queries import find_conversation, find_message, find_shown_to_everyone
from chat.scenes.openings import new_conversation
from chat.whole.rules import check_task

logger = logging.getLogger(__name__)

MESSAGE_MAX_CHARACTERS = 100_000


@dataclass(frozen=True, slots=True)
class NewPost:
    """A message somebody sends: into a new conversation where none is named, below the newest message where no
    parent is."""

    actor: User
    text: str
    conversation_id: uuid.UUID | None = None
    parent_id: uuid.UUID | None = None
    choices: Choices = field(default_factory=Choices)
    request_id: str = ""


def post_messages(posts: Sequence[NewPost]) -> list[Posted | Exception]:
    """Store each person's message and an empty answer, all in one transaction; what came of each, in order.

    Sending the same `request_id` again changes nothing and returns what the first time stored. One that is
    refused leaves the others alone: NotFound, EmptyMessage, MessageTooLong, ReplyRunning,
    inference.errors.ModelUnavailable stand in its place. Raises only when the database is away.
    """
    outcomes: list[Posted | Exception | None] = [None] * len(posts)
    plans: dict[int, Plan] = {}
    busy: set[uuid.UUID] = set()
    try:
        with transaction.atomic():
            # Asked for once, whoever wants them.
            new = [post.choices for post in posts if post.conversation_id is None]
            shown = find_shown_to_everyone({slug for choices in new for slug in choices.characters})
            for at, post in enumerate(posts):
                if post.conversation_id is not None and post.conversation_id in busy:
                    # It has to see what the one before it stored.
                    continue
                try:
                    plans[at] = _plan_post(post, shown)
                except ParlourError as error:
                    outcomes[at] = error
                if post.conversation_id is not None:
                    busy.add(post.conversation_id)
            if plans:
                for at, posted in zip(plans, store_plans(list(plans.values())), strict=True):
                    outcomes[at] = posted
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - it stands in its post's place
        if len(posts) > 1:
            # Whose fault it was shows when each has a transaction of its own.
            return [outcome for post in posts for outcome in post_messages([post])]
        return [_find_repeat_of(posts[0]) if isinstance(error, IntegrityError) else error]
    return [outcome or post_messages([posts[at]])[0] for at, outcome in enumerate(outcomes)]


def post_message(post: NewPost) -> Posted:
    """`post_messages` for one; raises what it was refused with."""
    [outcome] = post_messages([post])
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def edit_message(*, actor: User, message_id: uuid.UUID, text: str, request_id: str = "") -> Posted:
    """A new branch beside the person's own message, with other words and an answer of its own."""
    text = _checked_text(text)
    try:
        with transaction.atomic():
            original = find_message(actor, message_id)
            if original.role != Role.USER:
                raise NotRepliable(_("Only your own messages can be edited."))
            edited = Message(
                conversation=original.conversation, parent_id=original.parent_id, role=Role.USER, text=text
            )
            edited.task, edited.subjects = original.task, original.subjects
            return store_one(
                plan_reply(actor, original.conversation, [edited], edited.pk, Choices(), request_id)
            )
    except IntegrityError:
        return _find_repeat(actor, request_id)


def regenerate_message(
    *, actor: User, message_id: uuid.UUID, model_name: str | None = None, request_id: str = ""
) -> Posted:
    """Another answer beside this one, or a first one below a message of the person that has none."""
    try:
        with transaction.atomic():
            message = find_message(actor, message_id)
            parent_id = message.pk if message.role == Role.USER else message.parent_id
            if parent_id is None:
                raise NotRepliable(_("A greeting has nothing to answer. Write a message first."))
            speaker = message.character.slug if message.character is not None else None
            choices = Choices(model=model_name, speaker=speaker)
            return store_one(plan_reply(actor, message.conversation, [], parent_id, choices, request_id))
    except IntegrityError:
        return _find_repeat(actor, request_id)


def continue_message(*, actor: User, message_id: uuid.UUID, request_id: str = "") -> Posted:
    """A reply that carries on from the text this answer already has."""
    try:
        with transaction.atomic():
            message = find_message(actor, message_id)
            if message.role != Role.ASSISTANT or message.parent_id is None:
                raise NotRepliable(_("Only an answer can be continued."))
            if Reply.objects.unfinished().filter(message=message).exists():
                raise ReplyRunning
            target, reply = new_reply(
                actor, message, Choices(), request_id, is_continuation=bool(message.text)
            )
            reply.save(force_insert=True)
            touch(message.conversation, message.pk)
            return Posted(message.conversation, False, (), reply, reply_context(Opening(reply, target)))
    except IntegrityError:
        return _find_repeat(actor, request_id)


def ask_speaker(*, actor: User, conversation_id: uuid.UUID, speaker: str, request_id: str = "") -> Posted:
    """An answer by this member of the group to what was said last, whoever said it. Raises GroupInvalid."""
    try:
        with transaction.atomic():
            conversation = find_conversation(actor, conversation_id)
            if not conversation.turn_order:
                raise GroupInvalid
            parent_id = _parent_of_new(conversation, None)
            if parent_id is None:
                raise NotRepliable(_("Say something first."))
            choices = Choices(speaker=speaker)
            return store_one(plan_reply(actor, conversation, [], parent_id, choices, request_id))
    except IntegrityError:
        return _find_repeat(actor, request_id)


def _plan_post(post: NewPost, shown: Mapping[str, Character]) -> Plan:
    actor, choices = post.actor, post.choices
    text = post.text
    if choices.task is not None:
        text = check_task(actor=actor, task=choices.task, documents=choices.documents, text=text)
    text = _checked_text(text)
    changed: tuple[str, ...] = ()
    members: list[Member] = []
    if post.conversation_id is None:
        conversation, messages, members = new_conversation(actor, text, choices, shown)
    else:
        conversation, messages = find_conversation(actor, post.conversation_id), []
        changed = choose(conversation, actor, choices)
    parent_id = conversation.current_message_id if messages else _parent_of_new(conversation, post.parent_id)
    question = Message(conversation=conversation, parent_id=parent_id, role=Role.USER, text=text)
    if choices.task is not None:
        question.task, question.subjects = choices.task, list(dict.fromkeys(choices.documents))
    messages.append(question)
    plan = plan_reply(actor, conversation, messages, question.pk, choices, post.request_id, members)
    if choices.task is not None:
        # In a group one summary is enough.
        plan.reply.next_speakers = []
    plan.is_new_conversation, plan.changed = post.conversation_id is None, changed
    return plan


def _parent_of_new(conversation: Conversation, parent_id: uuid.UUID | None) -> uuid.UUID | None:
    parent_id = parent_id or conversation.current_message_id
    if parent_id is None:
        return None
    if not conversation.messages.filter(pk=parent_id).exists():
        raise NotFound
    if Reply.objects.unfinished().filter(message_id=parent_id).exists():
        raise ReplyRunning
    return parent_id


def _find_repeat_of(post: NewPost) -> Posted | Exception:
    try:
        return _find_repeat(post.actor, post.request_id)
    except ParlourError as error:
        return error


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
