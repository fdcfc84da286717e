"""REST for conversations and the models to choose from. Replies are asked for and followed over the socket."""

import uuid
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from ninja import Query, Router, Schema, Status

from accounts.errors import InvalidInput, NotFound
from accounts.models import User
from chat import services
from chat.choices import Choices
from chat.models import Conversation, Verdict
from chat.nodes import (
    ConversationItem,
    ConversationList,
    ConversationTree,
    character_brief,
    conversation_tree,
)
from chat.queries import HAS_RUNNING_REPLY, list_conversations
from chat.trials.feedback import set_feedback
from inference.queries import list_chat_models

router = Router(tags=["conversations"])

PAGE_MOST = 100


class ConversationFilter(Schema):
    query: str = ""
    limit: int = 40
    cursor: str = ""


class ConversationChanges(Schema):
    title: str | None = None
    current_message: uuid.UUID | None = None
    character: str | None = None
    model: str | None = None


class FeedbackIn(Schema):
    verdict: Verdict | None


class ModelChoice(Schema):
    name: str
    label: str
    is_default: bool
    capabilities: list[str]
    context_tokens: int | None


@router.get("/models", response=list[ModelChoice], tags=["models"])
def list_models(request: HttpRequest) -> list[dict[str, Any]]:
    """The models a person can choose, the default one first."""
    return [
        {
            "name": model.name,
            "label": model.label or model.name,
            "is_default": model.is_default,
            "capabilities": list(model.capabilities),
            "context_tokens": model.context_tokens,
        }
        for model in list_chat_models(_user(request))
    ]


@router.get("/conversations", response=ConversationList)
def read_conversations(request: HttpRequest, filters: Query[ConversationFilter]) -> ConversationList:
    """Your conversations, the newest first. `next` is the `cursor` of the following page."""
    limit = max(1, min(filters.limit, PAGE_MOST))
    conversations = list_conversations(user=_user(request), query=filters.query.strip()[:200])
    if filters.cursor:
        updated_at, pk = _parse_page_cursor(filters.cursor)
        conversations = conversations.filter(
            Q(updated_at__lt=updated_at) | Q(updated_at=updated_at, pk__lt=pk)
        )
    page = list(conversations[: limit + 1])
    has_more, page = len(page) > limit, page[:limit]
    items = [
        ConversationItem(
            id=row.pk,
            title=row.title,
            character=character_brief(row.character),
            model=row.model.name if row.model else None,
            updated_at=row.updated_at,
            has_running_reply=getattr(row, HAS_RUNNING_REPLY),
        )
        for row in page
    ]
    last = page[-1] if page and has_more else None
    return ConversationList(items=items, next=f"{last.updated_at.isoformat()}~{last.pk}" if last else None)


@router.get("/conversations/{conversation_id}", response=ConversationTree)
def read_conversation(request: HttpRequest, conversation_id: uuid.UUID) -> ConversationTree:
    """A conversation with its whole tree of messages, oldest first."""
    return conversation_tree(_find(request, conversation_id))


@router.patch("/conversations/{conversation_id}", response=ConversationTree)
def change_conversation(
    request: HttpRequest, conversation_id: uuid.UUID, changes: ConversationChanges
) -> ConversationTree:
    """Rename it, show another branch, or talk with another character or model from now on."""
    actor = _user(request)
    if changes.title is not None:
        services.rename_conversation(actor=actor, conversation_id=conversation_id, title=changes.title)
    if changes.current_message is not None:
        services.move_to_branch(
            actor=actor, conversation_id=conversation_id, message_id=changes.current_message
        )
    if changes.character is not None or changes.model is not None:
        choices = Choices(character=changes.character, model=changes.model)
        services.choose_for_conversation(actor=actor, conversation_id=conversation_id, choices=choices)
    return conversation_tree(_find(request, conversation_id))


@router.post("/conversations/{conversation_id}/follow-character", response=ConversationTree)
def follow_character(request: HttpRequest, conversation_id: uuid.UUID) -> ConversationTree:
    """Go on with the character as it is now; until then a conversation keeps the version it began with."""
    services.follow_character(actor=_user(request), conversation_id=conversation_id)
    return conversation_tree(_find(request, conversation_id))


@router.delete("/conversations/{conversation_id}", response={204: None})
def delete_conversation(request: HttpRequest, conversation_id: uuid.UUID) -> Status[None]:
    """Delete a conversation with all its messages. Running replies are stopped."""
    services.delete_conversation(actor=_user(request), conversation_id=conversation_id)
    return Status(204, None)


@router.put("/messages/{message_id}/feedback", response={204: None}, tags=["messages"])
def give_feedback(request: HttpRequest, message_id: uuid.UUID, given: FeedbackIn) -> Status[None]:
    """Say what you think of an answer: up, down, or null to take it back."""
    set_feedback(actor=_user(request), message_id=message_id, verdict=given.verdict)
    return Status(204, None)


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _find(request: HttpRequest, conversation_id: uuid.UUID) -> Conversation:
    visible = Conversation.objects.visible_to(_user(request)).select_related("character", "model")
    conversation = visible.filter(pk=conversation_id).first()
    if conversation is None:
        raise NotFound
    return conversation


def _parse_page_cursor(cursor: str) -> tuple[datetime, uuid.UUID]:
    updated_at, _, pk = cursor.partition("~")
    try:
        return datetime.fromisoformat(updated_at), uuid.UUID(pk)
    except ValueError as error:
        raise InvalidInput("The cursor is not one that this list gave.") from error
