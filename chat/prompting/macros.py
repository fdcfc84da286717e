"""Macros of character cards: `{{char}}`, `{{user}}`, `{{random:a,b}}` and their like become words.

Those of the Character Card V3 specification ("Curly Braced Syntaxes") and the common ones of SillyTavern. What is
not known stays as it is written. Only texts of cards, lorebooks, personas and notes are filled in, never what
people and models say in a chat.
"""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.utils import formats, timezone

_MACRO = re.compile(r"\{\{([^{}]*)\}\}")
_LEGACY = re.compile(r"<(user|bot|char)>", re.IGNORECASE)
_ROLL = re.compile(r"(\d{0,3})d?(\d{1,6})([+-]\d{1,6})?", re.IGNORECASE)
# A macro inside a macro, inside a macro: nobody goes deeper, and a persona that names itself must end.
_ROUNDS = 4
# A text that fills itself with itself stops growing here; the longest card is shorter.
_MAX_CHARACTERS = 400_000


@dataclass(frozen=True, slots=True)
class Names:
    """Who is who in a chat, and what else a macro may stand for."""

    char: str
    user: str
    # `{{pick}}` chooses the same for the same seed.
    seed: str = ""
    group: str = ""
    words: Mapping[str, str] = field(default_factory=dict)
    now: datetime | None = None

    def with_words(self, **words: str) -> "Names":
        """The same with more macros that stand for texts."""
        return replace(self, words={**self.words, **words})


def fill(text: str, names: Names) -> str:
    """The text with its macros filled in."""
    if "{{" not in text and "<" not in text:
        return text
    filled = _LEGACY.sub(lambda found: names.user if found[1].lower() == "user" else names.char, text)
    for _round in range(_ROUNDS):
        if "{{" not in filled or len(filled) > _MAX_CHARACTERS:
            break
        before, place = filled, -1

        def stand_in(found: re.Match[str]) -> str:
            nonlocal place
            place += 1
            return _value(found[1], found[0], names, place)

        filled = _MACRO.sub(stand_in, before)
        if filled == before:
            break
    if "{{trim}}" in filled:
        filled = re.sub(r"\n*\{\{trim\}\}\n*", "", filled)
    return filled


def _value(inner: str, whole: str, names: Names, place: int) -> str:
    name, separator, argument = inner.partition(":")
    name = name.strip().lower()
    if name.startswith("//"):
        return ""
    if not separator:
        # SillyTavern also writes `{{roll d6}}`.
        if name.startswith(("roll ", "random ", "pick ")):
            name, _blank, argument = name.partition(" ")
        else:
            return _plain(name, whole, names)
    match name:
        case "random":
            return _choose(argument, random.Random())  # noqa: S311 - a die for a story
        case "pick":
            return _choose(argument, random.Random(f"{names.seed}/{place}/{argument}"))  # noqa: S311
        case "roll":
            return _roll(argument.strip(), whole)
        case "comment" | "hidden_key" | "setvar" | "addvar":
            return ""
        case "reverse":
            return argument.lstrip(":")[::-1]
        case "datetimeformat":
            return whole
    return whole


def _plain(name: str, whole: str, names: Names) -> str:
    match name:
        case "char" | "bot":
            return names.char
        case "user":
            return names.user
        case "group" | "charifnotgroup":
            return names.group or names.char
        case "newline":
            return "\n"
        case "noop":
            return ""
        case "time" | "date" | "weekday" | "isotime" | "isodate":
            return _time(name, names.now or timezone.localtime())
    return names.words.get(name, whole)


def _time(name: str, now: datetime) -> str:
    match name:
        case "time":
            return formats.time_format(now, "TIME_FORMAT")
        case "date":
            return formats.date_format(now, "DATE_FORMAT")
        case "weekday":
            return formats.date_format(now, "l")
        case "isotime":
            return now.strftime("%H:%M")
    return now.date().isoformat()


def _choose(argument: str, dice: random.Random) -> str:
    if argument.startswith(":"):
        choices = argument[1:].split("::")
    else:
        choices = [part.replace("\\,", ",") for part in re.split(r"(?<!\\),", argument)]
    return dice.choice(choices).strip()


def _roll(argument: str, whole: str) -> str:
    found = _ROLL.fullmatch(argument.lstrip(":").strip())
    if found is None:
        return whole
    count, sides, more = found.groups()
    if "d" not in argument.lower():
        count, sides = "", count + sides
    rolled = sum(random.randint(1, max(int(sides), 1)) for _die in range(int(count or 1)))  # noqa: S311
    return str(rolled + int(more or 0))
