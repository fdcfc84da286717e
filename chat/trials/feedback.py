"""What people think of answers. One verdict a message; it can be changed and taken back."""

import uuid

from django.db import transaction

from accounts.errors import NotFound
from accounts.models import User
from chat.errors import NotRepliable
from chat.models import Feedback, Message, Role, Verdict


@transaction.atomic
def set_feedback(*, actor: User, message_id: uuid.UUID, verdict: Verdict | None) -> None:
    """Keep what the conversation's owner thinks of an answer; None takes it back. Twice is harmless."""
    message = Message.objects.visible_to(actor).filter(pk=message_id).first()
    if message is None:
        raise NotFound
    if message.role != Role.ASSISTANT:
        raise NotRepliable
    if verdict is None:
        Feedback.objects.filter(message=message).delete()
    else:
        Feedback.objects.update_or_create(message=message, defaults={"verdict": verdict})
