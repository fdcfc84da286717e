"""What goes wrong with the local stack, as one sentence that a person can act on."""


class StackError(Exception):
    """The stack cannot start or go on; its text is the whole message and says what to do."""
