"""What a model of a group says, without its own name before it. IO-free: feed it pieces, it gives text back."""


class NameTrimmer:
    """Takes `Name:` off the beginning of an answer, however the pieces of the stream cut it."""

    __slots__ = ("_held", "_is_done", "_is_trimmed", "_names")

    def __init__(self, *names: str) -> None:
        self._names = tuple(f"{name}:".lower() for name in names if name)
        self._held = ""
        self._is_trimmed = False
        self._is_done = not self._names

    def feed(self, text: str) -> str:
        """What may be said of the answer now."""
        if self._is_trimmed:
            # The space between the name and the words may come in a piece of its own.
            text = text.lstrip()
            self._is_trimmed = not text
            return text
        if self._is_done:
            return text
        self._held += text
        begun = self._held.lstrip().lower()
        for name in self._names:
            if begun.startswith(name):
                said = self.flush().lstrip()[len(name) :].lstrip()
                self._is_trimmed = not said
                return said
        if any(name.startswith(begun) for name in self._names):
            return ""
        return self.flush()

    def flush(self) -> str:
        """What is still held back, at the end."""
        self._is_done = True
        held, self._held = self._held, ""
        return held
