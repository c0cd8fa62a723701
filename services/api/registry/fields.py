"""The types of single fields in requests and answers: ids, names, numbers, days, durations, keys."""

import base64
import binascii
import datetime as dt
import unicodedata
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer

from schemas.wire.limits import FACTORY_ID_PATTERN, LOCAL_ID_PATTERN
from schemas.wire.signature import is_sound_public_key
from services.api.instants import DATE
from services.api.numbers import check_number, read_float, read_integer
from services.api.registry.things import SECTOR_PATTERN

INVISIBLE = ("Zs", "Zl", "Zp", "Cc", "Cf")
"""Unicode's categories of white space, control and format characters."""
FILLERS = "\u115f\u1160\u2800\u3164\uffa0"
"""Fillers of Hangul, and the Braille blank: letters and symbols that show nothing."""


def normalise_text(value: object) -> object:
    """Returns a text in Unicode's normal form NFC, so that it is found however it was composed."""
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else value


def normalise_name(value: object) -> object:
    """Returns a name in NFC, without white space around it.

    Raises:
        ValueError: if it is blank.
    """
    if not isinstance(value, str) or not value:
        return value
    name = unicodedata.normalize("NFC", value).strip()
    if not any(is_visible(character) for character in name):
        raise ValueError("write a name that is not blank")
    return name


def is_visible(character: str) -> bool:
    """Whether a character shows: white space, control and format characters and fillers do not."""
    return unicodedata.category(character) not in INVISIBLE and character not in FILLERS


def plain_number(value: Decimal) -> int | float:
    """Returns a number as JSON writes it."""
    return int(value) if value == value.to_integral_value() else float(value)


def check_day(value: object) -> object:
    """Returns the value as it is.

    Raises:
        ValueError: if it is a number, or a text that is not a day; pydantic would take 20170501 for seconds since 1970.
    """
    if isinstance(value, int | float) or (isinstance(value, str) and not DATE.fullmatch(value)):
        raise ValueError("write a day, as 2017-05-01")
    return value


def parse_public_key(value: object) -> bytes:
    """Returns the 32 raw bytes of an Ed25519 public key.

    Raises:
        ValueError: if the value is not one, or is one of the weak keys with which anything can be forged.
    """
    try:
        raw = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except binascii.Error:
        raw = b""
    if not is_sound_public_key(raw):
        raise ValueError("write the base64 of the 32 raw bytes of an Ed25519 public key")
    return raw


FactoryId = Annotated[str, Field(pattern=f"^(?:{FACTORY_ID_PATTERN})$")]
LocalId = Annotated[str, Field(pattern=f"^(?:{LOCAL_ID_PATTERN})$")]
Sector = Annotated[str, Field(pattern=f"^(?:{SECTOR_PATTERN})$", description="KSIC section and division, as C25.")]
MachineKind = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,62}$", description="As machining_centre.")]
Name = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00]*$"), BeforeValidator(normalise_name)]
SearchText = Annotated[str, Field(max_length=128, pattern=r"^[^\x00]*$"), BeforeValidator(normalise_text)]
Employees = Annotated[int, Field(ge=0, lt=2**31, strict=True), BeforeValidator(read_integer)]
PiecesPerHour = Annotated[float, Field(gt=0, le=1e9, strict=True, allow_inf_nan=False), BeforeValidator(read_float)]
Day = Annotated[dt.date, BeforeValidator(check_day)]
Seconds = Annotated[
    Decimal,
    Field(max_digits=12, decimal_places=6, allow_inf_nan=False),
    BeforeValidator(check_number),
    PlainSerializer(plain_number, return_type=float, when_used="json"),
]
PublicKey = Annotated[
    bytes,
    BeforeValidator(parse_public_key, json_schema_input_type=str),
    PlainSerializer(lambda raw: base64.b64encode(raw).decode(), return_type=str, when_used="json"),
]
