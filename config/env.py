"""Typed reading of the environment: every setting an operator can change passes through here.

`Env` collects what is missing or malformed, so that `settings` can name all of it at once at boot.
It knows nothing about Django.
"""

import os
from collections.abc import Mapping
from pathlib import Path


class Env:
    """Reads typed values from a mapping of environment variables and gathers the problems it meets."""

    def __init__(self, values: Mapping[str, str] = os.environ) -> None:
        self._values = values
        self.problems: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        """The value of `name` without surrounding blanks; an empty value counts as unset."""
        return self._values.get(name, "").strip() or default

    def number(self, name: str, default: int, *, at_least: int = 0) -> int:
        """The whole number in `name`; a malformed one is a problem and reads as `default`."""
        raw = self.text(name)
        if not raw:
            return default
        try:
            value = int(raw)
        except ValueError:
            self.problems.append(f"{name} must be a whole number, not {raw!r}.")
            return default
        if value < at_least:
            self.problems.append(f"{name} must be at least {at_least}, not {value}.")
            return default
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """True for 1, true, yes, on; False for 0, false, no, off; anything else is a problem."""
        raw = self.text(name).lower()
        if raw in {"1", "true", "yes", "on"}:
            return True
        if raw in {"0", "false", "no", "off"}:
            return False
        if raw:
            self.problems.append(f"{name} must be true or false, not {raw!r}.")
        return default

    def choice(self, name: str, values: tuple[str, ...]) -> str:
        """One of `values`, the first by default, in whatever case it is written; another one is a problem."""
        raw = self.text(name, values[0])
        for value in values:
            if raw.lower() == value.lower():
                return value
        self.problems.append(f"{name} must be one of {', '.join(values)}, not {raw!r}.")
        return values[0]

    def items(self, name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """The comma-separated values of `name`."""
        return tuple(part.strip() for part in self.text(name).split(",") if part.strip()) or default

    def path(self, name: str, default: Path) -> Path:
        """The folder or file in `name`, absolute."""
        raw = self.text(name)
        return Path(raw).expanduser().resolve() if raw else default
