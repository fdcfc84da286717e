"""`manage.py benchmark_lorebook`: what a scan of a large lorebook over a long chat costs.

It makes a book and a chat of invented words, as often said as words are, and prints the processor's time of whole
scans: for the newest messages alone, for all of them at the first time, and for all when the chat has grown by two.
Nothing is stored, and other programs on the machine do not count beyond the caches that they share.
"""

import random
import statistics
import time
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management import BaseCommand

from characters.cards.card import Book, BookEntry
from characters.lorebooks.compiled import CompiledBook, compile_book
from characters.lorebooks.scan import Scene, scan_books

_WORDS = 20_000
_MESSAGE_WORDS = 50
_WHOLE_CHAT = 1_000_000


class Command(BaseCommand):
    help = "Measure the scan of a lorebook."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--entries", type=int, default=5_000)
        parser.add_argument("--messages", type=int, default=2_116)
        parser.add_argument("--expressions", type=int, default=100)
        parser.add_argument("--rounds", type=int, default=20)

    def handle(self, *args: Any, **options: Any) -> None:
        dice = random.Random(3)  # noqa: S311 (no secret)
        words = [
            "".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=dice.randint(4, 9))) for _ in range(_WORDS)
        ]
        chat = _chat(dice, words, options["messages"])
        dice.shuffle(words)
        entries = [
            _entry(words[n % _WORDS], words[(n + 5_000) % _WORDS] + " the" * (n % 5 == 0))
            for n in range(options["entries"])
        ]
        patterns = [
            _entry(rf"\b{word[:3]}\w*[aeiou]{{2}}\b", uses_regex=True)
            for word in words[: options["expressions"]]
        ]
        self.stdout.write(
            f"{len(entries)} entries with {2 * len(entries)} keys, {len(chat)} messages of {_MESSAGE_WORDS} words,"
            f" {options['rounds']} rounds each, processor's time"
        )
        rounds = options["rounds"]
        self._measure("newest four messages", lambda: _book(entries, None), chat, rounds)
        self._measure("whole chat, at first", lambda: _book(entries, _WHOLE_CHAT), chat, rounds)
        book = _book(entries, _WHOLE_CHAT)
        self._measure("whole chat, grown by two", lambda: book, chat, rounds, grows=True)
        with_patterns = _book([*entries, *patterns], _WHOLE_CHAT)
        self._measure(f"and {len(patterns)} expressions", lambda: with_patterns, chat, rounds, grows=True)

    def _measure(
        self,
        words: str,
        book: Callable[[], CompiledBook],
        chat: list[str],
        rounds: int,
        *,
        grows: bool = False,
    ) -> None:
        milliseconds, fired, undecided = [], 0, 0
        for n in range(rounds + 1):
            compiled, messages = book(), [*chat, *chat[: 2 * n]] if grows else chat
            # A chat comes anew from the database each time.
            messages = [message.encode().decode() for message in messages]
            began = time.thread_time()
            scan = scan_books([compiled], Scene(messages=messages), _count_tokens)
            milliseconds.append((time.thread_time() - began) * 1000)
            fired, undecided = len(scan.fired), scan.undecided
        # The first is there for the caches.
        p50, least = statistics.median(milliseconds[1:]), min(milliseconds[1:])
        self.stdout.write(
            f"{words:<26} p50 {p50:6.2f} ms   least {least:6.2f} ms   {fired} fired, {undecided} undecided"
        )


def _chat(dice: random.Random, words: list[str], count: int) -> list[str]:
    """As in any language, few words are said often (Zipf's law)."""
    often = [1 / n for n in range(1, len(words) + 1)]
    return [" ".join(dice.choices(words, often, k=_MESSAGE_WORDS)) for _ in range(count)]


def _entry(*keys: str, uses_regex: bool = False) -> BookEntry:
    return BookEntry(keys=keys, content=f"About {keys[0]}.", insertion_order=10, uses_regex=uses_regex)


def _book(entries: list[BookEntry], depth: int | None) -> CompiledBook:
    return compile_book(Book(name="World", entries=tuple(entries), scan_depth=depth, token_budget=2_000))


def _count_tokens(text: str) -> int:
    return len(text) // 4 + 1
