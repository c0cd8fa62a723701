"""Parses command-line options that several services share."""

from services.core.errors import ConfigurationError


def parse_speed(text: str, minimum: float = 0) -> float | None:
    """Parse ``--speed``: a factor above 0 and not below ``minimum``, or None for ``max``.

    Raises:
        ConfigurationError: the text is neither.
    """
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0
    if not (minimum <= speed < float("inf") and speed > 0):
        raise ConfigurationError(f"--speed {text}: write a number{' of at least 1' if minimum else ''}, or max.")
    return speed
