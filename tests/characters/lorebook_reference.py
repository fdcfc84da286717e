"""A scan as its description reads, entry by entry and message by message: slow, and what the quick one must equal."""

import re

from characters.lorebooks.compiled import CompiledBook, CompiledEntry
from characters.lorebooks.patterns import compile_pattern
from characters.lorebooks.scan import RECURSION_ROUNDS, Scene


def fired_slowly(book: CompiledBook, scene: Scene) -> dict[int, str]:
    """Number of each entry that comes up → why."""
    fired: dict[int, str] = {}
    for entry in book.entries:
        if is_allowed(entry, scene) and (reason := why(entry, scene)):
            fired[entry.n] = reason
    fresh = list(fired)
    for _round in range(RECURSION_ROUNDS if book.is_recursive else 0):
        texts = [entry.text for entry in book.entries if entry.n in fresh and not entry.ends_recursion]
        more = [
            entry.n
            for entry in book.entries
            if texts
            and entry.n not in fired
            and not entry.ignores_recursion
            and is_allowed(entry, scene)
            and matches(entry, texts)
        ]
        fired |= dict.fromkeys(more, "recursion")
        fresh = more
    return fired


def is_allowed(entry: CompiledEntry, scene: Scene) -> bool:
    rules = entry.rules
    if rules.is_forced:
        return True
    is_late = rules.only_after is None or scene.answers >= rules.only_after
    return is_late and not rules.is_barred and not (rules.only_every and scene.answers % rules.only_every)


def why(entry: CompiledEntry, scene: Scene) -> str:
    rules, messages = entry.rules, list(scene.messages)
    was_heard = not entry.uses_regex and any(
        has(entry, key, messages[:-2], is_whole_words=False) for key in entry.keys
    )
    if rules.is_forced:
        return "forced"
    if rules.stays_silent and was_heard:
        return ""
    if entry.is_constant:
        return "always"
    if matches(entry, messages[max(len(messages) - entry.scan_depth, 0) :]):
        return "key"
    return "kept" if rules.keeps_active and was_heard else ""


def matches(entry: CompiledEntry, texts: list[str]) -> bool:
    if entry.uses_regex:
        found = [any(has_pattern(entry, key, text) for text in texts) for key in entry.keys]
        more = [any(has_pattern(entry, key, text) for text in texts) for key in entry.rules.additional_keys]
        return any(found) and (any(more) or not more)
    there = {
        key: has(entry, key, texts, is_whole_words=entry.is_whole_words)
        for key in (*entry.keys, *entry.secondary, *entry.rules.additional_keys, *entry.rules.exclude_keys)
    }
    seconds = [there[key] for key in entry.secondary]
    agrees = {
        "any": any(seconds),
        "all": all(seconds),
        "none": not any(seconds),
        "not_all": not all(seconds),
    }[entry.logic]
    return (
        any(there[key] for key in entry.keys)
        and (agrees or not seconds)
        and (any(there[key] for key in entry.rules.additional_keys) or not entry.rules.additional_keys)
        and not any(there[key] for key in entry.rules.exclude_keys)
    )


def has(entry: CompiledEntry, key: str, texts: list[str], *, is_whole_words: bool) -> bool:
    key = key if entry.is_case_sensitive else key.lower()
    pattern = rf"(?<!\w){re.escape(key)}(?!\w)" if is_whole_words else re.escape(key)
    return any(re.search(pattern, text if entry.is_case_sensitive else text.lower()) for text in texts)


def has_pattern(entry: CompiledEntry, key: str, text: str) -> bool:
    compiled = compile_pattern(key, entry.is_case_sensitive)
    return compiled is not None and compiled.search(text) is not None
