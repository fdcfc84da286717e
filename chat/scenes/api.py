"""REST for what a chat is set up with: persona, note, group; messages changed by hand; what a model got."""

import uuid
from typing import Literal

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from accounts.api_auth import caller
from chat.models import Conversation
from chat.nodes import ConversationTree, MessageNode, conversation_tree, message_nodes
from chat.scenes import services as scenes
from chat.scenes.groups import Wish
from chat.scenes.inspection import PromptNode, inspect_prompt

router = Router(tags=["conversations"])


class SceneIn(Schema):
    """What is left out stays. An empty `persona` is no persona; `author_note_depth` counts newest messages."""

    persona: str | None = None
    author_note: str | None = Field(None, max_length=scenes.MAX_NOTE_CHARACTERS)
    author_note_depth: int | None = Field(None, ge=0, le=scenes.MAX_NOTE_DEPTH)


class GroupIn(Schema):
    """Short names in the order of turns; `muted` are those among them that answer only when asked."""

    members: list[str]
    muted: list[str] = []
    turn_order: Literal["turn", "mention", "choice"] = "turn"


class TextIn(Schema):
    text: str


@router.patch("/conversations/{conversation_id}/scene", response=ConversationTree)
def patch_scene(request: HttpRequest, conversation_id: uuid.UUID, body: SceneIn) -> ConversationTree:
    """Who you are in this chat, and a note for the model."""
    scene = scenes.Scene(**body.dict(exclude_unset=True))
    return _tree(scenes.set_scene(actor=caller(request), conversation_id=conversation_id, scene=scene))


@router.put("/conversations/{conversation_id}/group", response=ConversationTree)
def put_group(request: HttpRequest, conversation_id: uuid.UUID, body: GroupIn) -> ConversationTree:
    """Several characters in one chat: who they are, and who answers."""
    wish = Wish(tuple(body.members), tuple(body.muted), body.turn_order)
    return _tree(scenes.set_group(actor=caller(request), conversation_id=conversation_id, wish=wish))


@router.delete("/conversations/{conversation_id}/group", response=ConversationTree)
def remove_group(request: HttpRequest, conversation_id: uuid.UUID) -> ConversationTree:
    """One character again: the one who spoke last."""
    return _tree(scenes.set_group(actor=caller(request), conversation_id=conversation_id, wish=None))


@router.patch("/messages/{message_id}", response=MessageNode, tags=["messages"])
def patch_message(request: HttpRequest, message_id: uuid.UUID, body: TextIn) -> MessageNode:
    """Other words in place of a message's own, yours or the character's."""
    message = scenes.rewrite_message(actor=caller(request), message_id=message_id, text=body.text)
    return message_nodes([message])[0]


@router.post("/messages/{message_id}/branch", response=MessageNode, tags=["messages"])
def post_branch(request: HttpRequest, message_id: uuid.UUID, body: TextIn) -> MessageNode:
    """The same beside the original, which stays as it is. Nobody answers it by itself."""
    message = scenes.branch_message(actor=caller(request), message_id=message_id, text=body.text)
    return message_nodes([message])[0]


@router.get("/messages/{message_id}/prompt", response=PromptNode, tags=["messages"])
def get_prompt(request: HttpRequest, message_id: uuid.UUID) -> PromptNode:
    """What the model got for this answer, in parts with what each cost. Kept for thirty days."""
    return inspect_prompt(user=caller(request), message_id=message_id)


def _tree(conversation: Conversation) -> ConversationTree:
    return conversation_tree(conversation)
