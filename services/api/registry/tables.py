"""The registry's tables for SQLAlchemy, as far as queries use them. The migrations are the authority."""

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, JSONB
from sqlalchemy.engine import Dialect

from services.api.registry.calendars import Plan, from_json, to_json
from services.api.registry.things import (
    CALENDAR,
    ENTERPRISE,
    FACTORY,
    GATEWAY_KEY,
    MACHINE,
    SPONSOR,
    ZONE,
    Automation,
    Kind,
    Level,
    Region,
)
from services.core.times import from_us, to_us

E = TypeVar("E", bound=StrEnum)


class Microseconds(sa.TypeDecorator[int]):
    """A ``timestamptz`` that is an integer of microseconds since the Unix epoch in Python."""

    impl = sa.TIMESTAMP(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> dt.datetime | None:
        return None if value is None else from_us(value)

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_us(value)


class Choice(sa.TypeDecorator[E], Generic[E]):
    """A text that is a member of an enum in Python."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, enum: type[E]) -> None:
        super().__init__()
        self.enum = enum

    def process_result_value(self, value: str | None, dialect: Dialect) -> E | None:
        return None if value is None else self.enum(value)


class PlanText(sa.TypeDecorator[Plan]):
    """The text of a calendar's content that is a plan in Python."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Plan | None, dialect: Dialect) -> str | None:
        return None if value is None else to_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Plan | None:
        return None if value is None else from_json(json.loads(value))


metadata = sa.MetaData()


def version_columns() -> list[sa.Column[object]]:
    return [
        sa.Column("effective_from", Microseconds),
        sa.Column("effective_to", Microseconds),
        sa.Column("changed_in", sa.BigInteger),
        sa.Column("retired_at", Microseconds),
    ]


registry_version = sa.Table("registry_version", metadata, sa.Column("version", sa.BigInteger))

enterprise = sa.Table(
    "enterprise", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("enterprise_id", sa.Text)
)
enterprise_version = sa.Table(
    "enterprise_version",
    metadata,
    sa.Column("enterprise", sa.Integer),
    sa.Column("name", sa.Text),
    sa.Column("employees", sa.Integer),
    *version_columns(),
)

factory = sa.Table("factory", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("factory_id", sa.Text))
factory_version = sa.Table(
    "factory_version",
    metadata,
    sa.Column("factory", sa.Integer),
    sa.Column("name", sa.Text),
    sa.Column("enterprise", sa.Integer),
    sa.Column("region", Choice(Region)),
    sa.Column("sector", sa.Text),
    sa.Column("zone", sa.Text),
    sa.Column("sponsor", sa.Text),
    sa.Column("level", Choice(Level)),
    sa.Column("established_on", sa.Date),
    sa.Column("closed_on", sa.Date),
    *version_columns(),
)

calendar = sa.Table("calendar", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("content", JSONB))
calendar_version = sa.Table(
    "calendar_version",
    metadata,
    sa.Column("factory", sa.Integer),
    sa.Column("calendar", sa.Integer),
    *version_columns(),
)
holiday = sa.Table(
    "holiday",
    metadata,
    sa.Column("day", sa.Date),
    sa.Column("name_ko", sa.Text),
    sa.Column("name_en", sa.Text),
    sa.Column("changed_in", sa.BigInteger),
    sa.Column("retired_at", Microseconds),
)

zone = sa.Table("zone", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("zone_id", sa.Text))
zone_version = sa.Table(
    "zone_version",
    metadata,
    sa.Column("zone", sa.Integer),
    sa.Column("name", sa.Text),
    sa.Column("region", Choice(Region)),
    sa.Column("designated_on", sa.Date),
    *version_columns(),
)

sponsor = sa.Table("sponsor", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("sponsor_id", sa.Text))
sponsor_version = sa.Table(
    "sponsor_version",
    metadata,
    sa.Column("sponsor", sa.Integer),
    sa.Column("name", sa.Text),
    sa.Column("enterprise", sa.Integer),
    *version_columns(),
)

machine = sa.Table(
    "machine",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("factory", sa.Integer),
    sa.Column("machine_id", sa.Text),
    sa.Column("shard", sa.SmallInteger),
)
machine_version = sa.Table(
    "machine_version",
    metadata,
    sa.Column("machine", sa.Integer),
    sa.Column("name", sa.Text),
    sa.Column("kind", sa.Text),
    sa.Column("automation", Choice(Automation)),
    sa.Column("state_ttl_us", sa.BigInteger),
    sa.Column("ideal_cycle_us", sa.BigInteger),
    sa.Column("capacity_per_h", sa.Double),
    sa.Column("in_use_from", sa.Date),
    sa.Column("in_use_to", sa.Date),
    *version_columns(),
)

factory_in_use = sa.Table(
    "factory_in_use",
    metadata,
    sa.Column("factory", sa.Integer),
    sa.Column("from_at", Microseconds),
    sa.Column("to_at", Microseconds),
    sa.Column("machines", sa.Integer),
)
factory_in_use_steps = sa.Table(
    "factory_in_use_steps",
    metadata,
    sa.Column("factory", sa.Integer),
    sa.Column("from_at", Microseconds),
    sa.Column("to_at", Microseconds),
    sa.Column("machines", sa.Integer),
)

gateway_key = sa.Table(
    "gateway_key",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("factory", sa.Integer),
    sa.Column("key_id", sa.Text),
)
gateway_key_version = sa.Table(
    "gateway_key_version",
    metadata,
    sa.Column("gateway_key", sa.Integer),
    sa.Column("public_key", BYTEA),
    sa.Column("valid_from", Microseconds, key="valid_from_us"),
    sa.Column("valid_to", Microseconds, key="valid_to_us"),
    sa.Column("revoked_at", Microseconds, key="revoked_at_us"),
    sa.Column("compromised_since", Microseconds, key="compromised_since_us"),
    *version_columns(),
)

machine_span = sa.Table(
    "machine_span",
    metadata,
    sa.Column("machine", sa.Integer),
    sa.Column("from_at", Microseconds),
    sa.Column("to_at", Microseconds),
)
dirty_mark = sa.Table(
    "dirty_mark",
    metadata,
    sa.Column("shard", sa.SmallInteger),
    sa.Column("machine", sa.Integer),
    sa.Column("from_at", Microseconds),
    sa.Column("to_at", Microseconds),
)


@dataclass(frozen=True, slots=True)
class Tables:
    """Where things of one kind are stored.

    Attributes:
        things: a row for each thing, with its number (``id``) and its id.
        versions: the versions of things; the columns' keys are the fields of the kind's content, except those in
            ``NUMBERED``.
        thing: the versions' column that holds the thing's number.
        identifier: the things' column that holds the thing's id.
    """

    things: sa.Table
    versions: sa.Table
    thing: sa.Column[int]
    identifier: sa.Column[str]


TABLES: Mapping[Kind[Any], Tables] = {
    ENTERPRISE: Tables(enterprise, enterprise_version, enterprise_version.c.enterprise, enterprise.c.enterprise_id),
    ZONE: Tables(zone, zone_version, zone_version.c.zone, zone.c.zone_id),
    SPONSOR: Tables(sponsor, sponsor_version, sponsor_version.c.sponsor, sponsor.c.sponsor_id),
    FACTORY: Tables(factory, factory_version, factory_version.c.factory, factory.c.factory_id),
    CALENDAR: Tables(factory, calendar_version, calendar_version.c.factory, factory.c.factory_id),
    MACHINE: Tables(machine, machine_version, machine_version.c.machine, machine.c.machine_id),
    GATEWAY_KEY: Tables(gateway_key, gateway_key_version, gateway_key_version.c.gateway_key, gateway_key.c.key_id),
}


def identity(value: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Returns the value itself."""
    return value


@dataclass(frozen=True, slots=True)
class Numbered:
    """How a field of contents is stored that versions hold as the number of a row of another table.

    Attributes:
        rows: the table, whose number is its column ``id``.
        column: the versions' column that holds the number.
        stored: the column of ``rows`` that holds the field's value; ``value``: the same in the type of the field.
        key: what rows are found by, made of the stored value or of the field's.
    """

    rows: sa.Table
    column: str
    stored: sa.Column[Any]
    value: sa.ColumnElement[Any]
    key: Callable[[sa.ColumnElement[Any]], sa.ColumnElement[Any]] = identity


def hash_of_content(content: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Returns the hash of a calendar's content, by which it is indexed."""
    return sa.func.sha256(sa.cast(sa.cast(sa.cast(content, JSONB), sa.Text), BYTEA))


NUMBERED: Mapping[str, Numbered] = {
    "enterprise_id": Numbered(enterprise, "enterprise", enterprise.c.enterprise_id, enterprise.c.enterprise_id),
    "calendar": Numbered(
        calendar, "calendar", calendar.c.content, sa.cast(calendar.c.content, PlanText), hash_of_content
    ),
}
"""The fields of contents that are stored by number."""
