"""What can go wrong in a conversation, on purpose.

ParlourError
└── ChatError
    ├── MalformedFrame      a socket frame that is no frame of the protocol
    ├── EmptyMessage        nothing to send
    ├── MessageTooLong      more text than one message may hold
    ├── ReplyRunning        the branch is still being written
    ├── NotRepliable        this message cannot be edited, regenerated or continued like that
    ├── GroupInvalid        too few, too many, or nobody of that name
    ├── PersonaMissing      absent, or another person's
    ├── TaskInvalid         a task about no documents, too many, or not the two it needs
    └── NothingToRead       a document that a task is about could not be read, or has no text

Absent and foreign ids raise `accounts.errors.NotFound`: the two look the same from outside.
"""

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.errors import ParlourError


class ChatError(ParlourError):
    """Anything a conversation refuses."""


class MalformedFrame(ChatError):
    code = "malformed"
    user_message = _("That frame is not part of the protocol. See the socket section of the documentation.")


class EmptyMessage(ChatError):
    code = "empty"
    status = 422
    user_message = _("There is nothing to send. Write a message first.")


class MessageTooLong(ChatError):
    code = "too_long"
    status = 413
    user_message = _("That message is too long. Send the text as a document and ask about it instead.")


class ReplyRunning(ChatError):
    code = "reply_running"
    status = 409
    is_retryable = True
    user_message = _("A reply is still being written here. Stop it or wait for its end.")


class NotRepliable(ChatError):
    code = "not_repliable"
    status = 409
    user_message = _("That cannot be done with this message.")


class GroupInvalid(ChatError):
    code = "group_invalid"
    status = 422
    user_message = _("A group has two to eight characters that you may meet. Choose them again.")


class PersonaMissing(ChatError):
    code = "persona_not_found"
    status = 404
    user_message = _("There is no such persona, or it is not yours.")


class TaskInvalid(ChatError):
    code = "task_invalid"
    status = 422
    user_message = _("Choose one to eight documents for this.")


class NothingToRead(ChatError):
    code = "nothing_to_read"
    status = 422

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(
            format_lazy(_("“{name}” cannot be read whole. {problem}"), name=name, problem=problem)
        )
