"""V3's decorators: lines such as `@@depth 4` at the head of an entry's content, and what they ask for.

The names and their meaning are those of the Character Card V3 specification, section "Decorators". Those that a
chat cannot know (`instruct_…`, which count tokens of a plain text; `is_user_icon`) are passed over as it says, and
give way to their fallbacks, which begin with `@@@`.
"""

from dataclasses import dataclass
from typing import Literal

DecoratorRole = Literal["system", "user", "assistant"]
DecoratorPosition = Literal["after_desc", "before_desc", "personality", "scenario"]

# A chain of fallbacks is followed this far; the specification asks for five.
_MAX_FALLBACKS = 20
_ROLES: dict[str, DecoratorRole] = {"system": "system", "user": "user", "assistant": "assistant"}
_POSITIONS: dict[str, DecoratorPosition] = {
    "after_desc": "after_desc",
    "before_desc": "before_desc",
    "personality": "personality",
    "scenario": "scenario",
}


@dataclass(slots=True)
class Decorators:
    """What the decorators of one entry say; None and empty where they say nothing."""

    only_after: int | None = None
    only_every: int | None = None
    keeps_active: bool = False
    stays_silent: bool = False
    depth: int | None = None
    reverse_depth: int | None = None
    role: DecoratorRole | None = None
    scan_depth: int | None = None
    is_greeting: int | None = None
    position: DecoratorPosition | None = None
    yields_to_context: bool = False
    additional_keys: tuple[str, ...] = ()
    exclude_keys: tuple[str, ...] = ()
    is_forced: bool = False
    is_barred: bool = False
    disables: frozenset[str] = frozenset()


def split_decorators(content: str) -> tuple[Decorators, str]:
    """The decorators at the head of a content, and its words without them."""
    found = Decorators()
    lines = content.splitlines()
    at, seen = 0, set[str]()
    # Whether the last `@@` line was taken; if so its fallbacks are not.
    is_taken, fallbacks = True, 0
    while at < len(lines) and (lines[at].startswith("@@") or not lines[at].strip()):
        line = lines[at].strip()
        at += 1
        if not line:
            continue
        is_fallback = line.startswith("@@@")
        fallbacks = fallbacks + 1 if is_fallback else 0
        if is_fallback and (is_taken or fallbacks > _MAX_FALLBACKS):
            continue
        name, _blank, value = line.lstrip("@").partition(" ")
        is_taken = name not in seen and _apply(found, name, value.strip())
        if is_taken:
            seen.add(name)
    if not seen and not content.lstrip().startswith("@@"):
        return found, content
    return found, "\n".join(lines[at:]).strip("\n")


def without_decorators(content: str) -> str:
    """The words of a content alone."""
    return split_decorators(content)[1]


def _apply(found: Decorators, name: str, value: str) -> bool:
    """Take one decorator; False for one that is not known, or whose value makes no sense."""
    match name:
        case (
            "activate_only_after"
            | "activate_only_every"
            | "depth"
            | "reverse_depth"
            | "scan_depth"
            | "is_greeting"
        ):
            return _apply_number(found, name, value)
        case "keep_activate_after_match":
            found.keeps_active = True
        case "dont_activate_after_match":
            found.stays_silent = True
        case "ignore_on_max_context":
            found.yields_to_context = True
        case "activate":
            found.is_forced = True
        case "dont_activate":
            found.is_barred = True
        case "role" if value in _ROLES:
            found.role = _ROLES[value]
        case "position" if value in _POSITIONS:
            found.position = _POSITIONS[value]
        case "additional_keys" if value:
            found.additional_keys = _values(value)
        case "exclude_keys" if value:
            found.exclude_keys = _values(value)
        case "disable_ui_prompt" if value in {"post_history_instructions", "system_prompt"}:
            found.disables |= {value}
        case _:
            return False
    return True


def _apply_number(found: Decorators, name: str, value: str) -> bool:
    try:
        number = int(value)
    except ValueError:
        return False
    if not -1_000_000 <= number <= 1_000_000:
        return False
    match name:
        case "activate_only_after":
            found.only_after = number
        case "activate_only_every" if number > 0:
            found.only_every = number
        case "depth":
            found.depth = max(number, 0)
        case "reverse_depth":
            found.reverse_depth = max(number, 0)
        case "scan_depth" if number >= 0:
            found.scan_depth = number
        case "is_greeting":
            found.is_greeting = number
        case _:
            return False
    return True


def _values(value: str) -> tuple[str, ...]:
    return tuple(part for item in value.split(",") if (part := item.strip()))
