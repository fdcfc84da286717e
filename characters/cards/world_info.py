"""SillyTavern's own lorebook files: entries in an object, with other names than the cards'.

An entry becomes one of V3; what has no name there goes under `extensions`, by the names SillyTavern itself uses
when it puts a book into a card.
"""

from characters.cards.jsons import Json, as_object

# Their name → V3's.
_FIELDS = {
    "key": "keys",
    "keysecondary": "secondary_keys",
    "comment": "comment",
    "content": "content",
    "constant": "constant",
    "selective": "selective",
    "order": "insertion_order",
    "uid": "id",
}
_EXTENSIONS = {
    "position": "position",
    "excludeRecursion": "exclude_recursion",
    "preventRecursion": "prevent_recursion",
    "probability": "probability",
    "useProbability": "useProbability",
    "depth": "depth",
    "selectiveLogic": "selectiveLogic",
    "matchWholeWords": "match_whole_words",
    "caseSensitive": "case_sensitive",
    "scanDepth": "scan_depth",
    "role": "role",
}


def entry_from_world_info(entry: Json) -> Json:
    """The entry in V3's words; what neither knows stays under its own name in `extensions`."""
    if "keys" in entry:
        return entry
    mapped: Json = {new: entry[old] for old, new in _FIELDS.items() if old in entry}
    extensions = {
        _EXTENSIONS.get(name, name): value
        for name, value in entry.items()
        if name not in _FIELDS and name not in {"disable", "extensions"}
    }
    return {
        **mapped,
        "enabled": entry.get("disable") is not True,
        "use_regex": _has_regex(entry.get("key")),
        "position": "after_char" if entry.get("position") == 1 else "before_char",
        "extensions": {**as_object(entry.get("extensions")), **extensions},
    }


def _has_regex(keys: object) -> bool:
    """SillyTavern has no field for it: a key between slashes is an expression. All keys must be, to count so here."""
    return (
        isinstance(keys, list)
        and bool(keys)
        and all(
            isinstance(key, str) and len(key) > 2 and key.startswith("/") and key.rfind("/") > 1
            for key in keys
        )
    )
