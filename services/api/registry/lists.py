"""Lists of registered things: what may be searched, filtered and sorted by, and one page of one.

Each thing appears once, with the version that GET of the thing answers with: the one in force at the instant, else the
nearest before, else the first. The cursor is the last row's place in the order (the value sorted by, and the id), so a
page neither repeats a thing nor leaves one out when others are registered meanwhile.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Generic, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.api.pages import make_cursor, read_cursor
from services.api.registry.queries import version_columns, version_of
from services.api.registry.tables import (
    TABLES,
    Choice,
    Microseconds,
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
from services.api.registry.things import (
    ENTERPRISE,
    FACTORY,
    GATEWAY_KEY,
    MACHINE,
    SPONSOR,
    ZONE,
    Content,
    Factory,
    FactorySummary,
    Kind,
    Level,
    Size,
)
from services.api.registry.versions import Version

C = TypeVar("C", bound=Content)
Element = sa.ColumnElement[Any]

AT: Element = sa.bindparam("at", type_=Microseconds)
"""The instant that a list is asked of; given when the query runs."""


class Order(StrEnum):
    """Which end of the sort comes first."""

    ASC = "asc"
    DESC = "desc"


@dataclass(frozen=True, slots=True)
class ListRequest:
    """Which page of a list is asked for.

    Attributes:
        filters: values by the names of the listing's filters; ``sort``: one of its sorts.
    """

    at_us: int
    q: str | None
    filters: Mapping[str, str]
    sort: str
    order: Order
    limit: int
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Listed(Generic[C]):
    """A row of a list; ``summary`` is there for factories alone."""

    identifier: str
    version: Version[C]
    summary: FactorySummary | None


@dataclass(frozen=True, slots=True)
class Page(Generic[C]):
    """Rows in order, and the cursor of the next page; None at the end."""

    items: Sequence[Listed[C]]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Listing(Generic[C]):
    """A collection, as a query.

    Attributes:
        source: things joined with the version that answers for ``AT``, and with what else is shown.
        searched: texts that ``q`` is looked for in.
        filters: columns by the names of parameters.
        sorts: what a page may be ordered by; things that are equal in it follow in the order of ids.
        summary: the columns of ``FactorySummary``, for factories.
    """

    kind: Kind[C]
    source: sa.FromClause
    searched: tuple[Element, ...]
    filters: Mapping[str, Element]
    sorts: Mapping[str, Element]
    summary: Mapping[str, Element]


def text(column: Element) -> Element:
    """A text in the order of its characters' codes, whatever the database's own order is: Korean's own, and lasting."""
    return sa.collate(sa.type_coerce(column, sa.Text), "C")


def answering(kind: Kind[Content], thing: Element) -> Element:
    """The condition that joins a thing with its one version that answers for ``AT``; versions leave no gaps."""
    tables = TABLES[kind]
    versions, earlier = tables.versions, tables.versions.alias()
    is_first = ~sa.exists().where(
        earlier.c[tables.thing.name] == tables.thing,
        earlier.c.retired_at.is_(None),
        earlier.c.effective_from < versions.c.effective_from,
    )
    return sa.and_(
        tables.thing == thing,
        versions.c.retired_at.is_(None),
        versions.c.effective_to > AT,
        sa.or_(versions.c.effective_from <= AT, is_first),
    )


def with_versions(kind: Kind[Content]) -> sa.Join:
    """The things of a kind with their versions."""
    tables = TABLES[kind]
    return tables.things.join(tables.versions, answering(kind, tables.things.c.id))


def by_text(kind: Kind[Content], *names: str) -> dict[str, Element]:
    """Orders by id, and by texts of the versions."""
    tables = TABLES[kind]
    return {"id": text(tables.identifier), **{name: text(tables.versions.c[name]) for name in names}}


LEVELS: Element = sa.case(
    {level: number for number, level in enumerate(Level)}, value=factory_version.c.level, else_=-1
)

ENTERPRISES = Listing(
    ENTERPRISE,
    with_versions(ENTERPRISE),
    (enterprise.c.enterprise_id, enterprise_version.c.name),
    {"size": sa.func.size_of(enterprise_version.c.employees)},
    by_text(ENTERPRISE, "name"),
    {},
)
ZONES = Listing(
    ZONE,
    with_versions(ZONE),
    (zone.c.zone_id, zone_version.c.name),
    {"region": zone_version.c.region},
    by_text(ZONE, "name", "region"),
    {},
)
SPONSORS = Listing(
    SPONSOR,
    with_versions(SPONSOR).outerjoin(enterprise, enterprise.c.id == sponsor_version.c.enterprise),
    (sponsor.c.sponsor_id, sponsor_version.c.name),
    {"enterprise_id": enterprise.c.enterprise_id},
    by_text(SPONSOR, "name"),
    {},
)


