"""Which field of a card is which of Parlour's, in both directions.

The rule that loses nothing: a field that still holds what reading the original gives is written as the original;
only what somebody has changed is written anew.
"""

from typing import Any

from django.utils.translation import gettext as _

from characters.cards.card import Book, BookEntry, Card, CardAsset, Logic, Position, Spec
from characters.cards.jsons import (
    Json,
    as_bool,
    as_int,
    as_list,
    as_object,
    as_text,
    as_texts,
    dump,
)
from characters.cards.world_info import entry_from_world_info
from characters.errors import CardRefused, LorebookRefused
from characters.sampling import clean_sampling

# Of each text; `characters.models` has the same number for its columns.
MAX_TEXT = 100_000
MAX_GREETINGS = 200
MAX_ENTRIES = 10_000
MAX_NAME, MAX_NICKNAME, MAX_CREATOR, MAX_VERSION = 120, 120, 200, 100
MAX_TAGS, MAX_TAG = 8, 40
_INT = {"least": -(2**31), "most": 2**31 - 1}

# Texts: Parlour's name → the card's.
TEXTS = {
    "name": "name",
    "definition": "description",
    "personality": "personality",
    "scenario": "scenario",
    "greeting": "first_mes",
    "example_dialogue": "mes_example",
    "system_prompt": "system_prompt",
    "post_history_instructions": "post_history_instructions",
    "creator_notes": "creator_notes",
    "creator": "creator",
    "character_version": "character_version",
    "nickname": "nickname",
}
LISTS = {
    "alternate_greetings": "alternate_greetings",
    "group_greetings": "group_only_greetings",
    "tags": "tags",
}
_SHORT = {
    "name": MAX_NAME,
    "nickname": MAX_NICKNAME,
    "creator": MAX_CREATOR,
    "character_version": MAX_VERSION,
}
V1_FIELDS = ("name", "description", "personality", "scenario", "first_mes", "mes_example")
# What Parlour adds to a card, under `extensions.parlour`.
OWN = "parlour"


def read_text(attribute: str, data: Json) -> str:
    """The text that Parlour keeps of a card's field."""
    # The services keep lines so, too.
    text = as_text(data.get(TEXTS[attribute])).replace("\r\n", "\n")
    if attribute in _SHORT:
        return (
            " ".join(text.split())[: _SHORT[attribute]] if attribute == "name" else text[: _SHORT[attribute]]
        )
    return text


def read_list(attribute: str, data: Json) -> list[str]:
    """The texts that Parlour keeps of a card's list."""
    texts = as_texts(data.get(LISTS[attribute]))
    if attribute != "tags":
        return texts
    words = [" ".join(text.split()).lower() for text in texts]
    return list(dict.fromkeys(word for word in words if word and len(word) <= MAX_TAG))[:MAX_TAGS]


def data_of(value: Json) -> Json:
    """The object that holds the fields: `data` since V2, the whole before."""
    return as_object(value.get("data")) if isinstance(value.get("data"), dict) else value


def spec_of(value: Json) -> Spec:
    match value.get("spec"):
        case "chara_card_v3":
            return "v3"
        case "chara_card_v2":
            return "v2"
    return "v2" if isinstance(value.get("data"), dict) else "v1"


def card_from_json(value: object, *, assets: tuple[CardAsset, ...], picture: bytes | None) -> Card:
    """The card that a JSON value says. Raises CardRefused."""
    whole = as_object(value)
    data = data_of(whole)
    if not any(isinstance(data.get(field), str) for field in V1_FIELDS[1:]):
        if isinstance(data.get("entries"), list | dict):
            raise CardRefused(_("That is a lorebook and no character. Import it under Lorebooks."))
        raise CardRefused
    texts = {attribute: read_text(attribute, data) for attribute in TEXTS}
    if not texts["name"]:
        raise CardRefused(_("The card has no name. Give it one where it comes from, and export it again."))
    lists = {attribute: tuple(read_list(attribute, data)) for attribute in LISTS}
    _check_lengths(texts, lists)
    words: dict[str, Any] = {**texts, **lists}
    book = data.get("character_book")
    has_book = isinstance(book, dict) and isinstance(book.get("entries"), list | dict)
    source = _without_book(whole) if has_book else whole
    own = as_object(as_object(data.get("extensions")).get(OWN))
    return Card(
        spec=spec_of(whole),
        book=_book_of_card(as_object(book)) if has_book else None,
        assets=assets,
        source=dump(source),
        picture=picture,
        tagline=as_text(own.get("tagline")).replace("\r\n", "\n")[:200],
        description=as_text(own.get("description")).replace("\r\n", "\n")[:8_000],
        suggestions=tuple(text[:200] for text in as_texts(own.get("suggestions")) if text)[:6],
        temperature=read_temperature(own),
        max_tokens=as_int(own.get("max_tokens"), least=1, most=2**31 - 1),
        sampling=clean_sampling(as_object(own.get("sampling"))),
        is_grounded=as_bool(own.get("is_grounded")),
        **words,
    )


