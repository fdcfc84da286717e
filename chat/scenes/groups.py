"""Who answers in a group. The choice is pure; the rows are read where a conversation is a group, and only there."""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from accounts.models import User
from characters.models import Character
from chat.errors import GroupInvalid
from chat.models import Conversation, Member, TurnOrder
from chat.queries import find_characters

# Each answers in turn, and a prompt names them all; a table of more is a crowd.
MAX_MEMBERS = 8
MIN_MEMBERS = 2


@dataclass(frozen=True, slots=True)
class Wish:
    """A group as a person wants it: short names in order, those that stay silent among them, and who answers."""

    slugs: tuple[str, ...]
    muted: tuple[str, ...] = ()
    order: str = TurnOrder.TURN


def new_members(
    actor: User, conversation: Conversation, wish: Wish, shown: Mapping[str, Character] | None = None
) -> list[Member]:
    """Unsaved members for the wish; `shown` as for `find_characters`. Raises GroupInvalid, NotFound."""
    slugs = list(dict.fromkeys(wish.slugs))
    if not MIN_MEMBERS <= len(slugs) <= MAX_MEMBERS or wish.order not in TurnOrder.values:
        raise GroupInvalid
    return [
        Member(
            conversation=conversation,
            character=character,
            version_id=character.version_id,
            place=place,
            is_muted=character.slug in wish.muted,
        )
        for place, character in enumerate(find_characters(user=actor, slugs=slugs, shown=shown))
    ]


def members_of(conversation: Conversation) -> list[Member]:
    """The members of a group in their order; none of a chat that is no group, without a look."""
    if not conversation.turn_order:
        return []
    members = Member.objects.filter(conversation=conversation)
    return list(members.select_related("character__model", "version"))


def choose_speakers(
    order: str, members: Sequence[Member], text: str, *, last: uuid.UUID | None, wanted: str | None
) -> list[Member]:
    """Those who answer `text`, in their order; at least one. `wanted` is the short name of somebody asked."""
    if wanted is not None:
        asked = [member for member in members if member.character.slug == wanted]
        if not asked:
            raise GroupInvalid
        return asked
    awake = [member for member in members if not member.is_muted] or list(members)
    following = _after(awake, last)
    match order:
        case TurnOrder.TURN:
            return awake
        case TurnOrder.MENTION:
            return _mentioned(members, text) or following[:1]
    return [member for member in members if member.character_id == last] or awake[:1]


def _mentioned(members: Sequence[Member], text: str) -> list[Member]:
    """Members whose name, nickname or first name stands in the text, in the order they are named."""
    found = []
    for member in members:
        character = member.character
        names = {character.name, character.nickname, character.name.split(" ")[0]}
        places = [
            match.start()
            for name in names
            if len(name) > 1 and (match := re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE))
        ]
        if places:
            found.append((min(places), member.place, member))
    return [member for _place, _order, member in sorted(found, key=lambda item: item[:2])]


def _after(members: Sequence[Member], last: uuid.UUID | None) -> list[Member]:
    """The members in turn, beginning with the one after whoever spoke last."""
    at = next((n for n, member in enumerate(members) if member.character_id == last), -1)
    return [*members[at + 1 :], *members[: at + 1]]


def greeting_in_group(character: Character) -> str:
    """What a character says when a group begins."""
    return next((text for text in (*character.group_greetings, character.greeting) if text.strip()), "")
