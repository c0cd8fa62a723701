"""The registry's tables as SQLAlchemy knows them. The migrations are the authority; here is only what queries name."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA

INSTANT = sa.TIMESTAMP(timezone=True)
metadata = sa.MetaData()


def version_columns() -> list[sa.Column[object]]:
    return [
        sa.Column("effective_from", INSTANT),
        sa.Column("effective_to", INSTANT),
        sa.Column("changed_in", sa.BigInteger),
        sa.Column("retired_at", INSTANT),
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
    sa.Column("region", sa.Text),
    sa.Column("sector", sa.Text),
    sa.Column("zone", sa.Text),
    sa.Column("sponsor", sa.Text),
    sa.Column("level", sa.Text),
    sa.Column("established_on", sa.Date),
    sa.Column("closed_on", sa.Date),
    *version_columns(),
)

zone = sa.Table("zone", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("zone_id", sa.Text))
zone_version = sa.Table(
    "zone_version",
    metadata,
    sa.Column("zone", sa.Integer),
    sa.Column("name", sa.Text),
    sa.Column("region", sa.Text),
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
    sa.Column("automation", sa.Text),
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
    sa.Column("from_at", INSTANT),
    sa.Column("to_at", INSTANT),
    sa.Column("machines", sa.Integer),
)
factory_in_use_steps = sa.Table(
    "factory_in_use_steps",
    metadata,
    sa.Column("factory", sa.Integer),
    sa.Column("from_at", INSTANT),
    sa.Column("to_at", INSTANT),
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
    sa.Column("valid_from", INSTANT),
    sa.Column("valid_to", INSTANT),
    sa.Column("revoked_at", INSTANT),
    sa.Column("compromised_since", INSTANT),
    *version_columns(),
)

dirty_mark = sa.Table(
    "dirty_mark",
    metadata,
    sa.Column("shard", sa.SmallInteger),
    sa.Column("machine", sa.Integer),
    sa.Column("from_at", INSTANT),
    sa.Column("to_at", INSTANT),
)


@dataclass(frozen=True, slots=True)
class Reference:
    """A column of a version that names another thing, which must be registered.

    Attributes:
        column: its name among the columns that are content.
        field: its name in bodies.
        by_number: the column holds the thing's number; else its id.
    """

    column: str
    field: str
    kind: "Kind"
    by_number: bool


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of registered thing: its table, its versions' table, and the columns of the latter that are content."""

    name: str
    things: sa.Table
    versions: sa.Table
    identifier: str
    references: tuple[Reference, ...] = ()

    @property
    def belongs_to_factory(self) -> bool:
        """Whether its ids are unique within a factory only."""
        return "factory" in self.things.c

    @property
    def reference(self) -> sa.Column[int]:
        """The versions' column that leads to the thing."""
        return self.versions.c[self.things.name]

    @property
    def content(self) -> list[sa.Column[object]]:
        """The versions' columns that say something."""
        rest = {column.name for column in version_columns()} | {self.things.name}
        return [column for column in self.versions.c if column.name not in rest]


ENTERPRISE = Kind("enterprise", enterprise, enterprise_version, "enterprise_id")
ZONE = Kind("zone", zone, zone_version, "zone_id")
SPONSOR = Kind(
    "sponsor",
    sponsor,
    sponsor_version,
    "sponsor_id",
    (Reference("enterprise", "enterprise_id", ENTERPRISE, by_number=True),),
)
FACTORY = Kind(
    "factory",
    factory,
    factory_version,
    "factory_id",
    (
        Reference("enterprise", "enterprise_id", ENTERPRISE, by_number=True),
        Reference("zone", "zone", ZONE, by_number=False),
        Reference("sponsor", "sponsor", SPONSOR, by_number=False),
    ),
)
MACHINE = Kind("machine", machine, machine_version, "machine_id")
GATEWAY_KEY = Kind("gateway key", gateway_key, gateway_key_version, "key_id")

KINDS = (ENTERPRISE, ZONE, SPONSOR, FACTORY, MACHINE, GATEWAY_KEY)
"""Every kind, after those that it names."""
