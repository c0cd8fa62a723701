"""What the registry takes and gives, as JSON."""

import base64
import binascii
import datetime as dt
import re
from bisect import bisect_right
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationInfo, field_validator

from schemas.wire.limits import FACTORY_ID_PATTERN, LOCAL_ID_PATTERN
from schemas.wire.signature import is_sound_public_key
from services.api.instants import DATE, Instant

NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
SECTOR_PATTERN = "[A-U][0-9]{2}"
"""KSIC section and division."""

FactoryId = Annotated[str, Field(pattern=f"^(?:{FACTORY_ID_PATTERN})$")]
LocalId = Annotated[str, Field(pattern=f"^(?:{LOCAL_ID_PATTERN})$")]
Sector = Annotated[str, Field(pattern=f"^(?:{SECTOR_PATTERN})$", description="KSIC section and division, as C25.")]
MachineKind = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,62}$", description="As machining_centre.")]
Name = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00]*$")]


def refuse_other_numbers(value: object) -> object:
    """JSON's true is no number, though Python's is, and as text only ASCII is, of which Python takes more too."""
    if isinstance(value, bool) or (isinstance(value, str) and not NUMBER.fullmatch(value)):
        raise ValueError("write a number")
    return value


def plain_number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def refuse_other_dates(value: object) -> object:
    """A day is written in one way: pydantic would take 20170501 for seconds since 1970."""
    if isinstance(value, int | float) or (isinstance(value, str) and not DATE.fullmatch(value)):
        raise ValueError("write a day, as 2017-05-01")
    return value


Day = Annotated[dt.date, BeforeValidator(refuse_other_dates)]

Seconds = Annotated[
    Decimal,
    Field(max_digits=12, decimal_places=6, allow_inf_nan=False),
    BeforeValidator(refuse_other_numbers),
    PlainSerializer(plain_number, return_type=float, when_used="json"),
]


def parse_public_key(value: object) -> bytes:
    """The 32 raw bytes of an Ed25519 public key.

    Raises:
        ValueError: it is none, or one of the weak ones with which anything can be forged.
    """
    try:
        raw = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except binascii.Error:
        raw = b""
    if not is_sound_public_key(raw):
        raise ValueError("write the base64 of the 32 raw bytes of an Ed25519 public key")
    return raw


PublicKey = Annotated[
    bytes,
    BeforeValidator(parse_public_key, json_schema_input_type=str),
    PlainSerializer(lambda raw: base64.b64encode(raw).decode(), return_type=str, when_used="json"),
]


class Region(StrEnum):
    """ISO 3166-2:KR."""

    SEOUL = "KR-11"
    BUSAN = "KR-26"
    DAEGU = "KR-27"
    INCHEON = "KR-28"
    GWANGJU = "KR-29"
    DAEJEON = "KR-30"
    ULSAN = "KR-31"
    GYEONGGI = "KR-41"
    GANGWON = "KR-42"
    NORTH_CHUNGCHEONG = "KR-43"
    SOUTH_CHUNGCHEONG = "KR-44"
    NORTH_JEOLLA = "KR-45"
    SOUTH_JEOLLA = "KR-46"
    NORTH_GYEONGSANG = "KR-47"
    SOUTH_GYEONGSANG = "KR-48"
    JEJU = "KR-49"
    SEJONG = "KR-50"


class Level(StrEnum):
    """Smart-factory level."""

    NONE = "none"
    BASIC = "basic"
    INTERMEDIATE_1 = "intermediate_1"
    INTERMEDIATE_2 = "intermediate_2"
    ADVANCED = "advanced"


class Size(StrEnum):
    """Of a factory, by its enterprise's employees."""

    UNDER_10 = "1-9"
    UNDER_50 = "10-49"
    UNDER_300 = "50-299"
    FROM_300 = "300+"

    @classmethod
    def of(cls, employees: int | None) -> "Size | None":
        """The size that so many employees are, as ``size_of`` in the database has it; None where they are not known."""
        position = 0 if employees is None else bisect_right((1, 10, 50, 300), employees)
        return list(cls)[position - 1] if position else None


class Automation(StrEnum):
    """What a machine is registered as."""

    MANUAL = "manual"
    SEMI_AUTOMATIC = "semi_automatic"
    AUTOMATIC = "automatic"
    ROBOT = "robot"


class Content(BaseModel):
    """What is said of a thing. Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Dated(BaseModel):
    """What a PUT may say beside the content."""

    effective_from: Instant | None = Field(
        None, description="From when this holds. Default: it corrects the current version from that one's own start."
    )


class Held(BaseModel):
    """When an answer's version holds."""

    # Answers have every field, so the OpenAPI document says that all are there.
    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    effective_from: Instant
    effective_to: Instant | None = Field(description="Null: until further notice.")


