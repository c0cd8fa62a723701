"""Lists of registered things: how each may be searched, filtered and sorted, and how a page is read.

Each thing appears once, with the version that GET of the thing answers with: the one in force at the instant, else the
nearest before, else the first. The cursor is the last row's position in the order (the value sorted by, and the id), so
a page neither repeats a thing nor leaves one out when others are registered meanwhile.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Annotated, Any, Generic, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.api.cursors import make_cursor, read_cursor
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
from services.api.turns import in_turns

C = TypeVar("C", bound=Content)
Element = sa.ColumnElement[Any]

AT: Element = sa.bindparam("at", type_=Microseconds)
"""The instant of which a list is requested; bound when the query runs."""


class Order(StrEnum):
    """Which end of the sort comes first."""

    ASC = "asc"
    DESC = "desc"


@dataclass(frozen=True, slots=True)
class ListRequest:
    """The parameters of one page.

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
    """A row of a list; only factories have a ``summary``."""

    identifier: str
    version: Version[C]
    summary: FactorySummary | None


@dataclass(frozen=True, slots=True)
class Page(Generic[C]):
    """Rows in order, and the cursor of the next page, None at the end."""

    items: Sequence[Listed[C]]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Listing(Generic[C]):
    """How to query one collection.

    Attributes:
        source: things joined with their version at ``AT``, and with whatever else is shown.
        searched: the texts in which ``q`` is searched.
        filters: columns by the names of parameters.
        sorts: columns by the names of sorts; ties are ordered by id.
        summary: the columns of ``FactorySummary``, for factories.
    """

    kind: Kind[C]
    source: sa.FromClause
    searched: tuple[Element, ...]
    sorts: Mapping[str, Element]
    filters: Mapping[str, Element] = field(default_factory=dict)
    summary: Mapping[str, Element] = field(default_factory=dict)


def by_code_point(column: Element) -> Element:
    """Returns a text to sort by code point, whatever the database's collation: for Hangul that is the usual order."""
    return sa.collate(sa.type_coerce(column, sa.Text), "C")


def is_version_at(kind: Kind[Content], thing: Element) -> Element:
    """Returns the condition that joins a thing with its one version for ``AT``. Versions leave no gaps."""
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
    """Returns the things of a kind joined with their versions for ``AT``."""
    tables = TABLES[kind]
    return tables.things.join(tables.versions, is_version_at(kind, tables.things.c.id))


def text_sorts(kind: Kind[Content], *names: str) -> dict[str, Element]:
    """Returns the sorts by id and by texts of the versions."""
    tables = TABLES[kind]
    return {"id": by_code_point(tables.identifier), **{name: by_code_point(tables.versions.c[name]) for name in names}}


LEVEL_ORDER: Element = sa.case(
    {level: number for number, level in enumerate(Level)}, value=factory_version.c.level, else_=-1
)

ENTERPRISES = Listing(
    ENTERPRISE,
    source=with_versions(ENTERPRISE),
    searched=(enterprise.c.enterprise_id, enterprise_version.c.name),
    sorts=text_sorts(ENTERPRISE, "name"),
    filters={"size": sa.func.size_of(enterprise_version.c.employees)},
)
ZONES = Listing(
    ZONE,
    source=with_versions(ZONE),
    searched=(zone.c.zone_id, zone_version.c.name),
    sorts=text_sorts(ZONE, "name", "region"),
    filters={"region": zone_version.c.region},
)
SPONSORS = Listing(
    SPONSOR,
    source=with_versions(SPONSOR).outerjoin(enterprise, enterprise.c.id == sponsor_version.c.enterprise),
    searched=(sponsor.c.sponsor_id, sponsor_version.c.name),
    sorts=text_sorts(SPONSOR, "name"),
    filters={"enterprise_id": enterprise.c.enterprise_id},
)


def factories(source: sa.FromClause, machines: Element) -> Listing[Factory]:
    """Returns the list of factories, given a column with the number of machines in use."""
    size = sa.func.size_of(enterprise_version.c.employees, type_=Choice(Size))
    return Listing(
        FACTORY,
        source=source,
        searched=(factory.c.factory_id, factory_version.c.name, enterprise_version.c.name),
        sorts=text_sorts(FACTORY, "name", "region", "sector") | {"level": LEVEL_ORDER, "machines": machines},
        filters={
            **{name: factory_version.c[name] for name in ("region", "sector", "zone", "sponsor", "level")},
            "size": size,
            "enterprise_id": enterprise.c.enterprise_id,
        },
        summary={"enterprise_name": enterprise_version.c.name, "size": size, "machines": machines},
    )


