"""The quick scan finds what a slow one finds, in long chats and in those that grow."""

import numpy as np
from django.core.management import call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from characters.cards import read_book
from characters.cards.jsons import dump
from characters.lorebooks.compiled import CompiledBook, compile_book
from characters.lorebooks.memory import PART_MESSAGES, Memory, memory, own_borders
from characters.lorebooks.patterns import PatternSets, compile_pattern
from characters.lorebooks.scan import Scene, scan_books
from tests.characters.lorebook_reference import fired_slowly

WORDS = ("ann", "Ann", "an", "oar", "the oar", "ferry", "Fähre", "no", "渡し", "a b", "ΟΔΟΣ")
PATTERNS = [
    "a+b",
    "(a|b)*x",
    "^a",
    "n$",
    r"\bo",
    "",
    "((",
    "/X/",
    "[^ab]{2}",
    "(a?){300}a{300}z",
    "A",
    r"\n",
    r"a\s",
]
words = st.sampled_from(WORDS)
messages = st.lists(
    st.lists(st.sampled_from([*WORDS, "nothing", "planned", "b", ".", "\n"]), max_size=4).map(" ".join),
    max_size=40,
)
decorators = st.lists(
    st.sampled_from(
        [
            "@@scan_depth 1",
            "@@scan_depth 7",
            "@@scan_depth 1000",
            "@@keep_activate_after_match",
            "@@dont_activate_after_match",
            "@@additional_keys oar, no",
            "@@exclude_keys Ann",
            "@@activate",
            "@@dont_activate",
            "@@activate_only_after 2",
        ]
    ),
    max_size=2,
)


@st.composite
def entries(draw: st.DrawFn) -> dict[str, object]:
    uses_regex = draw(st.booleans())
    keys = st.sampled_from(["ann?", "/OAR/i", r"\bno\b", "^the", "b$", "(("]) if uses_regex else words
    content = [*draw(decorators), " ".join(draw(st.lists(words, max_size=2))) or "x"]
    return {
        "keys": draw(st.lists(keys, max_size=3)),
        "secondary_keys": draw(st.lists(words, max_size=2)),
        "selective": draw(st.booleans()),
        "content": "\n".join(content),
        "enabled": True,
        "insertion_order": draw(st.integers(0, 3)),
        "use_regex": uses_regex,
        "case_sensitive": draw(st.booleans()),
        "constant": draw(st.integers(0, 9)) == 0,
        "extensions": {
            "selectiveLogic": draw(st.integers(0, 3)),
            "match_whole_words": draw(st.booleans()),
            "exclude_recursion": draw(st.booleans()),
            "prevent_recursion": draw(st.booleans()),
        },
    }


@st.composite
def books(draw: st.DrawFn) -> CompiledBook:
    rows = [{**row, "name": str(n)} for n, row in enumerate(draw(st.lists(entries(), max_size=8)))]
    book = {
        "entries": rows,
        "name": "Book",
        "scan_depth": draw(st.sampled_from([0, 1, 4, 1000])),
        "recursive_scanning": draw(st.booleans()),
        "token_budget": 100_000,
    }
    return compile_book(read_book(dump(book).encode()))


def check(book: CompiledBook, chat: list[str], answers: int = 0) -> None:
    scene = Scene(messages=chat, answers=answers)
    scan = scan_books([book], scene, len)
    # A machine that stalls leaves expressions undecided.
    if not scan.undecided:
        assert {int(row.entry): row.reason for row in scan.fired} == fired_slowly(book, scene)


@settings(max_examples=200, deadline=None)
@given(book=books(), chat=messages, answers=st.integers(0, 4))
def test_a_scan_finds_what_a_slow_one_finds(book, chat, answers):
    check(book, chat, answers)


@settings(max_examples=25, deadline=None)
@given(book=books(), lines=messages, odd=st.integers(0, 599), cut=st.integers(0, 50))
def test_a_long_chat_that_grows_and_loses_its_oldest_is_searched_as_if_anew(book, lines, odd, cut):
    chat = [f"quiet {n}" for n in range(600)]
    chat[odd : odd + len(lines)] = lines
    for part in (chat[:-cut], chat, chat[cut:]):
        check(book, part)
    check(book, [*chat[:300], "ann and the ferry", *chat[301:]])


def test_what_was_searched_is_remembered_until_the_book_changes():
    row = {"keys": ["ann"], "content": "x", "enabled": True, "insertion_order": 1, "extensions": {}}
    chat = [f"line {n}" for n in range(2_000)]

    def scan_again(book: CompiledBook, chat: list[str]) -> int:
        before = len(memory)
        scan_books([book], Scene(messages=chat), len)
        return len(memory) - before

    def new_book() -> CompiledBook:
        return compile_book(read_book(dump({"entries": [row], "scan_depth": 10_000}).encode()))

    book = new_book()
    # Where borders stand differs from process to process. Two runs are kept: up to the first, and from there on.
    first = own_borders(chat, 0)[0]
    quiet = [line for n in range(99) if hash(line := f"word {n}") % PART_MESSAGES][:2]
    assert scan_again(book, chat) == (2 if first else 1)
    assert scan_again(book, [*chat, *quiet]) == 0
    assert scan_again(book, [*chat[first + 1 :], *quiet]) <= 2
    assert scan_again(new_book(), chat) == (2 if first else 1)


def test_the_memory_of_scans_has_an_end():
    small = Memory(keep_bytes=3_000)
    for n in range(100):
        small.put(n, (np.arange(400) == n,))
    assert len(small) == 4
    assert small.get(99)[0].nonzero()[0].tolist() == [99]
    assert small.get(95) is None


@given(patterns=st.lists(st.sampled_from(PATTERNS), max_size=12), text=st.text("abxoan \n", max_size=40))
def test_expressions_together_match_what_each_alone_matches(patterns, text):
    sets = PatternSets((pattern, False) for pattern in patterns)
    together = {sets.names[number][0] for found in sets.search(text) for number in found}
    compiled = {pattern: compile_pattern(pattern, False) for pattern in patterns}
    assert together == {pattern for pattern, one in compiled.items() if one and one.search(text)}


def test_the_benchmark_prints_every_way(capsys):
    call_command("benchmark_lorebook", entries=50, messages=40, expressions=3, rounds=2)
    assert capsys.readouterr().out.count("p50") == 4
