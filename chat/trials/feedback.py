"""What people think of answers. One verdict a message; it can be changed and taken back."""

import uuid

from django.db import transaction

from accounts.errors import NotFound
from accounts.events import publish_to_user
from accounts.models import User
from chat.errors import NotRepliable
from chat.models import Feedback, Message, Role, Verdict
from chat.nodes import message_nodes


@transaction.atomic
def set_feedback(*, actor: User, message_id: uuid.UUID, verdict: Verdict | None) -> None:
    """Keep what the conversation's owner thinks of an answer, and show it in their other windows; None takes it
    back. Twice is harmless."""
    message = Message.objects.visible_to(actor).select_related("conversation").filter(pk=message_id).first()
    if message is None:
        raise NotFound
    if message.role != Role.ASSISTANT:
        raise NotRepliable
    if verdict is None:
        Feedback.objects.filter(message=message).delete()
    else:
        Feedback.objects.update_or_create(message=message, defaults={"verdict": verdict})
    [node] = message_nodes([message])
    event = {
        "type": "conversation",
        "conversation": str(message.conversation_id),
        "event": "judged",
        "messages": [node.model_dump(mode="json")],
    }
    transaction.on_commit(lambda: publish_to_user(actor.pk, event))