class Enterprise(Content):
    """The company behind factories."""

    name: Name
    employees: int | None = Field(None, ge=0, lt=2**31, strict=True)


class Zone(Content):
    """A smart industrial zone."""

    name: Name
    region: Region
    designated_on: Day | None = Field(None, description="The day from which it is a smart industrial zone.")


class Sponsor(Content):
    """A conglomerate that supports factories."""

    name: Name
    enterprise_id: FactoryId | None = Field(None, description="Its own enterprise, where that is registered.")


class Factory(Content):
    """One site of an enterprise."""

    name: Name
    enterprise_id: FactoryId
    region: Region
    sector: Sector
    zone: LocalId | None = Field(None, description="Id of a registered zone.")
    sponsor: LocalId | None = Field(None, description="Id of a registered sponsor.")
    level: Level
    established_on: Day | None = Field(None, description="The day it became a smart factory.")
    closed_on: Day | None = None

    @field_validator("closed_on")
    @classmethod
    def closes_after_it_is_established(cls, closed_on: dt.date | None, info: ValidationInfo) -> dt.date | None:
        established_on = info.data.get("established_on")
        if closed_on and established_on and closed_on < established_on:
            raise ValueError("closed_on must not lie before established_on")
        return closed_on


class Machine(Content):
    """One machine of a factory. ``in_use_from`` and ``in_use_to`` are Seoul midnights, half-open."""

    name: Name
    kind: MachineKind
    automation: Automation
    state_ttl_s: Seconds = Field(Decimal(600), ge=1, le=86_400)
    ideal_cycle_s: Seconds | None = Field(None, gt=0, le=86_400)
    capacity_per_h: float | None = Field(None, gt=0, le=1e9, strict=True, allow_inf_nan=False)
    in_use_from: Day = Field(ge=dt.date(2000, 1, 1))
    in_use_to: Day | None = None

    @field_validator("in_use_to")
    @classmethod
    def is_in_use_at_all(cls, in_use_to: dt.date | None, info: ValidationInfo) -> dt.date | None:
        in_use_from = info.data.get("in_use_from")
        if in_use_to and in_use_from and in_use_to <= in_use_from:
            raise ValueError("in_use_to must lie after in_use_from")
        return in_use_to


class GatewayKey(Content):
    """A public key that signs a factory's records, valid at receipt within [valid_from, valid_to)."""

    public_key: PublicKey
    valid_from: Instant
    valid_to: Instant | None = None
    revoked_at: Instant | None = Field(None, description="From this receipt on, nothing signed with it is accepted.")
    compromised_since: Instant | None = Field(None, description="As revoked_at, from when others may have had the key.")

    @field_validator("valid_to")
    @classmethod
    def is_valid_at_all(cls, valid_to: int | None, info: ValidationInfo) -> int | None:
        valid_from = info.data.get("valid_from")
        if valid_to is not None and valid_from is not None and valid_to <= valid_from:
            raise ValueError("valid_to must lie after valid_from")
        return valid_to


class EnterprisePut(Enterprise, Dated):
    """A PUT of an enterprise."""


class ZonePut(Zone, Dated):
    """A PUT of a zone."""


class SponsorPut(Sponsor, Dated):
    """A PUT of a sponsor."""


class FactoryPut(Factory, Dated):
    """A PUT of a factory."""


class MachinePut(Machine, Dated):
    """A PUT of a machine."""


class GatewayKeyPut(GatewayKey, Dated):
    """A PUT of a gateway key."""


class EnterpriseEntry(Enterprise, Held):
    """An enterprise as registered."""

    enterprise_id: str


class ZoneEntry(Zone, Held):
    """A zone as registered."""

    zone_id: str


class SponsorEntry(Sponsor, Held):
    """A sponsor as registered."""

    sponsor_id: str


class FactoryEntry(Factory, Held):
    """A factory as registered."""

    factory_id: str


class FactoryListEntry(FactoryEntry):
    """A factory as lists show it."""

    enterprise_name: str
    size: Size | None = Field(description="By its enterprise's employees; null: not registered.")
    machines: int = Field(description="In use now, or at the instant asked for.")


class MachineEntry(Machine, Held):
    """A machine as registered."""

    factory_id: str
    machine_id: str


class GatewayKeyEntry(GatewayKey, Held):
    """A gateway key as registered."""

    factory_id: str
    key_id: str
