"""The HTTP models of single things: the bodies of PUTs and the entries of answers.

``content`` turns a body into the content of a version, ``of`` a version into an entry.
"""

import datetime as dt
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from services.api.instants import Instant
from services.api.registry import things
from services.api.registry.fields import (
    Day,
    Employees,
    FactoryId,
    LocalId,
    MachineKind,
    Name,
    PiecesPerHour,
    PublicKey,
    Seconds,
    Sector,
)
from services.api.registry.things import Automation, Level, Region
from services.api.registry.versions import Version
from services.core.times import LAST_INSTANT_US, SECOND_US


class Fields(BaseModel):
    """The fields of a body that describe a thing. Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Dated(BaseModel):
    """What a PUT may carry beside the thing's own fields."""

    effective_from: Instant | None = Field(
        None, description="From when this holds. Default: it corrects the current version from that one's own start."
    )


class Held(BaseModel):
    """When the version in an answer holds."""

    # Answers have every field, so the OpenAPI document says that all are there.
    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    effective_from: Instant
    effective_to: Instant | None = Field(description="Null: until further notice.")


def known_end(version: Version[things.Content]) -> int | None:
    """Returns the end of a version, None if it holds until further notice."""
    return None if version.to_us == LAST_INSTANT_US else version.to_us


def seconds(us: int) -> Decimal:
    """Returns a duration in seconds, exactly."""
    return Decimal(us) / SECOND_US


class EnterpriseFields(Fields):
    """The company behind factories."""

    name: Name
    employees: Employees | None = None


class EnterprisePut(EnterpriseFields, Dated):
    """A PUT of an enterprise."""

    def content(self) -> things.Enterprise:
        """Returns the content that is to be registered."""
        return things.Enterprise(self.name, self.employees)


class EnterpriseEntry(EnterpriseFields, Held):
    """An enterprise as registered."""

    enterprise_id: str

    @classmethod
    def of(cls, enterprise_id: str, version: Version[things.Enterprise]) -> "EnterpriseEntry":
        """Returns the entry of a version."""
        return cls.model_construct(
            name=version.content.name,
            employees=version.content.employees,
            enterprise_id=enterprise_id,
            effective_from=version.from_us,
            effective_to=known_end(version),
        )


class ZoneFields(Fields):
    """A smart industrial zone."""

    name: Name
    region: Region
    designated_on: Day | None = Field(None, description="The day from which it is a smart industrial zone.")


class ZonePut(ZoneFields, Dated):
    """A PUT of a zone."""

    def content(self) -> things.Zone:
        """Returns the content that is to be registered."""
        return things.Zone(self.name, self.region, self.designated_on)


class ZoneEntry(ZoneFields, Held):
    """A zone as registered."""

    zone_id: str

    @classmethod
    def of(cls, zone_id: str, version: Version[things.Zone]) -> "ZoneEntry":
        """Returns the entry of a version."""
        return cls.model_construct(
            name=version.content.name,
            region=version.content.region,
            designated_on=version.content.designated_on,
            zone_id=zone_id,
            effective_from=version.from_us,
            effective_to=known_end(version),
        )


class SponsorFields(Fields):
    """A conglomerate that supports factories."""

    name: Name
    enterprise_id: FactoryId | None = Field(None, description="Its own enterprise, where that is registered.")


class SponsorPut(SponsorFields, Dated):
    """A PUT of a sponsor."""

    def content(self) -> things.Sponsor:
        """Returns the content that is to be registered."""
        return things.Sponsor(self.name, self.enterprise_id)


class SponsorEntry(SponsorFields, Held):
    """A sponsor as registered."""

    sponsor_id: str

    @classmethod
    def of(cls, sponsor_id: str, version: Version[things.Sponsor]) -> "SponsorEntry":
        """Returns the entry of a version."""
        return cls.model_construct(
            name=version.content.name,
            enterprise_id=version.content.enterprise_id,
            sponsor_id=sponsor_id,
            effective_from=version.from_us,
            effective_to=known_end(version),
        )


class FactoryFields(Fields):
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
    def check_closed_on(cls, closed_on: dt.date | None, info: ValidationInfo) -> dt.date | None:
        established_on = info.data.get("established_on")
        if closed_on and established_on and closed_on < established_on:
            raise ValueError("closed_on must not lie before established_on")
        return closed_on


class FactoryPut(FactoryFields, Dated):
    """A PUT of a factory."""

    def content(self) -> things.Factory:
        """Returns the content that is to be registered."""
        return things.Factory(
            self.name,
            self.enterprise_id,
            self.region,
            self.sector,
            self.zone,
            self.sponsor,
            self.level,
            self.established_on,
            self.closed_on,
        )


