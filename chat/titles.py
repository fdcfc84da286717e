"""A title for a conversation, asked of the model that spoke in it.

The first line of the first message serves until then, and stays where no language model is connected, where the
model's answer is no title, or where the person has named the conversation.
"""

import asyncio
import logging
import uuid
from contextlib import aclosing

from django.db import transaction

from accounts.events import publish_to_user
from chat.contexts import load_history
from chat.models import Conversation
from inference.client import stream_chat
from inference.errors import InferenceError
from inference.queries import resolve_model
from inference.types import AnswerDelta, ChatRequest, ModelTarget, Turn

logger = logging.getLogger(__name__)

# A greeting makes no topic.
SHORTEST_QUESTION_CHARACTERS = 24
EXCERPT_CHARACTERS = 1200
TITLE_TOKENS = 32
TITLE_WORDS_MOST = 10
TITLE_SECONDS = 30.0

INSTRUCTION = (
    "Write a title of two to six words for the conversation below, in its language. "
    "Answer with the title alone: no quotation marks, no full stop."
)


def is_topic(question: str) -> bool:
    """Whether a first message says enough to name a conversation after it."""
    return len(question) >= SHORTEST_QUESTION_CHARACTERS


def write_title(conversation_id: uuid.UUID) -> None:
    """Ask for a title and keep it, unless the person named the conversation meanwhile."""
    conversation = Conversation.objects.filter(pk=conversation_id, is_titled_by_owner=False).first()
    if conversation is None:
        return
    turns = load_history(conversation.current_message_id)
    question = next((turn.text for turn in turns if turn.role == "user"), "")
    answer = turns[-1].text if turns else ""
    reply = (
        conversation.messages.filter(replies__isnull=False)
        .order_by("pk")
        .values("replies__model_name")
        .first()
    )
    if reply is None or not is_topic(question):
        return
    try:
        target = resolve_model(reply["replies__model_name"])
        if target.needs_passages:
            return
        title = clean_title(asyncio.run(_ask(target, question, answer)))
    except (InferenceError, TimeoutError) as error:
        logger.info("No title for conversation %s: %s", conversation_id, type(error).__name__)
        return
    if title:
        _keep(conversation, title)


def clean_title(text: str) -> str:
    """The title in a model's answer, or nothing when it is none."""
    line = text.strip().split("\n", 1)[0].strip(" \t\"'“”‘’«»*#.").removeprefix("Title:").strip()
    return line[:120] if line and len(line.split()) <= TITLE_WORDS_MOST else ""


async def _ask(target: ModelTarget, question: str, answer: str) -> str:
    exchange = (
        f"{INSTRUCTION}\n\nPerson: {question[:EXCERPT_CHARACTERS]}\n\nAnswer: {answer[:EXCERPT_CHARACTERS]}"
    )
    request = ChatRequest(turns=(Turn("user", exchange),), max_tokens=TITLE_TOKENS, temperature=0.2)
    parts: list[str] = []
    async with asyncio.timeout(TITLE_SECONDS):
        async with aclosing(stream_chat(target, request)) as stream:
            async for event in stream:
                if isinstance(event, AnswerDelta):
                    parts.append(event.text)
    return "".join(parts)


def _keep(conversation: Conversation, title: str) -> None:
    with transaction.atomic():
        unnamed = Conversation.objects.filter(pk=conversation.pk, is_titled_by_owner=False)
        if unnamed.update(title=title):
            frame = {
                "type": "conversation",
                "conversation": str(conversation.pk),
                "event": "titled",
                "title": title,
            }
            transaction.on_commit(lambda: publish_to_user(conversation.owner_id, frame))
