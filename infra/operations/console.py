"""Words to the person at the terminal: progress with the time, results, and problems with a remedy."""

import sys
import time


class Problem(Exception):
    """Something the person can mend: what is wrong, and what to do about it."""

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy


def say(text: str = "") -> None:
    print(text, flush=True)  # noqa: T201 (the one place that prints)


def step(text: str) -> None:
    """A line of progress."""
    say(f"{time.strftime('%H:%M:%S')}  {text}")


def outcome(ok: bool | None, name: str, detail: str) -> None:
    """One check's result; None is a check that does not apply."""
    word = {True: "ok", False: "FAILED", None: "skipped"}[ok]
    say(f"{word:<8} {name}: {detail}")


def complain(problem: Problem) -> None:
    print(f"estate: {problem.what}", file=sys.stderr)  # noqa: T201
    if problem.remedy:
        print(f"        {problem.remedy}", file=sys.stderr)  # noqa: T201


def confirm(name: str, given: str | None, consequence: str) -> None:
    """Go on only if the person names the thing; `--confirm NAME` names it without a terminal."""
    say(consequence)
    if given is None and sys.stdin.isatty():
        given = input(f"Type {name} to go on: ").strip()
    if given is None:
        raise Problem(
            "Nothing was done: there is no terminal to ask.", f"Add --confirm {name} if you mean it."
        )
    if given != name:
        raise Problem(f"Nothing was done: {given!r} is not {name!r}.", f"The name to type is {name}.")
