"""What a chat brings up from lorebooks."""

import time

import pytest

from characters.cards import read_book
from characters.cards.jsons import dump
from characters.lorebooks.compiled import compile_book
from characters.lorebooks.decorators import split_decorators
from characters.lorebooks.scan import REGEX_SECONDS, Scene, scan_books


def count(text: str) -> int:
    return len(text) // 4 + 1


def entry(*keys: str, content: str = "", **more: object) -> dict[str, object]:
    base = {"keys": list(keys), "content": content or f"About {keys[0] if keys else 'all'}.", "enabled": True}
    return {**base, "insertion_order": 10, "use_regex": False, "extensions": {}, **more}


def scan(
    messages: list[str], *entries: dict[str, object], scene: dict[str, object] | None = None, **book: object
):
    compiled = compile_book(read_book(dump({"entries": list(entries), "name": "Book", **book}).encode()))
    return scan_books([compiled], Scene(messages=messages, **(scene or {})), count)


def told(
    messages: list[str], *entries: dict[str, object], scene: dict[str, object] | None = None, **book: object
):
    return [
        fired.entry for fired in scan(messages, *entries, scene=scene, **book).fired if not fired.is_left_out
    ]


def test_a_key_brings_up_its_entry_whatever_its_capitals():
    assert told(["The FERRY leaves."], entry("ferry"), entry("boat")) == ["ferry"]
    assert told(["The FERRY leaves."], entry("ferry", case_sensitive=True)) == []
    assert told(["The ferry leaves."], entry("ferry", case_sensitive=True)) == ["ferry"]


def test_whole_words_are_minded_where_an_entry_asks():
    words = {"match_whole_words": True}
    assert told(["Hannah planned it."], entry("ann")) == ["ann"]
    assert told(["Hannah planned it."], entry("ann", extensions=words)) == []
    assert told(["Hannah, Ann planned it."], entry("ann", extensions=words)) == ["ann"]


@pytest.mark.parametrize(
    ("number", "text", "comes"),
    [
        (0, "ferry and oar", True),
        (0, "ferry", False),
        (3, "ferry, oar and rope", True),
        (3, "ferry and oar", False),
        (2, "ferry", True),
        (2, "ferry and oar", False),
        (1, "ferry and oar", True),
        (1, "ferry, oar and rope", False),
    ],
)
def test_second_keys_count_as_their_logic_says(number, text, comes):
    row = entry(
        "ferry", selective=True, secondary_keys=["oar", "rope"], extensions={"selectiveLogic": number}
    )
    assert told([text], row) == (["ferry"] if comes else [])


def test_second_keys_without_the_switch_are_passed_over():
    assert told(["ferry"], entry("ferry", selective=False, secondary_keys=["oar"])) == ["ferry"]


def test_only_the_newest_messages_are_searched():
    chat = ["the ferry", "a", "b", "c", "d"]
    assert told(chat, entry("ferry")) == []
    assert told(chat, entry("ferry"), scan_depth=5) == ["ferry"]
    assert told(chat, entry("ferry", content="@@scan_depth 5\nx"), scan_depth=1) == ["ferry"]
    assert told(chat, entry("ferry", extensions={"scan_depth": 5}), scan_depth=1) == ["ferry"]
    assert told(["ferry"], entry("ferry"), scan_depth=0) == []


def test_no_key_matches_across_two_messages():
    assert told(["the fer", "ry"], entry("ferry"), entry("fer\nry")) == []


def test_constant_entries_are_always_told_and_disabled_ones_never():
    assert told(["x"], entry(constant=True, name="a"), entry("x", enabled=False), entry("x", content="")) == [
        "a",
        "x",
    ]
    assert told(["x"], entry("x", content="@@depth 3\n")) == []


def test_what_is_told_follows_the_order_of_insertion():
    rows = [entry("x", name=str(n), insertion_order=n) for n in (30, 10, 20)]
    assert told(["x"], *rows) == ["10", "20", "30"]


def test_the_lowest_priority_is_left_out_where_the_budget_ends():
    rows = [
        entry("x", name="low", content="w" * 40, priority=1, insertion_order=1),
        entry("x", name="high", content="w" * 40, priority=9, insertion_order=2),
        entry("x", name="middle", content="w" * 40, priority=5, insertion_order=3),
    ]
    fired = scan(["x"], *rows, token_budget=25).fired
    assert [(row.entry, row.is_left_out, row.tokens) for row in fired] == [
        ("low", True, 11),
        ("high", False, 11),
        ("middle", False, 11),
    ]


def test_entries_bring_up_others_where_the_book_says_so():
    rows = [
        entry("ferry", content="Ida rows it."),
        entry("ida", content="Has a dog."),
        entry("dog", content="Barks."),
    ]
    assert told(["The ferry."], *rows) == ["ferry"]
    assert sorted(told(["The ferry."], *rows, recursive_scanning=True)) == ["dog", "ferry", "ida"]
    shy = entry("ida", extensions={"exclude_recursion": True})
    assert told(["The ferry."], rows[0], shy, recursive_scanning=True) == ["ferry"]
    last = entry("ferry", content="Ida rows it.", extensions={"prevent_recursion": True})
    assert told(["The ferry."], last, rows[1], recursive_scanning=True) == ["ferry"]