def factories(source: sa.FromClause, machines: Element) -> Listing[Factory]:
    """The list of factories, given where the number of machines in use comes from."""
    return Listing(
        FACTORY,
        source,
        (factory.c.factory_id, factory_version.c.name, enterprise_version.c.name),
        {
            **{name: factory_version.c[name] for name in ("region", "sector", "zone", "sponsor", "level")},
            "size": sa.func.size_of(enterprise_version.c.employees),
            "enterprise_id": enterprise.c.enterprise_id,
        },
        by_text(FACTORY, "name", "region", "sector") | {"level": LEVELS, "machines": machines},
        {
            "enterprise_name": enterprise_version.c.name,
            "size": sa.func.size_of(enterprise_version.c.employees, type_=Choice(Size)),
            "machines": machines,
        },
    )


of_enterprises = (
    with_versions(FACTORY)
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
    with_versions(MACHINE),
    (machine.c.machine_id, machine_version.c.name, machine_version.c.kind),
    {name: machine_version.c[name] for name in ("kind", "automation")},
    by_text(MACHINE, "name", "kind", "automation"),
    {},
)
GATEWAY_KEYS = Listing(
    GATEWAY_KEY,
    with_versions(GATEWAY_KEY),
    (gateway_key.c.key_id,),
    {},
    by_text(GATEWAY_KEY),
    {},
)


PlainText = Annotated[str, msgspec.Meta(pattern=r"^[^\x00]*$")]
Number = Annotated[int, msgspec.Meta(ge=-1, lt=2**31)]


class Place(msgspec.Struct, frozen=True, array_like=True):
    """What a cursor holds: the order, and the last row's place in it."""

    sort: str
    order: Order
    value: PlainText | Number
    identifier: PlainText


async def read_page(
    connection: AsyncConnection, listing: Listing[C], request: ListRequest, visible: Sequence[Element] = ()
) -> Page[C]:
    """One page of a list.

    Args:
        visible: further conditions: the factory that things belong to, or what the reader may see.

    Raises:
        ValueError: the cursor is not one of this list in this order.
    """
    by, identifier = listing.sorts[request.sort], listing.sorts["id"]
    columns = [*version_columns(listing.kind), *(column.label(name) for name, column in listing.summary.items())]
    statement = (
        sa.select(*columns, by.label("sorted_by"), identifier.label("identifier"))
        .select_from(listing.source)
        .where(*visible, *(listing.filters[name] == value for name, value in request.filters.items()))
    )
    if request.q is not None:
        statement = statement.where(sa.or_(*(contains(column, request.q) for column in listing.searched)))
    if request.cursor is not None:
        statement = statement.where(lies_beyond(by, identifier, request.cursor, request.sort, request.order))
    directed = sa.asc if request.order is Order.ASC else sa.desc
    statement = statement.order_by(directed(by), directed(identifier)).limit(request.limit + 1)
    rows = (await connection.execute(statement, {"at": request.at_us})).mappings().all()
    items = [listed(listing, row) for row in rows[: request.limit]]
    if len(rows) <= request.limit:
        return Page(items, None)
    last = rows[request.limit - 1]
    return Page(items, make_cursor(Place(request.sort, request.order, last["sorted_by"], last["identifier"])))


def contains(column: Element, part: str) -> Element:
    """Whether a text has a part, whatever the case of either."""
    return sa.func.strpos(sa.func.lower(column), sa.func.lower(part)) > 0


def lies_beyond(by: Element, identifier: Element, cursor: str, sort: str, order: Order) -> Element:
    """Whether a row comes after the one that a cursor stands for.

    Raises:
        ValueError: the cursor is of another list or order.
    """
    reached = read_cursor(cursor, Place)
    is_text = isinstance(reached.value, str)
    if (reached.sort, reached.order) != (sort, order) or is_text != isinstance(by.type, sa.String):
        raise ValueError("send a cursor with the sort and order that it was given for")
    place = sa.tuple_(by, identifier)
    last = sa.tuple_(sa.literal(reached.value, by.type), sa.literal(reached.identifier, sa.Text))
    return place > last if order is Order.ASC else place < last


def listed(listing: Listing[C], row: sa.RowMapping) -> Listed[C]:
    """A row of ``read_page``'s query as a row of the list."""
    summary = FactorySummary(**{name: row[name] for name in listing.summary}) if listing.summary else None
    return Listed(row["identifier"], version_of(listing.kind, row), summary)
