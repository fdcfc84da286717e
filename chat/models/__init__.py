"""The rows of this room, by what they are about. No IO here.

conversations ─ Conversation, Member     messages ─ Message, Feedback
replies ─ Reply, PromptRecord            trials ─ Trial
imports ─ FolderImport
"""

from chat.models.conversations import Conversation, ConversationQuerySet, Member, TurnOrder
from chat.models.imports import FolderImport, ImportStatus
from chat.models.messages import Feedback, Message, MessageQuerySet, Role, Task, Verdict
from chat.models.replies import PromptRecord, Reply, ReplyQuerySet, ReplyStatus
from chat.models.trials import Arm, Sticky, Trial

__all__ = [
    "Arm",
    "Conversation",
    "ConversationQuerySet",
    "Feedback",
    "FolderImport",
    "ImportStatus",
    "Member",
    "Message",
    "MessageQuerySet",
    "PromptRecord",
    "Reply",
    "ReplyQuerySet",
    "ReplyStatus",
    "Role",
    "Sticky",
    "Task",
    "Trial",
    "TurnOrder",
    "Verdict",
]
