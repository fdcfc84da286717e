"""What people choose for a conversation beside their words: who answers, with which model, from which documents."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.errors import NotFound
from accounts.models import User
from chat.models import Conversation, Role, Task
from chat.queries import find_character
from chat.scenes.groups import Wish
from documents.models import Collection, CollectionKind, Document
from documents.services import file_into_chat
from inference.queries import resolve_model


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person chose for a message beside its text."""

    character: str | None = None
    model: str | None = None
    collections: Sequence[uuid.UUID] = ()
    documents: Sequence[uuid.UUID] = ()
    max_tokens: int | None = None
    temperature: float | None = None
    # Which of the character's greetings a new chat begins with, from 0.
    greeting: int = 0
    persona: uuid.UUID | None = None
    # A new chat with several characters; and in a group, who shall answer.
    group: Wish | None = None
    speaker: str | None = None
    # About the documents above, as wholes.
    task: Task | None = None

    @property
    def characters(self) -> tuple[str, ...]:
        """The short names of those a new chat begins with."""
        if self.group is not None:
            return self.group.slugs
        return (self.character,) if self.character else ()


def choose(conversation: Conversation, actor: User, choices: Choices) -> tuple[str, ...]:
    """Set what was chosen; returns the fields that changed and are not stored yet."""
    changed = []
    # The one it has already stays as it is: the version that the chat keeps, seen or not.
    is_other = conversation.character is None or conversation.character.slug != choices.character
    if choices.character is not None and is_other:
        if conversation.character is not None:
            # What was said so far stays theirs who said it.
            said = conversation.messages.filter(role=Role.ASSISTANT, character=None)
            said.update(character=conversation.character)
        conversation.character = find_character(user=actor, slug=choices.character)
        conversation.version_id = conversation.character.version_id if conversation.character else None
        changed += ["character", "version"]
    if choices.model is not None:
        conversation.model_id = resolve_model(choices.model, user=actor).id if choices.model else None
        changed.append("model")
    return tuple(changed)


def attach(conversation: Conversation, actor: User, choices: Choices) -> None:
    """What is attached once stays with the conversation."""
    if choices.collections:
        collections = list(Collection.objects.visible_to(actor).filter(pk__in=choices.collections))
        if len(collections) != len(set(choices.collections)):
            raise NotFound(_("One of the collections does not exist, or is not yours to see."))
        conversation.collections.add(*collections)
    if choices.documents:
        documents = list(Document.objects.visible_to(actor).filter(pk__in=choices.documents))
        if len(documents) != len(set(choices.documents)):
            raise NotFound(_("One of the documents does not exist, or is not yours to see."))
        conversation.documents.add(*documents)
        own = conversation.collections.filter(kind=CollectionKind.CHAT, owner=actor).first()
        filed = file_into_chat(
            actor=actor, collection=own, name=conversation.title, documents=choices.documents
        )
        if filed is not None and filed != own:
            conversation.collections.add(filed)