class FactoryEntry(FactoryFields, Held):
    """A factory as registered."""

    factory_id: str

    @classmethod
    def of(cls, factory_id: str, version: Version[things.Factory]) -> "FactoryEntry":
        """Returns the entry of a version."""
        factory = version.content
        return cls.model_construct(
            name=factory.name,
            enterprise_id=factory.enterprise_id,
            region=factory.region,
            sector=factory.sector,
            zone=factory.zone,
            sponsor=factory.sponsor,
            level=factory.level,
            established_on=factory.established_on,
            closed_on=factory.closed_on,
            factory_id=factory_id,
            effective_from=version.from_us,
            effective_to=known_end(version),
        )


class MachineFields(Fields):
    """One machine of a factory. ``in_use_from`` and ``in_use_to`` are Seoul midnights, half-open."""

    name: Name
    kind: MachineKind
    automation: Automation
    state_ttl_s: Seconds = Field(Decimal(600), ge=1, le=86_400)
    ideal_cycle_s: Seconds | None = Field(None, gt=0, le=86_400)
    capacity_per_h: PiecesPerHour | None = None
    in_use_from: Day = Field(ge=dt.date(2000, 1, 1))
    in_use_to: Day | None = None

    @field_validator("in_use_to")
    @classmethod
    def check_in_use_to(cls, in_use_to: dt.date | None, info: ValidationInfo) -> dt.date | None:
        in_use_from = info.data.get("in_use_from")
        if in_use_to and in_use_from and in_use_to <= in_use_from:
            raise ValueError("in_use_to must lie after in_use_from")
        return in_use_to


class MachinePut(MachineFields, Dated):
    """A PUT of a machine."""

    def content(self) -> things.Machine:
        """Returns the content that is to be registered."""
        return things.Machine(
            self.name,
            self.kind,
            self.automation,
            int(self.state_ttl_s * SECOND_US),
            None if self.ideal_cycle_s is None else int(self.ideal_cycle_s * SECOND_US),
            self.capacity_per_h,
            self.in_use_from,
            self.in_use_to,
        )


class MachineEntry(MachineFields, Held):
    """A machine as registered."""

    factory_id: str
    machine_id: str

    @classmethod
    def of(cls, factory_id: str, machine_id: str, version: Version[things.Machine]) -> "MachineEntry":
        """Returns the entry of a version."""
        machine = version.content
        return cls.model_construct(
            name=machine.name,
            kind=machine.kind,
            automation=machine.automation,
            state_ttl_s=seconds(machine.state_ttl_us),
            ideal_cycle_s=None if machine.ideal_cycle_us is None else seconds(machine.ideal_cycle_us),
            capacity_per_h=machine.capacity_per_h,
            in_use_from=machine.in_use_from,
            in_use_to=machine.in_use_to,
            factory_id=factory_id,
            machine_id=machine_id,
            effective_from=version.from_us,
            effective_to=known_end(version),
        )


class GatewayKeyFields(Fields):
    """A public key that signs a factory's records, valid at receipt within [valid_from, valid_to)."""

    public_key: PublicKey
    valid_from: Instant
    valid_to: Instant | None = None
    revoked_at: Instant | None = Field(None, description="From this receipt on, nothing signed with it is accepted.")
    compromised_since: Instant | None = Field(None, description="As revoked_at, from when others may have had the key.")

    @field_validator("valid_to")
    @classmethod
    def check_valid_to(cls, valid_to: int | None, info: ValidationInfo) -> int | None:
        valid_from = info.data.get("valid_from")
        if valid_to is not None and valid_from is not None and valid_to <= valid_from:
            raise ValueError("valid_to must lie after valid_from")
        return valid_to


class GatewayKeyPut(GatewayKeyFields, Dated):
    """A PUT of a gateway key."""

    def content(self) -> things.GatewayKey:
        """Returns the content that is to be registered."""
        return things.GatewayKey(
            self.public_key, self.valid_from, self.valid_to, self.revoked_at, self.compromised_since
        )


class GatewayKeyEntry(GatewayKeyFields, Held):
    """A gateway key as registered."""

    factory_id: str
    key_id: str

    @classmethod
    def of(cls, factory_id: str, key_id: str, version: Version[things.GatewayKey]) -> "GatewayKeyEntry":
        """Returns the entry of a version."""
        key = version.content
        return cls.model_construct(
            public_key=key.public_key,
            valid_from=key.valid_from_us,
            valid_to=key.valid_to_us,
            revoked_at=key.revoked_at_us,
            compromised_since=key.compromised_since_us,
            factory_id=factory_id,
            key_id=key_id,
            effective_from=version.from_us,
            effective_to=known_end(version),
        )
