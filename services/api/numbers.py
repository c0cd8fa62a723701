"""Validates numbers: JSON's, and in text (query parameters, cells of a file) those in ASCII digits.

These are for pydantic's ``BeforeValidator``. By itself pydantic also accepts what Python does: ``1_2``, `` 12``,
``+12``, ``inf``, true and false.
"""

import re
from collections.abc import Mapping
from decimal import Decimal

from pydantic import ValidationInfo

NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
WHOLE_NUMBER = re.compile(r"[0-9]{1,18}(?:\.0{1,18})?")
"""Spreadsheets may write 12.0."""

CELLS: Mapping[str, bool] = {"cells": True}
"""The context for validating cells, in which a number may be a text even where a body needs a JSON number."""


def check_number(value: object) -> object:
    """Returns the value as it is.

    Raises:
        ValueError: if it is a boolean, or a text that is not a number.
    """
    if isinstance(value, bool) or (isinstance(value, str) and not NUMBER.fullmatch(value)):
        raise ValueError("write a number")
    return value


def read_float(value: object, info: ValidationInfo) -> object:
    """Returns the value; a cell as a float.

    Raises:
        ValueError: if it is a boolean, or a text that is not a number.
    """
    check_number(value)
    return float(value) if isinstance(value, str) and info.context is CELLS else value


def read_integer(value: object, info: ValidationInfo) -> object:
    """Returns the value; a cell as an integer.

    Raises:
        ValueError: if it is a boolean, or a text that is not a whole number.
    """
    if isinstance(value, bool) or (isinstance(value, str) and not WHOLE_NUMBER.fullmatch(value)):
        raise ValueError("write a whole number")
    return int(Decimal(value)) if isinstance(value, str) and info.context is CELLS else value
