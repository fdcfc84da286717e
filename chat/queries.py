"""Reads over conversations that need more than one table: for the page, the socket and the lists."""

import uuid
from collections.abc import Collection, Mapping, Sequence

from django.db.models import Exists, OuterRef, Q

from accounts.errors import NotFound
from accounts.models import User
from characters.models import Character, Persona
from chat.errors import PersonaMissing
from chat.models import Conversation, ConversationQuerySet, Feedback, Message, Reply, ReplyStatus

# What `list_conversations` adds to each row: whether an answer is being written in it.
HAS_RUNNING_REPLY = "has_running_reply"


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


def find_shown_to_everyone(slugs: Collection[str]) -> dict[str, Character]:
    """Of the characters of these short names, those that everybody sees. One look serves any number of people."""
    if not slugs:
        return {}
    shown = Character.objects.shown_to_everyone().select_related("model").filter(slug__in=slugs)
    return {character.slug: character for character in shown}


def find_character(
    *, user: User, slug: str | None, shown: Mapping[str, Character] | None = None
) -> Character | None:
    """The character behind a slug, None for none; raises NotFound for one the user cannot see."""
    return find_characters(user=user, slugs=[slug], shown=shown)[0] if slug else None


def find_characters(
    *, user: User, slugs: Sequence[str], shown: Mapping[str, Character] | None = None
) -> list[Character]:
    """The characters of these slugs, in their order; raises NotFound where the user cannot see one of them.

    Those of `shown`, which everybody sees, need no look.
    """
    found = dict(shown or {})
    if missing := set(slugs) - found.keys():
        rows = Character.objects.visible_to(user).select_related("model").filter(slug__in=missing)
        found |= {character.slug: character for character in rows}
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