factories_of_enterprises = (
    with_versions(FACTORY)
    .join(enterprise, enterprise.c.id == factory_version.c.enterprise)
    .join(enterprise_version, is_version_at(ENTERPRISE, enterprise.c.id))
)
last_count = (
    sa.select(sa.case((factory_in_use.c.to_at > AT, factory_in_use.c.machines), else_=0))
    .where(factory_in_use.c.factory == factory.c.id, factory_in_use.c.from_at <= AT)
    .order_by(factory_in_use.c.from_at.desc())
    .limit(1)
    .scalar_subquery()
)
is_count_at = sa.and_(
    factory_in_use.c.factory == factory.c.id, factory_in_use.c.from_at <= AT, factory_in_use.c.to_at > AT
)
# The number of machines is looked up for the rows of a page; if the list is sorted by it, all are joined at once.
FACTORIES = factories(factories_of_enterprises, sa.func.coalesce(last_count, 0, type_=sa.Integer))
FACTORIES_BY_MACHINES = factories(
    factories_of_enterprises.outerjoin(factory_in_use, is_count_at), sa.func.coalesce(factory_in_use.c.machines, 0)
)
MACHINES = Listing(
    MACHINE,
    source=with_versions(MACHINE),
    searched=(machine.c.machine_id, machine_version.c.name, machine_version.c.kind),
    sorts=text_sorts(MACHINE, "name", "kind", "automation"),
    filters={name: machine_version.c[name] for name in ("kind", "automation")},
)
GATEWAY_KEYS = Listing(
    GATEWAY_KEY,
    source=with_versions(GATEWAY_KEY),
    searched=(gateway_key.c.key_id,),
    sorts=text_sorts(GATEWAY_KEY),
)


PlainText = Annotated[str, msgspec.Meta(pattern=r"^[^\x00]*$")]
Number = Annotated[int, msgspec.Meta(ge=-1, lt=2**31)]


class Position(msgspec.Struct, frozen=True, array_like=True):
    """The content of a cursor: the order, and the last row's position in it."""

    sort: str
    order: Order
    value: PlainText | Number
    identifier: PlainText


async def read_page(
    connection: AsyncConnection, listing: Listing[C], request: ListRequest, visible: Sequence[Element] = ()
) -> Page[C]:
    """Returns one page of a list.

    Args:
        visible: further conditions: the factory that things belong to, or what the reader may see.

    Raises:
        ValueError: if the cursor is not one of this list in this order.
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
        statement = statement.where(comes_after(by, identifier, request.cursor, request.sort, request.order))
    directed = sa.asc if request.order is Order.ASC else sa.desc
    statement = statement.order_by(directed(by), directed(identifier)).limit(request.limit + 1)
    rows = (await connection.execute(statement, {"at": request.at_us})).mappings().all()
    items = await in_turns(partial(read_row, listing), rows[: request.limit])
    if len(rows) <= request.limit:
        return Page(items, None)
    last = rows[request.limit - 1]
    return Page(items, make_cursor(Position(request.sort, request.order, last["sorted_by"], last["identifier"])))


def contains(column: Element, part: str) -> Element:
    """Returns the condition that a text contains a part, ignoring case."""
    return sa.func.strpos(sa.func.lower(column), sa.func.lower(part)) > 0


def comes_after(by: Element, identifier: Element, cursor: str, sort: str, order: Order) -> Element:
    """Returns the condition that a row comes after the one that a cursor stands for.

    Raises:
        ValueError: if the cursor is of another list or order.
    """
    reached = read_cursor(cursor, Position)
    is_text = isinstance(reached.value, str)
    if (reached.sort, reached.order) != (sort, order) or is_text != isinstance(by.type, sa.String):
        raise ValueError("send a cursor with the sort and order that it was given for")
    position = sa.tuple_(by, identifier)
    last = sa.tuple_(sa.literal(reached.value, by.type), sa.literal(reached.identifier, sa.Text))
    return position > last if order is Order.ASC else position < last


def read_row(listing: Listing[C], row: sa.RowMapping) -> Listed[C]:
    """Returns a row of ``read_page``'s query as a row of the list."""
    summary = FactorySummary(**{name: row[name] for name in listing.summary}) if listing.summary else None
    return Listed(row["identifier"], version_of(listing.kind, row), summary)