def read_temperature(own: Json) -> float | None:
    value = own.get("temperature")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(min(max(value, 0.0), 2.0))


def book_from_json(book: Json) -> Book:
    """The lorebook of a JSON object with entries: V2's and V3's list, or SillyTavern's object of entries.

    Raises LorebookRefused.
    """
    entries = book.get("entries")
    is_world_info = isinstance(entries, dict)
    listed = [
        entry_from_world_info(as_object(item)) if is_world_info else item
        for item in (entries.values() if isinstance(entries, dict) else as_list(entries))
    ]
    if len(listed) > MAX_ENTRIES:
        raise LorebookRefused(
            _("That lorebook has more than %(most)d entries. Split it.") % {"most": MAX_ENTRIES}
        )
    return Book(
        name=as_text(book.get("name"))[:200],
        description=as_text(book.get("description"))[:8_000],
        scan_depth=as_int(book.get("scan_depth"), least=0, most=2**31 - 1),
        token_budget=as_int(book.get("token_budget"), least=1, most=2**31 - 1),
        is_recursive=as_bool(book.get("recursive_scanning")),
        entries=tuple(entry_from_json(item, n) for n, item in enumerate(listed, start=1)),
        source=dump({key: value for key, value in book.items() if key != "entries"}),
    )


def entry_from_json(value: object, n: int = 1) -> BookEntry:
    """One entry of V2 or V3; `n` counts from 1. Raises LorebookRefused for what is no object."""
    if not isinstance(value, dict):
        raise LorebookRefused(_("Entry %(n)d of the lorebook is damaged.") % {"n": n})
    extensions = as_object(value.get("extensions"))
    content = as_text(value.get("content"))
    if len(content) > MAX_TEXT:
        raise LorebookRefused(_("Entry %(n)d of the lorebook is longer than 100,000 characters.") % {"n": n})
    case_sensitive = value.get("case_sensitive")
    if case_sensitive is None:
        case_sensitive = extensions.get("case_sensitive")
    return BookEntry(
        keys=tuple(as_texts(value.get("keys"))),
        secondary_keys=tuple(as_texts(value.get("secondary_keys"))),
        logic=_logic(extensions),
        content=content,
        name=(as_text(value.get("name")) or as_text(value.get("comment")))[:500],
        is_selective=as_bool(value.get("selective")),
        uses_regex=as_bool(value.get("use_regex")),
        is_case_sensitive=as_bool(case_sensitive),
        is_whole_words=as_bool(extensions.get("match_whole_words")),
        is_constant=as_bool(value.get("constant")),
        is_enabled=as_bool(value.get("enabled"), True),
        insertion_order=as_int(value.get("insertion_order"), **_INT) or 0,
        priority=as_int(value.get("priority"), **_INT),
        position=_position(value, extensions),
        source=dump(value),
    )


# SillyTavern's numbers (`extensions.selectiveLogic`, `extensions.position`).
_LOGICS: dict[int, Logic] = {0: "any", 1: "not_all", 2: "none", 3: "all"}
LOGIC_NUMBERS: dict[Logic, int] = {logic: number for number, logic in _LOGICS.items()}


def _logic(extensions: Json) -> Logic:
    number = extensions.get("selectiveLogic")
    return _LOGICS.get(number, "any") if isinstance(number, int) else "any"


def _position(value: Json, extensions: Json) -> Position:
    position = value.get("position")
    if position == "after_char" or (position is None and extensions.get("position") == 1):
        return "after_char"
    return "before_char"


def _book_of_card(book: Json) -> Book:
    try:
        return book_from_json(book)
    except LorebookRefused as error:
        raise CardRefused(error.user_message) from error


def _without_book(whole: Json) -> Json:
    if isinstance(whole.get("data"), dict):
        data = {key: value for key, value in data_of(whole).items() if key != "character_book"}
        return {**whole, "data": data}
    return {key: value for key, value in whole.items() if key != "character_book"}


def _check_lengths(texts: dict[str, str], lists: dict[str, tuple[str, ...]]) -> None:
    if any(len(words) > MAX_GREETINGS for words in lists.values()):
        raise CardRefused(_("The card has more than %(most)d greetings.") % {"most": MAX_GREETINGS})
    named = [(TEXTS[name], text) for name, text in texts.items()]
    named += [(LISTS[name], text) for name, words in lists.items() for text in words]
    for field, text in named:
        if len(text) > MAX_TEXT:
            raise CardRefused(
                _("The card's “%(field)s” is longer than 100,000 characters. Shorten it and export it again.")
                % {"field": field}
            )
