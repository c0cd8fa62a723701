"""Numbers in requests: JSON's numbers, and where they are text (query parameters, cells of a file) ASCII digits alone.

These are for pydantic's ``BeforeValidator``: alone it would also take what Python takes for a number, as ``1_2``,
`` 12``, ``+12``, ``inf``, and true and false.
"""

import re
from collections.abc import Mapping
from decimal import Decimal

from pydantic import ValidationInfo

NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
WHOLE_NUMBER = re.compile(r"[0-9]{1,18}(?:\.0{1,18})?")
"""Spreadsheets write 12.0, too."""

CELLS: Mapping[str, bool] = {"cells": True}
"""The context in which to validate cells: a text is then taken where else JSON's numbers alone are."""


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
