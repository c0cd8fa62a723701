"""What the fields of a line can be by their look. Pure."""

import re
from collections.abc import Sequence

from services.gateway.mtconnect.counter import parse_value
from services.gateway.mtconnect.model import Form
from services.gateway.mtconnect.vocabulary import LEVELS, Level, normalised

MAXIMUM_FIELDS = {Form.CONDITION: 5, Form.MESSAGE: 2, Form.ALARM: 5, Form.ASSET_EVENT: 2, Form.TIME_SERIES: 3}
"""How many fields may follow the key of a data item; one, if its form is not here."""
NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
RESET = re.compile(r":[A-Za-z]\w*\Z")
"""What a number announces that was reset, as in ``0:DAY``."""


def is_number(text: str) -> bool:
    """Return whether a text is a decimal number as the standard writes one."""
    return NUMBER.fullmatch(text) is not None


def without_reset(text: str) -> str:
    """Return a number without what it announces that was reset."""
    return RESET.sub("", text)


def has_shape_of_condition(fields: Sequence[str], begin: int) -> bool:
    """Return whether the fields behind an unknown key, the first of them at ``begin``, look like those of a condition.

    All of its fields must be there. Only a warning or a fault is also recognised without its last ones, if what
    follows the level cannot be a key and its value.
    """
    level = LEVELS.get(normalised(fields[begin])) if begin < len(fields) else None
    if level is None:
        return False
    following = fields[begin + 1 : begin + MAXIMUM_FIELDS[Form.CONDITION]]
    is_whole = len(following) == MAXIMUM_FIELDS[Form.CONDITION] - 1
    if level is Level.UNAVAILABLE:
        return is_whole and not any(following)
    if level is Level.NORMAL:
        return is_whole
    is_code = bool(following) and " " not in following[0]
    return is_whole or (is_code and (len(following) % 2 == 1 or is_number(following[0])))


def is_total(text: str) -> bool:
    """Return whether a text is a value of a part counter."""
    try:
        parse_value(text)
    except ValueError:
        return False
    return True
