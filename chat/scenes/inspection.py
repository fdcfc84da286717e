"""What a model got for an answer, as its owner may see it. A character's own words are its editors' to read."""

import uuid

from ninja import Schema

from accounts.errors import NotFound
from accounts.models import User
from characters.access import may_change
from chat.models import Message, Reply
from chat.prompt import SECRET_KINDS
from chat.prompting.record import Kept, find_record


class PartNode(Schema):
    """One part of the prompt. `text` is null where the viewer may not read it."""

    kind: str
    role: str
    label: str
    tokens: int
    text: str | None


class EntryNode(Schema):
    """A lorebook entry that came up; `reason` is key, always, recursion, forced or kept, `because` the key."""

    book: str
    entry: str
    reason: str
    because: str | None
    tokens: int
    place: str
    is_left_out: bool


class PromptNode(Schema):
    """`tokens` are estimated part by part; `counted_tokens` is what the model's server counted."""

    model: str
    counted_tokens: int | None
    tokens: int
    parts: list[PartNode]
    entries: list[EntryNode]
    left_out_messages: int
    undecided_entries: int
    settings: dict[str, str]
    has_secrets: bool


def inspect_prompt(*, user: User, message_id: uuid.UUID) -> PromptNode:
    """The prompt of a message's newest reply. Raises NotFound, also where it is not kept (any more)."""
    message = (
        Message.objects.visible_to(user)
        .select_related("character", "conversation__character")
        .filter(pk=message_id)
        .first()
    )
    reply = Reply.objects.filter(message=message).order_by("-pk").first() if message is not None else None
    kept = find_record(reply.pk) if reply is not None else None
    if message is None or reply is None or kept is None:
        raise NotFound
    character = message.character or message.conversation.character
    may_read = character is None or may_change(user, character)
    return _node(reply, kept, may_read=may_read)


def _node(reply: Reply, kept: Kept, *, may_read: bool) -> PromptNode:
    def is_open(kind: str) -> bool:
        return may_read or kind not in SECRET_KINDS

    return PromptNode(
        model=reply.model_name,
        counted_tokens=reply.prompt_tokens,
        tokens=sum(piece.tokens for piece in kept.pieces),
        parts=[
            PartNode(
                kind=piece.kind,
                role=piece.role,
                label=piece.label if is_open(piece.kind) else "",
                tokens=piece.tokens,
                text=piece.text if is_open(piece.kind) else None,
            )
            for piece in kept.pieces
        ],
        entries=[
            EntryNode(
                book=entry.book if may_read else "",
                entry=entry.entry if may_read else "",
                reason=entry.reason,
                because=entry.because if may_read else None,
                tokens=entry.tokens,
                place=entry.place,
                is_left_out=entry.is_left_out,
            )
            for entry in kept.entries
        ],
        left_out_messages=kept.left_out,
        undecided_entries=kept.undecided,
        settings={name: str(value) for name, value in kept.settings.items()},
        has_secrets=not may_read and any(piece.kind in SECRET_KINDS for piece in kept.pieces),
    )
