"""Turns in a group: after a whole answer, whoever is next begins theirs.

A hundred groups may hand on together, so all of them go in one transaction, a statement a table.
"""

import logging
import uuid
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from django.db import connection, transaction

from accounts.errors import ParlourError
from characters.models import Character, Version
from characters.versions.snapshot import at_version
from chat.choices import Choices
from chat.models import Member, Message, Reply, Role
from chat.plans import Plan, Posted, new_reply, store_plans

logger = logging.getLogger(__name__)

# Rows are locked in one order everywhere, so that two processes who take the same turns do not wait for each other.
_TAKE = """
WITH owing AS (
    SELECT id, message_id, next_speakers FROM chat_reply
    WHERE id = ANY(%s) AND status = 'complete' AND next_speakers <> '{}'
    ORDER BY id FOR UPDATE
), taken AS (
    UPDATE chat_reply r SET next_speakers = '{}' FROM owing WHERE r.id = owing.id
)
SELECT id, next_speakers FROM owing
WHERE NOT EXISTS (SELECT 1 FROM chat_message m WHERE m.parent_id = owing.message_id)
"""


class NextSpeaker(NamedTuple):
    """Who speaks now, who waits after them, and the names of all members by character, in their order."""

    character: Character
    waiting: list[uuid.UUID]
    names: dict[uuid.UUID, str]


def speak_next(reply_ids: Sequence[uuid.UUID]) -> list[Posted | None]:
    """After whole answers in groups: the answers of whoever is next, begun; None where nobody is.

    Nobody is next either where the person has gone on meanwhile, or their model is gone. The turn is given once,
    whoever asks: the process that ended the reply, or another in its place (`list_owed_turns`).
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_TAKE, [list(reply_ids)])
            waiting: dict[uuid.UUID, list[uuid.UUID]] = dict(cursor.fetchall())
        if not waiting:
            return [None] * len(reply_ids)
        replies = Reply.objects.filter(pk__in=waiting).select_related(
            "requested_by", "message__conversation__model"
        )
        found = _find_next({reply: waiting[reply.pk] for reply in replies})
        plans = {reply.pk: plan for reply, speaker in found.items() if (plan := _plan(reply, speaker))}
        stored = dict(zip(plans, store_plans(list(plans.values())), strict=True)) if plans else {}
    return [stored.get(reply_id) for reply_id in reply_ids]


def _find_next(waiting: dict[Reply, list[uuid.UUID]]) -> dict[Reply, NextSpeaker]:
    """Of those who wait in each group, the first who is still in it, as the group keeps them."""
    groups = {reply.message.conversation_id for reply in waiting}
    versions: defaultdict[uuid.UUID, dict[uuid.UUID, uuid.UUID | None]] = defaultdict(dict)
    names: defaultdict[uuid.UUID, dict[uuid.UUID, str]] = defaultdict(dict)
    members = Member.objects.filter(conversation__in=groups)
    for group, pk, version, name in members.values_list(
        "conversation_id", "character_id", "version_id", "character__name"
    ):
        versions[group][pk], names[group][pk] = version, name
    left = {
        reply: there
        for reply, speakers in waiting.items()
        if (there := [one for one in speakers if one in versions[reply.message.conversation_id]])
    }
    characters = Character.objects.select_related("model").in_bulk({there[0] for there in left.values()})
    kept = {reply: versions[reply.message.conversation_id][there[0]] for reply, there in left.items()}
    older = set(kept.values()) - {None} - {character.version_id for character in characters.values()}
    earlier = Version.objects.in_bulk(older) if older else {}
    return {
        reply: NextSpeaker(
            at_version(characters[there[0]], earlier.get(kept[reply])),
            there[1:],
            names[reply.message.conversation_id],
        )
        for reply, there in left.items()
    }


def _plan(reply: Reply, speaker: NextSpeaker) -> Plan | None:
    """The speaker's answer to this one."""
    conversation = reply.message.conversation
    answer = Message(
        conversation=conversation,
        parent_id=reply.message_id,
        role=Role.ASSISTANT,
        character=speaker.character,
    )
    # What the person chose for their message holds for all who answer it.
    choices = Choices(max_tokens=reply.max_tokens, temperature=reply.temperature)
    try:
        target, next_reply = new_reply(reply.requested_by, answer, choices, "")
    except ParlourError as error:
        logger.info("Nobody speaks after reply %s: %s", reply.pk, error.code)
        return None
    next_reply.next_speakers = speaker.waiting
    return Plan(reply.requested_by, conversation, [answer], next_reply, target, choices, names=speaker.names)
