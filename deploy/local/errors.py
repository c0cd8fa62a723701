"""What cannot be mended here, as one sentence that says what to do."""


class StackError(Exception):
    """The stack cannot be set up or started; the message is for the person at the terminal."""
