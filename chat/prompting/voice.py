"""Who speaks in an answer, and all that is told of them: a card, a persona, lore, a note, a group. Pure.

A character that has only a system prompt makes the same prompt as ever; whatever else it has joins in the order
that people who write cards rely on.
"""

from dataclasses import dataclass, field

from characters.lorebooks.scan import Scan
from characters.models import Character
from chat.prompting.macros import Names, fill

# What stands for `{{original}}` in a card's system prompt, and speaks alone where it has none.
MAIN_PROMPT = "Write {{char}}'s next reply in a chat between {{char}} and {{user}}."
# The house has no last words of its own.
LAST_WORDS = ""
NAMELESS = "User"


@dataclass(frozen=True, slots=True)
class Note:
    """A text that stands among the newest messages: `depth` of them come after it."""

    text: str
    depth: int


@dataclass(frozen=True, slots=True)
class Voice:
    """One character in one chat. The texts are as the card has them; `names` fills them in.

    `is_secret` says that the viewer of the prompt may not read the character's own words.
    """

    names: Names
    name: str = ""
    system_prompt: str = ""
    definition: str = ""
    personality: str = ""
    scenario: str = ""
    example_dialogue: str = ""
    post_history_instructions: str = ""
    greetings: tuple[str, ...] = ()
    persona: str = ""
    note: Note | None = None
    lore: Scan | None = None
    # In a group: everybody else who speaks in it.
    others: tuple[str, ...] = ()
    sampling: dict[str, object] = field(default_factory=dict)

    def say(self, text: str) -> str:
        return fill(text.strip(), self.names)

    @property
    def has_card(self) -> bool:
        """Whether there is more than a system prompt."""
        return bool(self.definition or self.personality or self.scenario or self.example_dialogue)


def voice_of(
    character: Character | None,
    *,
    user_name: str,
    persona: str = "",
    note: Note | None = None,
    seed: str = "",
) -> Voice:
    """The voice of a character (or of the bare model) towards a person of this name. Reads nothing."""
    user = user_name.strip() or NAMELESS
    if character is None:
        return Voice(names=Names(char="Assistant", user=user, seed=seed), persona=persona, note=note)
    return Voice(
        names=names_of(character, user, persona=persona, seed=seed),
        name=character.name,
        system_prompt=character.system_prompt,
        definition=character.definition,
        personality=character.personality,
        scenario=character.scenario,
        example_dialogue=character.example_dialogue,
        post_history_instructions=character.post_history_instructions,
        greetings=(character.greeting, *character.alternate_greetings),
        persona=persona,
        note=note,
        sampling=character.sampling,
    )


def names_of(character: Character, user_name: str, *, persona: str = "", seed: str = "") -> Names:
    """What macros stand for between this character and a person of this name."""
    words = {
        "persona": persona,
        "description": character.definition,
        "personality": character.personality,
        "scenario": character.scenario,
        "mesexamples": character.example_dialogue,
        "charprompt": character.system_prompt,
        "charversion": character.character_version,
    }
    return Names(
        char=character.nickname.strip() or character.name,
        user=user_name.strip() or NAMELESS,
        seed=seed,
        words=words,
    )


def greetings_of(character: Character) -> list[str]:
    """All greetings of a chat with the character alone, the usual one first."""
    return [text for text in (character.greeting, *character.alternate_greetings) if text.strip()]
