"""What the registry takes and gives, as JSON."""

import base64
import binascii
import datetime as dt
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

from schemas.wire.limits import FACTORY_ID_PATTERN, LOCAL_ID_PATTERN
from schemas.wire.signature import is_sound_public_key
from services.api.instants import Instant

SECTOR_PATTERN = "[A-U][0-9]{2}"
"""KSIC section and division."""

FactoryId = Annotated[str, Field(pattern=f"^(?:{FACTORY_ID_PATTERN})$")]
LocalId = Annotated[str, Field(pattern=f"^(?:{LOCAL_ID_PATTERN})$")]
Name = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00]*$")]


def refuse_booleans(value: object) -> object:
    """JSON's true is no number, though Python's is."""
    if isinstance(value, bool):
        raise ValueError("write a number")
    return value


def plain_number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


Seconds = Annotated[
    Decimal,
    Field(max_digits=12, decimal_places=6, allow_inf_nan=False),
    BeforeValidator(refuse_booleans),
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


class Size(StrEnum):
    """Employees of the enterprise."""

    UNDER_10 = "1-9"
    UNDER_50 = "10-49"
    UNDER_300 = "50-299"
    FROM_300 = "300+"


class Level(StrEnum):
    """Smart-factory level."""

    NONE = "none"
    BASIC = "basic"
    INTERMEDIATE_1 = "intermediate_1"
    INTERMEDIATE_2 = "intermediate_2"
    ADVANCED = "advanced"


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

    effective_from: Instant
    effective_to: Instant | None = Field(description="Null: until further notice.")


class Enterprise(Content):
    """The company behind factories."""

    name: Name
    employees: int | None = Field(None, ge=0, lt=2**31, strict=True)


class Factory(Content):
    """One site of an enterprise."""

    name: Name
    enterprise_id: FactoryId
    region: Region
    sector: str = Field(pattern=f"^(?:{SECTOR_PATTERN})$", description="KSIC section and division, as C25.")
    zone: LocalId | None = None
    sponsor: LocalId | None = None
    level: Level
    established_on: dt.date | None = Field(None, description="The day it became a smart factory.")
    closed_on: dt.date | None = None

    @model_validator(mode="after")
    def closes_after_it_is_established(self) -> Self:
        if self.closed_on and self.established_on and self.closed_on < self.established_on:
            raise ValueError("closed_on must not lie before established_on")
        return self


class Machine(Content):
    """One machine of a factory. ``in_use_from`` and ``in_use_to`` are Seoul midnights, half-open."""

    name: Name
    kind: str = Field(pattern="^[a-z][a-z0-9_]{0,62}$", description="As machining_centre.")
    automation: Automation
    state_ttl_s: Seconds = Field(Decimal(600), ge=1, le=86_400)
    ideal_cycle_s: Seconds | None = Field(None, gt=0, le=86_400)
    capacity_per_h: float | None = Field(None, gt=0, le=1e9, strict=True, allow_inf_nan=False)
    in_use_from: dt.date = Field(ge=dt.date(2000, 1, 1))
    in_use_to: dt.date | None = None

    @model_validator(mode="after")
    def is_in_use_at_all(self) -> Self:
        if self.in_use_to is not None and self.in_use_to <= self.in_use_from:
            raise ValueError("in_use_to must lie after in_use_from")
        return self


class GatewayKey(Content):
    """A public key that signs a factory's records, valid at receipt within [valid_from, valid_to)."""

    public_key: PublicKey
    valid_from: Instant
    valid_to: Instant | None = None
    revoked_at: Instant | None = Field(None, description="From this receipt on, nothing signed with it is accepted.")
    compromised_since: Instant | None = Field(None, description="As revoked_at, from when others may have had the key.")

    @model_validator(mode="after")
    def is_valid_at_all(self) -> Self:
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError("valid_to must lie after valid_from")
        return self


class EnterprisePut(Enterprise, Dated):
    """A PUT of an enterprise."""


class FactoryPut(Factory, Dated):
    """A PUT of a factory."""


class MachinePut(Machine, Dated):
    """A PUT of a machine."""


class GatewayKeyPut(GatewayKey, Dated):
    """A PUT of a gateway key."""


class EnterpriseEntry(Enterprise, Held):
    """An enterprise as registered."""

    enterprise_id: str


class FactoryEntry(Factory, Held):
    """A factory as registered."""

    factory_id: str


class MachineEntry(Machine, Held):
    """A machine as registered."""

    factory_id: str
    machine_id: str


class GatewayKeyEntry(GatewayKey, Held):
    """A gateway key as registered."""

    factory_id: str
    key_id: str
