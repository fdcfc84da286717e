"""How a conversation begins: its title, who takes part and what they say first. Nothing is stored here."""

from collections.abc import Mapping, Sequence

from accounts.models import User
from characters.models import Character
from chat.choices import Choices
from chat.models import Conversation, Member, Message, Role
from chat.prompting.macros import fill
from chat.prompting.voice import greetings_of, names_of
from chat.queries import find_character, find_persona
from chat.scenes.groups import greeting_in_group, new_members
from inference.queries import resolve_model

TITLE_CHARACTERS = 60


def new_conversation(
    actor: User, text: str, choices: Choices, shown: Mapping[str, Character]
) -> tuple[Conversation, list[Message], list[Member]]:
    """A conversation, its greetings and the members of a group, none of them stored. The chosen greeting is current.

    `shown` are characters at hand that everybody sees, by short name; others are looked for.
    """
    conversation = Conversation(owner=actor, title=make_title(text))
    members = new_members(actor, conversation, choices.group, shown) if choices.group is not None else []
    if members:
        conversation.turn_order = choices.group.order if choices.group is not None else ""
        conversation.character = members[0].character
    else:
        conversation.character = find_character(user=actor, slug=choices.character, shown=shown)
    if conversation.character is not None:
        conversation.version_id = conversation.character.version_id
    if choices.model:
        conversation.model_id = resolve_model(choices.model, user=actor).id
    user_name = actor.name
    if choices.persona is not None:
        conversation.persona = find_persona(actor, choices.persona)
        user_name = conversation.persona.name
    return conversation, _greet(conversation, members, user_name, choices.greeting), members


def _greet(
    conversation: Conversation, members: Sequence[Member], user_name: str, chosen: int
) -> list[Message]:
    """The first words: one after another in a group, otherwise side by side, to choose from."""
    greetings: list[Message] = []
    if members:
        for member in members:
            if text := greeting_in_group(member.character):
                said = fill(text, names_of(member.character, user_name))
                parent_id = greetings[-1].pk if greetings else None
                greetings.append(
                    Message(
                        conversation=conversation,
                        parent_id=parent_id,
                        role=Role.ASSISTANT,
                        character=member.character,
                        text=said,
                    )
                )
        chosen = len(greetings) - 1
    elif conversation.character is not None:
        names = names_of(conversation.character, user_name)
        greetings = [
            Message(conversation=conversation, role=Role.ASSISTANT, text=fill(text, names))
            for text in greetings_of(conversation.character)
        ]
    if greetings:
        conversation.current_message_id = greetings[min(max(chosen, 0), len(greetings) - 1)].pk
    return greetings


def make_title(text: str) -> str:
    """A title from a first message: its first line, cut after a whole word."""
    line = " ".join(text.split("\n", 1)[0].split())
    if len(line) <= TITLE_CHARACTERS:
        return line
    return line[:TITLE_CHARACTERS].rsplit(" ", 1)[0].rstrip(".,;:–-") + "…"
