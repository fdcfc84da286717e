"""Groups of a SillyTavern folder: `groups/*.json`, which name their chats by the names of files."""

from dataclasses import dataclass

from characters.cards.jsons import NotJson, as_list, as_object, as_text, parse
from chat.models import TurnOrder
from chat.sillytavern.folder import Folder

# SillyTavern's numbers: natural order, the list's, by hand, and pooled, which lets everyone speak once.
_TURN_ORDERS = {0: TurnOrder.MENTION, 1: TurnOrder.TURN, 2: TurnOrder.CHOICE, 3: TurnOrder.TURN}


@dataclass(frozen=True, slots=True)
class OldGroup:
    """Members by the names of their cards' files, without endings."""

    name: str = ""
    members: tuple[str, ...] = ()
    muted: frozenset[str] = frozenset()
    turn_order: TurnOrder = TurnOrder.TURN


def read_groups(folder: Folder) -> dict[str, OldGroup]:
    """The groups by the names of their chats' files, without endings; what cannot be read is left out."""
    groups: dict[str, OldGroup] = {}
    for entry in folder.of_kind("groups", ".json"):
        try:
            written = as_object(parse(folder.read(entry) or b""))
        except NotJson:
            continue
        strategy = written.get("activation_strategy")
        group = OldGroup(
            name=" ".join(as_text(written.get("name")).split())[:200],
            members=_stems(written.get("members")),
            muted=frozenset(_stems(written.get("disabled_members"))),
            turn_order=_TURN_ORDERS.get(strategy, TurnOrder.TURN)
            if isinstance(strategy, int)
            else TurnOrder.TURN,
        )
        for chat in (*as_list(written.get("chats")), written.get("chat_id")):
            if isinstance(chat, str) and chat:
                groups[chat] = group
    return groups


def _stems(files: object) -> tuple[str, ...]:
    return tuple(dict.fromkeys(file.rpartition(".")[0] for file in as_list(files) if isinstance(file, str)))
