"""Lists of registered things as queries: what a row holds, what is searched, filtered and sorted by. Pure.

Each thing appears once, with the version that GET of the thing answers with: the one in force at the instant, else the
nearest before, else the first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from services.api.registry.bodies import Level
from services.api.registry.tables import (
    ENTERPRISE,
    FACTORY,
    GATEWAY_KEY,
    INSTANT,
    MACHINE,
    SPONSOR,
    ZONE,
    Kind,
    enterprise,
    enterprise_version,
    factory,
    factory_in_use,
    factory_version,
    gateway_key,
    machine,
    machine_version,
    sponsor,
    sponsor_version,
    zone,
    zone_version,
)

Element = sa.ColumnElement[Any]

AT: Element = sa.bindparam("at", type_=INSTANT)
"""The instant that a list is asked of; given when the query runs."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A collection.

    Attributes:
        source: things joined with the version that answers for ``AT``, and with what else is shown.
        shown: the columns beside the version's, by the entry's fields.
        searched: texts that ``q`` is looked for in.
        filters: must equal what is asked for.
        sorts: what a page may be ordered by; things that are equal in it follow in the order of ids.
    """

    kind: Kind
    source: sa.FromClause
    shown: Mapping[str, Element]
    searched: tuple[Element, ...]
    filters: Mapping[str, Element]
    sorts: Mapping[str, Element]

    def select(self) -> "sa.Select[Any]":
        """Everything of the collection, in no order; ``AT`` is to be given."""
        versions = self.kind.versions
        columns = [column.label(name) for name, column in self.shown.items()]
        rows = sa.select(versions.c.effective_from, versions.c.effective_to, *self.kind.content, *columns)
        return rows.select_from(self.source)


def text(column: Element) -> Element:
    """A text in the order of its characters' codes, whatever the database's own order is: Korean's own, and lasting."""
    return sa.collate(column, "C")


def answering(kind: Kind, thing: Element) -> Element:
    """What joins a thing with its one version that answers for ``AT``. Versions follow each other without gaps."""
    versions, earlier = kind.versions, kind.versions.alias()
    is_first = ~sa.exists().where(
        earlier.c[kind.things.name] == kind.reference,
        earlier.c.retired_at.is_(None),
        earlier.c.effective_from < versions.c.effective_from,
    )
    return sa.and_(
        kind.reference == thing,
        versions.c.retired_at.is_(None),
        versions.c.effective_to > AT,
        sa.or_(versions.c.effective_from <= AT, is_first),
    )


def things(kind: Kind) -> sa.Join:
    """The things of a kind with their versions."""
    return kind.things.join(kind.versions, answering(kind, kind.things.c.id))


def by_text(kind: Kind, *names: str) -> dict[str, Element]:
    """Orders by id, and by texts of the versions."""
    return {
        "id": text(kind.things.c[kind.identifier]),
        **{name: text(kind.versions.c[name]) for name in names},
    }


LEVELS: Element = sa.case(
    {str(level): number for number, level in enumerate(Level)}, value=factory_version.c.level, else_=-1
)

ENTERPRISES = Listing(
    ENTERPRISE,
    things(ENTERPRISE),
    {"enterprise_id": enterprise.c.enterprise_id},
    (enterprise.c.enterprise_id, enterprise_version.c.name),
    {"size": sa.func.size_of(enterprise_version.c.employees)},
    by_text(ENTERPRISE, "name"),
)
ZONES = Listing(
    ZONE,
    things(ZONE),
    {"zone_id": zone.c.zone_id},
    (zone.c.zone_id, zone_version.c.name),
    {"region": zone_version.c.region},
    by_text(ZONE, "name", "region"),
)
SPONSORS = Listing(
    SPONSOR,
    things(SPONSOR).outerjoin(enterprise, enterprise.c.id == sponsor_version.c.enterprise),
    {"sponsor_id": sponsor.c.sponsor_id, "enterprise_id": enterprise.c.enterprise_id},
    (sponsor.c.sponsor_id, sponsor_version.c.name),
    {"enterprise_id": enterprise.c.enterprise_id},
    by_text(SPONSOR, "name"),
)


def factories(source: sa.FromClause, machines: Element) -> Listing:
    """The list of factories, given where the number of machines in use comes from."""
    return Listing(
        FACTORY,
        source,
        {
            "factory_id": factory.c.factory_id,
            "enterprise_id": enterprise.c.enterprise_id,
            "enterprise_name": enterprise_version.c.name,
            "size": sa.func.size_of(enterprise_version.c.employees),
            "machines": machines,
        },
        (factory.c.factory_id, factory_version.c.name, enterprise_version.c.name),
        {
            **{name: factory_version.c[name] for name in ("region", "sector", "zone", "sponsor", "level")},
            "size": sa.func.size_of(enterprise_version.c.employees),
            "enterprise_id": enterprise.c.enterprise_id,
        },
        by_text(FACTORY, "name", "region", "sector") | {"level": LEVELS, "machines": machines},
    )


of_enterprises = (
    things(FACTORY)
    .join(enterprise, enterprise.c.id == factory_version.c.enterprise)
    .join(enterprise_version, answering(ENTERPRISE, enterprise.c.id))
)
last_step = (
    sa.select(sa.case((factory_in_use.c.to_at > AT, factory_in_use.c.machines), else_=0))
    .where(factory_in_use.c.factory == factory.c.id, factory_in_use.c.from_at <= AT)
    .order_by(factory_in_use.c.from_at.desc())
    .limit(1)
    .scalar_subquery()
)
at_the_instant = sa.and_(
    factory_in_use.c.factory == factory.c.id, factory_in_use.c.from_at <= AT, factory_in_use.c.to_at > AT
)
# The number is looked up for the rows of a page alone; for a page that is sorted by it, all are joined at once.
FACTORIES = factories(of_enterprises, sa.func.coalesce(last_step, 0, type_=sa.Integer))
FACTORIES_BY_MACHINES = factories(
    of_enterprises.outerjoin(factory_in_use, at_the_instant), sa.func.coalesce(factory_in_use.c.machines, 0)
)
MACHINES = Listing(
    MACHINE,
    things(MACHINE),
    {"machine_id": machine.c.machine_id},
    (machine.c.machine_id, machine_version.c.name, machine_version.c.kind),
    {name: machine_version.c[name] for name in ("kind", "automation")},
    by_text(MACHINE, "name", "kind", "automation"),
)
GATEWAY_KEYS = Listing(
    GATEWAY_KEY,
    things(GATEWAY_KEY),
    {"key_id": gateway_key.c.key_id},
    (gateway_key.c.key_id,),
    {},
    by_text(GATEWAY_KEY),
)
