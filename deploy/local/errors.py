"""The local stack's one error."""


class StackError(Exception):
    """The stack cannot be set up or started. The message is a sentence that says what to do."""