def test_expressions_are_understood_as_javascript_writes_them():
    def with_pattern(pattern: str) -> dict[str, object]:
        return entry(pattern, use_regex=True, name="hit")

    assert told(["Ferries leave."], with_pattern(r"ferr(y|ies)\b")) == ["hit"]
    assert told(["Ferries leave."], with_pattern("/ferr(y|ies)/")) == []
    assert told(["Ferries leave."], with_pattern("/ferr(y|ies)/i")) == ["hit"]
    assert told(["naïve"], with_pattern(r"na\u00efve")) == ["hit"]
    assert told(["a/b"], with_pattern(r"/a\/b/")) == ["hit"]
    assert told(["(("], with_pattern("((")) == []


EVIL = [
    r"(a+)+$",
    r"(x+x+)+y",
    r"(a|a)*b",
    r"(.*)(.*)(.*)(.*)(.*)x",
    "(?:" * 80 + "a+" + ")+" * 80,
    "((a{0,1000}){0,1000}){0,1000}",
    r"[ab]{1,900}c",
    r"(a?){300}a{300}z",
    r"(a|b)*a(a|b){14}c",
    r"(?i)\pL{1,60}\d",
    "a" * 5000,
]


def test_no_expression_holds_up_a_scan():
    chat = ["ab" * 10_000, "a" * 20_000, "x" * 20_000] * 5
    begun = time.thread_time()
    result = scan(chat, *[entry(pattern, use_regex=True) for pattern in EVIL * 5], scan_depth=100)
    # Ten times the bound: the book is compiled too, and a search that has begun is let end. Of this thread's own
    # time, since machines stall.
    assert time.thread_time() - begun < REGEX_SECONDS * 10
    assert result.undecided


def test_decorators_say_where_when_and_as_whom():
    row = entry("x", content="@@depth 2\n@@role user\n@@unknown 4\n@@@position scenario\n\nThe words.")
    [fired] = scan(["x"], row).fired
    # `position` wins over `depth`, and stands in for the unknown one.
    assert (fired.place, fired.role, fired.text) == ("scenario", "user", "The words.")
    [fired] = scan(["x"], entry("x", content="@@depth 2\n@@role assistant\nw")).fired
    assert (fired.place, fired.depth, fired.role) == ("depth", 2, "assistant")
    [fired] = scan(["x"] * 6, entry("x", content="@@reverse_depth 2\nw")).fired
    assert (fired.place, fired.depth) == ("depth", 4)


def test_decorators_hold_entries_back():
    def after(words: str, **scene: object) -> list[str]:
        return told(["ferry and oar"], entry("ferry", content=f"{words}\nw"), scene=scene)

    assert after("@@activate_only_after 3", answers=2) == []
    assert after("@@activate_only_after 3", answers=3) == ["ferry"]
    assert after("@@activate_only_every 2", answers=3) == []
    assert after("@@activate_only_every 2", answers=4) == ["ferry"]
    assert after("@@is_greeting 1", greeting=0) == []
    assert after("@@is_greeting 1", greeting=1) == ["ferry"]
    assert after("@@dont_activate") == []
    assert after("@@dont_activate\n@@activate") == ["ferry"]
    assert after("@@additional_keys rope,oar") == ["ferry"]
    assert after("@@additional_keys rope") == []
    assert after("@@exclude_keys rope, oar") == []
    assert told(["nothing"], entry("ferry", content="@@activate\nw")) == ["ferry"]


def test_decorators_remember_what_was_said_before():
    chat = ["the ferry", "a", "b", "c", "d", "e"]
    assert told(chat, entry("ferry", content="@@keep_activate_after_match\nw")) == ["ferry"]
    assert told([*chat, "ferry"], entry("ferry", content="@@dont_activate_after_match\nw")) == []
    assert told(["x", "a", "ferry"], entry("ferry", content="@@dont_activate_after_match\nw")) == ["ferry"]


def test_a_content_that_only_looks_like_a_decorator_keeps_its_words():
    assert split_decorators("Mail me @@ home.\n@@depth 4")[1] == "Mail me @@ home.\n@@depth 4"
    rules, text = split_decorators("@@disable_ui_prompt system_prompt\n\nA\n\nB\n")
    assert rules.disables == {"system_prompt"}
    assert text == "A\n\nB"


def test_chance_is_the_same_for_one_message():
    row = entry("x", extensions={"probability": 50, "useProbability": True})
    outcomes = {tuple(told(["x"], row, scene={"seed": str(n)})) for n in range(30)}
    assert outcomes == {(), ("x",)}
    assert told(["x"], row, scene={"seed": "7"}) == told(["x"], row, scene={"seed": "7"})


def test_names_are_filled_into_keys_and_words():
    scene = {"expand": lambda text: text.replace("{{char}}", "Ida")}
    [fired] = scan(["Where is ida?"], entry("{{char}}", content="{{char}} rows."), scene=scene).fired
    assert fired.text == "Ida rows."


def test_a_name_that_nobody_filled_in_is_words_like_others():
    says = {"expand": lambda text: text.replace("{{user}}", "Ida")}
    assert told(["{{user}} is here."], entry("{{user}}"), scene=says) == []
    assert told(["Ida is here."], entry("{{user}}"), scene=says) == ["{{user}}"]
